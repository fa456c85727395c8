// NVLink, C2C and PCI Express levels between the GPUs of one driver.
#pragma once

#include <vector>

#include "core/topology/topology.hpp"
#include "plugins/topology/nvml/library.hpp"

namespace aictl::nvml {

/// A device that answers, and its place in Topology::gpus.
struct Seen {
  Device device;
  int gpu;
};

/// Fills the NVLink fields of the GPUs, and the links between them and to memory nodes.
void read_links(const Library& library, const std::vector<Seen>& seen,
                topology::Topology& topology);

}  // namespace aictl::nvml
