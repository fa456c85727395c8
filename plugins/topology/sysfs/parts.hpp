// What the sysfs source looks at, a function a subject. Each adds to the topology what it can see
// and leaves alone what is there and what it cannot see.
#pragma once

#include "core/topology/topology.hpp"
#include "plugins/topology/sysfs/root.hpp"

namespace aictl::sysfs {

/// Limits of the control groups, v2 and v1, and what the kernel allows this process.
void look_at_limits(const Root& root, Topology& topology);
/// Kernel, DMI, hypervisor, command line, drivers.
void look_at_system(const Root& root, Topology& topology);
/// Online, isolated and offline CPUs, governors, hybrid cores.
void look_at_cpus(const Root& root, Topology& topology);
/// Huge pages, NUMA policies, memory modules, CXL and DAX memory.
void look_at_memory(const Root& root, Topology& topology);
/// Links, NUMA nodes and error counters of PCI functions.
void look_at_pci(const Root& root, Topology& topology);
/// GPUs of NVIDIA and AMD by what their kernel drivers show.
void look_at_gpus(const Root& root, Topology& topology);
/// Network interfaces and RDMA ports.
void look_at_nics(const Root& root, Topology& topology);
/// Disks.
void look_at_disks(const Root& root, Topology& topology);

/// The last PCI address in the path a link of /sys gives: the function a device hangs from.
std::optional<topology::PciAddress> last_pci(std::string_view path);
/// CPUs and NUMA nodes near the PCI function `address`: its local_cpulist, numa_node.
void fill_locality(const Root& root, const topology::PciAddress& address, topology::Bitset& cpuset,
                   topology::Bitset& nodeset);
/// The link of a PCI function by its files: speed, width, NUMA node.
topology::PciFacts pci_facts(const Root& root, const topology::PciAddress& address);
/// The bridge right above `address`; nullopt below a root complex.
std::optional<topology::PciAddress> bridge_above(const Root& root,
                                                 const topology::PciAddress& address);

/// Puts `value` under `key` of the settings unless it is empty or the key is taken.
void set_fact(Topology& topology, const std::string& key, std::string value);

}  // namespace aictl::sysfs
