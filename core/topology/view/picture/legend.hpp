// The foot of the picture: who reaches whom, as a square of colours, and what the colours mean.
#pragma once

#include "core/topology/view/picture/canvas.hpp"

namespace aictl::topology::view {

/// Draws it from `y` down; returns the lowest y.
double draw_foot(Canvas& canvas, const Topology& topology, double y);

}  // namespace aictl::topology::view
