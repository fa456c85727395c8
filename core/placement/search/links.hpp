// How the GPUs of one host reach each other: the pairs as a table, the best ring through a group.
#pragma once

#include <cstdint>
#include <vector>

#include "core/placement/cost/collective.hpp"
#include "core/placement/cost/device.hpp"
#include "core/topology/topology.hpp"

namespace aictl::placement {

/// A set of GPUs of one host as bits, by index. Hosts have 64 at most.
using GpuMask = uint64_t;
inline constexpr int kMaxGpus = 64;

GpuMask mask_of(const std::vector<int>& gpus);
std::vector<int> gpus_of(GpuMask mask);

struct Pair {
  topology::Level level = topology::Level::kUnknown;
  int count = 0;
  int rank = 0;    // of the level: more is nearer; see topology::GroupKey
  double gbs = 0;  // raw, one direction
  bool p2p = false;
};

class LinkTable {
 public:
  LinkTable() = default;
  LinkTable(const Topology& topology, const std::vector<Device>& gpus);

  int size() const { return size_; }
  const Pair& at(int a, int b) const { return pairs_[size_t(a * size_ + b)]; }

  /// How the group is joined; for one GPU an empty fabric that costs nothing.
  Fabric fabric(GpuMask group) const;
  /// Effective GB/s of the slowest edge of the best ring: all rings up to 8 GPUs, else a greedy
  /// one. A way between sockets that a ring uses twice gives each use half.
  double ring_gbs(GpuMask group) const;
  /// NUMA domains the group spans.
  int domains(GpuMask group) const;
  /// Raw GB/s of a GPU's link to the host.
  double pcie_gbs(int gpu) const { return pcie_[size_t(gpu)]; }
  /// Distance of the nearest NIC, summed over the group; 0 where no NIC is known.
  int nic_distance(GpuMask group) const;

 private:
  double ring_of(const std::vector<int>& order) const;

  int size_ = 0;
  std::vector<Pair> pairs_;   // [n, n]
  std::vector<int> domains_;  // of each GPU
  std::vector<int> nic_;      // of each GPU
  std::vector<double> pcie_;  // of each GPU
};

}  // namespace aictl::placement
