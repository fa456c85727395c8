// The middle of the picture: devices below the package they are near to, and the links between
// GPUs.
#pragma once

#include <vector>

#include "core/topology/view/picture/host.hpp"

namespace aictl::topology::view {

/// Draws a tray of devices under each package that has some (`packages` and `frames` go together;
/// fewer than two of them: one tray for all) and, below, the links between GPUs. Returns the lowest
/// y.
double draw_devices(Canvas& canvas, const Topology& topology,
                    const std::vector<const Object*>& packages, const std::vector<Frame>& frames);

/// Kinds of direct links between GPUs, in the order of the legend.
struct LinkKind {
  Level level;
  int count;
  Medium medium;
  std::optional<double> gbs;
  size_t pairs;
};
std::vector<LinkKind> link_kinds(const Topology& topology);
/// The most strands a direct link between two GPUs has; 0 without any.
int most_strands(const Topology& topology);

}  // namespace aictl::topology::view
