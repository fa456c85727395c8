// Machines made up for the planner's tests.
#pragma once

#include <functional>
#include <string>

#include "core/topology/topology.hpp"

namespace aictl::placement {

/// Cores of two PUs over `nodes` memory nodes of `memory` bytes: PU i and i + cores are siblings,
/// as Linux numbers them.
Topology cpu_machine(int nodes, int cores_a_node, uint64_t memory);

/// The same with GPUs of `model`, half of them near each of the nodes, and a link a pair as `link`
/// says.
Topology gpu_machine(int gpus, const std::string& model, int nodes,
                     const std::function<topology::Link(int, int)>& link);

/// A link by nvidia-smi's word: "NV4", "PIX", "SYS".
topology::Link link_of(int a, int b, const std::string& word);

/// 8 GPUs in two islands of NODE, SYS between them.
Topology two_islands(const std::string& model);

/// 16 GPUs that all reach each other over NVSwitch.
Topology switched(const std::string& model);

/// Fields of a matrix in an expected file: "X", "NV2", "SYS".
Topology from_matrix(const std::string& expected_json);

}  // namespace aictl::placement
