// A Topology as hwloc's XML of version 2: lstopo reads it, and the hwloc source reads it back
// equal.
#pragma once

#include <functional>
#include <string>

#include "core/base/result.hpp"
#include "core/topology/topology.hpp"

namespace aictl::topology {

/// Reads a text in hwloc's XML as the hwloc source does, before devices are joined.
using XmlReader = std::function<Result<Topology>(const std::string&)>;

/// The tree in hwloc's terms. What `read` does not find in that again (GPUs, links, limits,
/// machines that hwloc does not have, such as one of an nvidia-smi table) goes into infos of the
/// machine named "aictl.<key>", as JSON; restore() puts it back. A GPU's PCI function carries
/// "aictl.gpu" and "aictl.model" for people. Errors: those of `read` when it refuses even the
/// plainest form.
Result<std::string> to_hwloc_xml(const Topology& topology, const XmlReader& read);

}  // namespace aictl::topology
