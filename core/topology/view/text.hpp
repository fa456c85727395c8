// Views for a terminal: a Topology in, text out. Pure functions; every line ends with a newline.
#pragma once

#include <span>
#include <string>

#include "core/topology/topology.hpp"

namespace aictl::topology::view {

/// No line of `tree` is wider, and it never has more lines.
inline constexpr size_t kTreeWidth = 80, kTreeLines = 60;

/// The machine as a tree in which alike parts are folded ("16x core, 2 PU each"), then links
/// between GPUs, limits and warnings.
std::string tree(const Topology& topology);

/// Tables of packages and memory, GPUs, network ports and disks.
std::string table(const Topology& topology);

/// How the GPUs `gpus` (indexes) reach each other and the network ports, as `nvidia-smi topo -m`
/// writes it, then GB/s and a legend of the words used.
std::string matrix(const Topology& topology, std::span<const int> gpus);

}  // namespace aictl::topology::view
