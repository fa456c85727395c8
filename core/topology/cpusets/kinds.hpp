// Sorts of cores: which CPUs are of the economical sort, and what people call a sort.
#pragma once

#include <string_view>

#include "core/topology/topology.hpp"

namespace aictl::topology {

/// CPUs of cores that are markedly slower than the machine's fastest: Intel's Atoms, and kinds
/// below 85 % of the fastest one's capacity or clock. Empty where all cores are alike.
Bitset economical_cpus(const Topology& topology);

/// "performance" or "efficiency" for the core that has `cpus`; empty where all cores are alike.
std::string_view core_kind(const Topology& topology, const Bitset& cpus);

}  // namespace aictl::topology
