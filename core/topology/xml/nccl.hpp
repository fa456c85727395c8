// The topology file of NCCL and RCCL (NCCL_TOPO_FILE), written from any machine.
#pragma once

#include <string>

#include "core/topology/topology.hpp"

namespace aictl::topology {

/// Memory nodes, the switches above GPUs and NICs, the devices, NVLink and XGMI. One <pci> stands
/// for a whole switch, as in NCCL's own dumps: root ports and downstream ports are left out. What
/// is not known is left out too, and NCCL finds it where it runs. Errors: kUnsupported when the
/// machine has no GPU with a PCI address.
Result<std::string> to_nccl_xml(const Topology& topology);

}  // namespace aictl::topology
