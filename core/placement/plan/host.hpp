// Host: a machine made ready for planning: devices, links, and what is taken so far.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/placement/cost/loading.hpp"
#include "core/placement/plan/plan.hpp"

namespace aictl::placement {

struct Host {
  Host(const Topology& topology, const DeviceWishes& wishes, int count);
  // `search` refers to `links`.
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  const Topology& topology;  // outlives the host
  int count;                 // of hosts that are alike
  std::vector<Device> gpus, nodes;
  LinkTable links;
  GpuMask fit = 0;                      // GPUs that can be used
  GpuMask free = 0;                     // of those, not taken yet
  std::vector<std::vector<int>> kinds;  // GPUs that are alike, by the first one's index
  GroupSearch search;
  std::vector<std::string> notes;

  /// Where a model's weights are read from: its own disk where that is known, else the fastest
  /// here.
  WeightSource source_of(const ModelShape& shape) const;
  /// GPUs on another memory node than the disk they come from; none where the page cache has them.
  GpuMask far_from_disk(const ModelShape& shape) const;

 private:
  GpuMask fit_mask() const;
};

/// What the planner sees of a machine, as text: equal for hosts that get the same plan.
std::string signature(const Topology& topology);

}  // namespace aictl::placement
