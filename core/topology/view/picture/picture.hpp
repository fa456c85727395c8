// The machine as one self-contained picture: packages, memory, caches, cores, GPUs, network ports
// and disks with coloured links and a legend. Nothing is loaded from elsewhere.
#pragma once

#include <string>

#include "core/topology/topology.hpp"

namespace aictl::topology::view {

/// An SVG document.
std::string svg(const Topology& topology);

/// An HTML page: the picture, the tables below it, limits and warnings.
std::string html(const Topology& topology);

}  // namespace aictl::topology::view
