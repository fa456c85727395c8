// What a measurement was made on: without it a number means nothing.
#pragma once

#include <string>

#include "core/topology/topology.hpp"
#include "core/value/json.hpp"

namespace aictl::load {

/// {topology_hash, cpu, processors, numa_nodes, memory_bytes, gpus[], kernel, governor, hypervisor,
/// cgroup, cpu_quota, effective_cpus, memory_max}. The hash is of the hardware: it is the same
/// after a reboot, and whatever runs.
Json machine_fingerprint(const Topology& machine);

/// This process' words, with spaces between.
std::string command_line();

}  // namespace aictl::load
