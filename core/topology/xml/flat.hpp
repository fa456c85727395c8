// Machines that hwloc cannot have, made into one that it can.
#pragma once

#include "core/topology/topology.hpp"

namespace aictl::topology {

/// The memory nodes, processors and I/O devices of `topology` right below the machine; one of each
/// kind that hwloc needs and there is none of, with an info "aictl.stand_in". The rest is left out.
Topology flattened(const Topology& topology);

}  // namespace aictl::topology
