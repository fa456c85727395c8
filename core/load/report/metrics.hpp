// The figures of a request, each with its name and unit, and what is said of many of them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/load/drive/record.hpp"
#include "core/value/json.hpp"

namespace aictl::load {

struct Metric {
  std::string_view name, unit, help;
  /// The figure in `unit`; nullopt when this request has none.
  std::optional<double> (*of)(const Record& record);
  bool more_is_better = false;
};

/// The figures of one request: ttft (from sending), ttft_plan (from when it was due), ttfot (first
/// text that is no reasoning), tpot, e2e, e2e_plan, ntpot, user_tps, queue, late, in_tokens,
/// out_tokens.
std::span<const Metric> request_metrics();
/// The one of this name; nullptr without one.
const Metric* find_metric(std::string_view name);

/// {unit, n, mean, std, min, max, p50.., ci95{mean, p50..}, cdf[101]}: a percentile that `values`
/// are too few for is null. `blocks[i]` is what value i is drawn with by a bootstrap.
Json distribution_json(std::string_view unit, std::span<const double> values,
                       std::span<const int64_t> blocks, uint64_t seed);

/// "p50", "p99", "p99.9" of 0.5, 0.99, 0.999.
std::string percentile_name(double p);

}  // namespace aictl::load
