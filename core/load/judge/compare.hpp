// Two results side by side, in the manner of benchstat: what changed, and whether more than chance
// says so.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/value/json.hpp"

namespace aictl::load {

struct CompareOptions {
  double noise = 0.02;  // a smaller change is none, whatever its p-value
  double alpha = 0.05;
};

/// What makes two results no pair, a line each: another load, another model, another machine.
std::vector<std::string> incomparable(const Json& before, const Json& after);

/// {rows: [{metric, unit, old, new, delta (%), ci95 [%], p, p_holm, verdict}], geomean{latency,
/// throughput} (%), notes[]}: verdict is "better", "worse" or "~". Latencies by Mann and Whitney's
/// U on requests (medians) and by bootstrap (p99), throughput on batches; p-values corrected by
/// Holm. Both are of read_result.
Json compare_results(const Json& before, const Json& after, const CompareOptions& options);

/// The row of one figure: `percentile` of the request metric `name`, or a rate when it is 0.
/// nullopt when one of the results does not have it.
std::optional<Json> compare_figure(const Json& before, const Json& after, const std::string& name,
                                   double percentile);

}  // namespace aictl::load
