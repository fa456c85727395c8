// --fail-if: what a result has to keep to, and the exit status of a run.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/value/json.hpp"

namespace aictl::load {

/// One expression: [aggregate_]metric[.class] op value[unit], or op ±percent@FILE.
struct Threshold {
  std::string text;
  std::string aggregate;  // "p99", "mean", "min", "max", "ci_hi", "ci_lo"; empty: the figure itself
  std::string metric;     // "ttft", "itl", "goodput", "error_rate", "output_tps", ...
  std::string failure;    // class of errors, of error_rate.timeout
  std::string op;         // ">", ">=", "<", "<="
  double limit = 0;       // in the metric's unit; relative: percent
  bool per_second = false;  // goodput in req/s instead of percent
  std::string baseline;     // file a relative limit refers to; empty: the limit is absolute
};

/// Errors: kInvalidArgument naming the part that makes no sense.
Result<Threshold> parse_threshold(std::string_view text);

/// {text, metric, value, limit, unit, margin, verdict, why}: verdict is "pass", "fail" or
/// "inconclusive". `by_interval`: fails only when the whole 95 % interval is beyond the limit, and
/// passes only when none of it is. A relative one fails only when the difference is significant.
/// Errors: of reading the baseline.
Result<Json> check_threshold(const Threshold& threshold, const Json& result, bool by_interval);

/// The exit statuses of a load test.
enum class Verdict {
  kOk = 0,
  kFailed = 1,
  kIncomparable = 3,
  kClientLimited = 4,
  kInconclusive = 5,
  kErrors = 6,
  kInterrupted = 130
};

/// What a result with its `thresholds` comes to; `strict`: also when a limit cannot be decided by
/// its interval.
Verdict verdict_of(const Json& result, bool allow_client_limit, bool strict);
std::string_view verdict_name(Verdict verdict);

}  // namespace aictl::load
