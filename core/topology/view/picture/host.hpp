// The upper half of the picture: packages with their memory, caches and cores.
#pragma once

#include <vector>

#include "core/topology/view/outline.hpp"
#include "core/topology/view/picture/canvas.hpp"

namespace aictl::topology::view {

/// Where a box was drawn.
struct Frame {
  double x = 0, y = 0, width = 0, height = 0;
};

/// Draws the packages of `machine` (unfolded, without devices) from `y` down, and returns the frame
/// of each: one row of at most four, else a grid. A machine without packages is one box.
std::vector<Frame> draw_packages(Canvas& canvas, const Topology& topology, const Part& machine,
                                 double y);

}  // namespace aictl::topology::view
