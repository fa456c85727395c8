// A plan as a tree with stable keys.
#pragma once

#include "core/placement/plan/plan.hpp"
#include "core/value/json.hpp"

namespace aictl::placement {

/// `explain`: with every rejected alternative.
Json to_json(const Plan& plan, const PlanRequest& request, bool explain);

}  // namespace aictl::placement
