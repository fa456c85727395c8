// The result of a run: one JSON object, from which every table, page and comparison is made.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/load/drive/record.hpp"
#include "core/load/report/window.hpp"
#include "core/value/json.hpp"

namespace aictl::load {

inline constexpr std::string_view kSchema = "aictl.bench.serve/1";

/// A limit a request has to keep to count as good, in milliseconds.
struct Slo {
  std::string metric;  // "ttft", "tpot", "e2e"
  double limit = 0;
};

/// "ttft:500,tpot:50": times in milliseconds, or with a unit ("ttft:2s"). Errors: kInvalidArgument.
Result<std::vector<Slo>> parse_slos(std::string_view text);

struct ResultOptions {
  Json config;       // what was asked for
  Json fingerprint;  // of machine, client and server
  Warmup warmup;
  std::vector<Slo> slos;
  uint64_t seed = 0;
  uint64_t clipped = 0;                 // requests whose lengths were clipped
  std::vector<std::string> step_names;  // of the parts of a curve of rates; results for each
};

/// Keys: schema, run{}, fingerprint{}, config{}, load{}, metrics{}, throughput{}, goodput{},
/// errors[], lengths{}, timeseries[], steps[], samples{}; see aictl-bench-serve(1).
Json result_json(const Run& run, const ResultOptions& options);

/// The requests of a run, a JSON object each: t_plan, t_send, ttft, itl[], n_in, n_out, status.
std::string requests_jsonl(const Run& run);

/// Reads a result file. Errors: of reading; kDataRefused when it is no result of this program.
Result<Json> read_result(const std::string& path);

}  // namespace aictl::load
