// Kueue's topology-aware scheduling, as section 8 tells it: how many pods each domain gets.
#pragma once

#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace aictl::placement {

enum class KueueAlgorithm { kBestFit, kLeastFree, kBalanced };

/// Pods for each domain of one level, in the order given; sums to `pods`. Pods come in slices of
/// `slice` that stay in one domain. BestFit takes the tightest domain that holds all, else the
/// largest ones and the tightest for what is left; LeastFree fills the fullest first; balanced
/// spreads evenly over the fewest domains. Errors: kInvalidArgument for numbers out of range, pods
/// that are no multiple of the slice; kResourceExhausted when they do not fit.
Result<std::vector<int>> kueue_assign(KueueAlgorithm algorithm, const std::vector<int>& capacities,
                                      int pods, int slice);

}  // namespace aictl::placement
