// The 28 rules, a function each (section 10 of the reference's numbering is in doctor.cpp), and the
// few questions several of them ask.
#pragma once

#include "core/doctor/doctor.hpp"

namespace aictl::doctor {

// pcie.cpp
Verdict pcie_width(const Input& input);
Verdict pcie_generation(const Input& input);
Verdict pcie_errors(const Input& input);
Verdict gpu_without_node(const Input& input);
Verdict hidden_levels(const Input& input);
// fabric.cpp: between GPUs
Verdict nvlinks_down(const Input& input);
Verdict fabric_not_ready(const Input& input);
Verdict peer_copies(const Input& input);
Verdict group_crosses_sockets(const Input& input);
Verdict mig_with_groups(const Input& input);
// gpu.cpp: the GPU's own state
Verdict gpu_slowed(const Input& input);
Verdict power_limited(const Input& input);
Verdict memory_errors(const Input& input);
Verdict mixed_firmware(const Input& input);
Verdict cuda_order(const Input& input);
Verdict persistence_off(const Input& input);
// memory.cpp
Verdict remote_memory(const Input& input);
Verdict memory_limit(const Input& input);
Verdict huge_pages_off(const Input& input);
Verdict numa_balancing(const Input& input);
Verdict gpu_memory_node(const Input& input);
// channels.cpp
Verdict memory_channels(const Input& input);
// cpu.cpp
Verdict throttled(const Input& input);
Verdict powersave_governor(const Input& input);
Verdict too_many_threads(const Input& input);
// network.cpp
Verdict nic_placement(const Input& input);
Verdict weights_far(const Input& input);
// kubernetes.cpp
Verdict kubelet_nodes(const Input& input);

/// "gpu3".
std::string gpu_name(const topology::Gpu& gpu);
/// Whether the GPU works now; nullopt when nobody tells.
std::optional<bool> under_load(const topology::Gpu& gpu);
/// The same GPU in another sample: by PCI address, else by index. nullptr: it is not there.
const topology::Gpu* same_gpu(const Topology& topology, const topology::Gpu& gpu);
/// A setting of the system; "" when it is not known.
std::string setting(const Topology& topology, const std::string& key);
/// The NUMA nodes of the host: not those that are a GPU's memory.
topology::Bitset host_nodes(const Topology& topology);
/// "37 %".
std::string percent(double share);

}  // namespace aictl::doctor
