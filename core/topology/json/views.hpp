// What people look for in the objects, as arrays of its own.
#pragma once

#include "core/topology/topology.hpp"
#include "core/value/json.hpp"

namespace aictl::topology {

/// How many there are of each type: package, die, group, numa, memcache, l3, l2, l1d, l1i, core,
/// pu, bridge, pcidev, osdev, misc.
Json counts_view(const Topology& topology);
/// {os, local_memory_bytes, cpuset, subtype?} a node.
Json numa_view(const Topology& topology);
/// {os, cpuset, model?} a package.
Json packages_view(const Topology& topology);
/// {name, type, subtype?, pci?, linkspeed_GBs?, local_cpuset, local_nodeset} an OS device.
Json osdevs_view(const Topology& topology);
/// "X", "PIX" to "SYS" for each pair of GPUs by the PCI tree alone; null where one has no address.
Json pcie_levels_view(const Topology& topology);

}  // namespace aictl::topology
