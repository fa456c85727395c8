// Cores and memory nodes for the replicas that were placed.
#pragma once

#include <vector>

#include "core/placement/plan/host.hpp"

namespace aictl::placement {

/// Fills `replicas` of every placed model: GPUs by UUID, and whole performance cores of the nodes
/// near them, a core a GPU process and one for tokenising and HTTP. Replicas on memory nodes share
/// what their nodes have left. A core of the machine stays free where there are four or more.
void claim_cores(Host& host, std::vector<ModelPlan>& models);

}  // namespace aictl::placement
