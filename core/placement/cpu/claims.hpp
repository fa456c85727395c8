// Cores and memory nodes for the replicas that were placed.
#pragma once

#include <vector>

#include "core/placement/plan/host.hpp"

namespace aictl::placement {

/// Fills `replicas` of every placed model: GPUs by UUID, and whole performance cores: one near each
/// GPU, for its process, and one near most of them for tokenising and HTTP. A group over several
/// memory nodes so has cores on each of them. Replicas on memory nodes share what their nodes have
/// left. A core of the machine stays free where there are four or more; where cores run out,
/// replicas share (`cores` is 0 then).
void claim_cores(Host& host, std::vector<ModelPlan>& models);

}  // namespace aictl::placement
