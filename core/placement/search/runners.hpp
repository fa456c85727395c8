// The groups of GPUs that were nearly chosen, in words.
#pragma once

#include <vector>

#include "core/placement/plan/plan.hpp"

namespace aictl::placement {

/// Each of `runners` as it lost to `winner`: {"gpu 0,1 | 4,5", "links", "worst link NV1 against
/// NV2"}.
std::vector<Rejected> rejected_groups(const std::vector<GroupRunner>& runners,
                                      const GroupChoice& winner, const LinkTable& links);

}  // namespace aictl::placement
