// A plan for people, 80 columns where names allow.
#pragma once

#include <iosfwd>

#include "core/placement/plan/plan.hpp"

namespace aictl::placement {

/// `explain`: with the arithmetic, the reasons, every rejected alternative and the losses.
void print(const Plan& plan, const PlanRequest& request, bool explain, std::ostream& out);

}  // namespace aictl::placement
