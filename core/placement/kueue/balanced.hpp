// Balanced placement: evenly over the fewest domains.
#pragma once

#include <optional>
#include <vector>

#include "core/base/result.hpp"

namespace aictl::placement {

/// Slices for each domain; `slices` fit into `capacities` (of slices) together. Filling the largest
/// first tells how many domains are needed; T is what the emptiest of those can have. Of the
/// domains of room T or more the fewest are taken, those of least room together; each gets T, and
/// the rest fills the largest up. nullopt when no T of 1 or more works. Errors: kTooLarge when
/// there are too many subsets to look at.
Result<std::optional<std::vector<int>>> balanced(const std::vector<int>& capacities, int slices);

}  // namespace aictl::placement
