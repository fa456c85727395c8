// The part of a run that counts, and what held in it: warm-up cut off, requests at once, whether
// the server kept up.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/load/drive/record.hpp"
#include "core/load/stats/sample.hpp"

namespace aictl::load {

/// How much of the beginning is warm-up.
struct Warmup {
  enum class Kind { kAuto, kRequests, kSeconds };
  Kind kind = Kind::kAuto;
  double amount = 0;
};

/// "auto", a number of requests, or a duration. Errors: kInvalidArgument.
Result<Warmup> parse_warmup(std::string_view text);

struct Window {
  double from = 0, to = 0;       // seconds of the run
  uint64_t warmup_requests = 0;  // that were due before `from`

  double seconds() const { return to - from; }
  bool has(const Record& record) const { return record.plan >= from && record.plan <= to; }
};

/// `by_plan`: the run's records in the order they were due.
Window find_window(const Run& run, std::span<const Record* const> by_plan, const Warmup& warmup);

/// Requests at once over time.
struct Concurrency {
  double mean = 0;  // over the window, by time
  int64_t peak = 0;
  std::vector<double> at_send;  // of each record of `by_plan`: how many were running then
};
Concurrency concurrency_of(std::span<const Record* const> by_plan, const Window& window);

/// Whether both the requests at once and the times to the first token grow over the window, with
/// 95 % certainty each, in a run of at least `least_seconds`: the server is asked more than it can.
bool is_saturated(std::span<const Record* const> by_plan, const Concurrency& concurrency,
                  const Window& window, double least_seconds = 30);

}  // namespace aictl::load
