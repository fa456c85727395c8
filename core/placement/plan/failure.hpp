// Failure radius: what the loss of a part stops, and the way back that reloads least.
#pragma once

#include <vector>

#include "core/placement/plan/host.hpp"

namespace aictl::placement {

/// One row a GPU in use, a NUMA node and a PCI Express switch with GPUs in use, and the host.
/// `models` are placed; the host's free GPUs are what they left.
std::vector<Loss> failure_radius(Host& host, const std::vector<ModelPlan>& models);

}  // namespace aictl::placement
