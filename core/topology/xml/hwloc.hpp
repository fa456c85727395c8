// A Topology as hwloc's XML of version 2: lstopo reads it, and the hwloc source reads it back
// equal.
#pragma once

#include <string>

#include "core/base/result.hpp"
#include "core/topology/topology.hpp"

namespace aictl::topology {

/// The tree in hwloc's terms. What hwloc has no place for (GPUs, links, limits) goes into infos of
/// the machine named "aictl.<key>", as JSON; a GPU's PCI function carries "aictl.gpu" and
/// "aictl.model" for people. Errors: kUnsupported without processors or memory nodes, such as of an
/// nvidia-smi table: hwloc has no machines like that.
Result<std::string> to_hwloc_xml(const Topology& topology);

/// Takes the "aictl." infos out of the objects and puts what they say in its place. Errors:
/// kDataRefused naming the info.
Result<void> take_infos(Topology& topology);

}  // namespace aictl::topology
