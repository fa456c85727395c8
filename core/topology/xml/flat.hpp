// Machines that hwloc cannot have, made into one that it can.
#pragma once

#include "core/topology/topology.hpp"

namespace aictl::topology {

/// The info of an object that is there because hwloc needs one of its kind.
inline constexpr const char* kStandIn = "aictl.stand_in";

/// The memory nodes, processors and I/O devices of `topology` right below the machine; one of each
/// kind that hwloc needs and there is none of, with an info kStandIn. The rest is left out.
Topology flattened(const Topology& topology);

}  // namespace aictl::topology
