// From the elements of an NCCL file to a Topology.
#pragma once

#include "core/topology/topology.hpp"
#include "plugins/topology/nccl/xml.hpp"

namespace aictl::nccl {

/// `system` is the root element. Errors: kDataRefused naming line, attribute and value.
Result<Topology> build_topology(const Element& system);

}  // namespace aictl::nccl
