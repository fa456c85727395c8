// When tensor parallelism across sockets hurts: section 7's rule, asked of what the objective would
// choose.
#pragma once

#include <optional>

#include "core/placement/plan/plan.hpp"

namespace aictl::placement {

/// Why `option`, whose ranks agree across sockets, gives way to the widest of `fitting` that stays
/// inside one: it gains less than 1.25 of what it loses, or no SLO needs the gain. nullopt: it
/// stays inside a socket, nothing else fits one, the SLO needs it, or nothing meets the SLO.
std::optional<Rejected> stays_in_socket(const std::vector<Option>& fitting, const Option& option,
                                        const ModelShape& shape, const PlanRequest& request);

}  // namespace aictl::placement
