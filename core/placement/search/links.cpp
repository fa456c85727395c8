#include "core/placement/search/links.hpp"

#include <algorithm>
#include <bit>
#include <map>
#include <string>

#include <fmt/format.h>

#include "core/topology/bandwidth.hpp"
#include "core/topology/groups.hpp"

namespace aictl::placement {
namespace {

using topology::Level;
using topology::rank_of;

constexpr double kDefaultPcieGbs = 31.5;  // generation 4, 16 lanes
constexpr double kUnknownGbs = 6;
constexpr int kExactRing = 8;

double pcie_of(const topology::Gpu& gpu) {
  if (gpu.pcie_gbs && *gpu.pcie_gbs > 0) return *gpu.pcie_gbs;
  if (gpu.pcie_max_generation && gpu.pcie_max_width)
    return topology::pcie_gbs(*gpu.pcie_max_generation, *gpu.pcie_max_width)
        .value_or(kDefaultPcieGbs);
  return kDefaultPcieGbs;
}

std::string cpu_model(const Topology& topology) {
  for (const topology::Object& object : topology.objects)
    for (const auto& [name, value] : object.infos)
      if (name == "CPUModel") return value;
  return "";
}

// What a link without a number gives.
double assumed_gbs(const Topology& topology, Level level, int a, int b) {
  const double pcie =
      std::min(pcie_of(topology.gpus[size_t(a)]), pcie_of(topology.gpus[size_t(b)]));
  if (level == Level::kSys) return std::min(pcie, topology::socket_gbs(cpu_model(topology)));
  return level == Level::kUnknown ? std::min(pcie, kUnknownGbs) : pcie;
}

double nvlink_gbs(const Device& device, int count) {
  const topology::GpuSpec* spec = topology::gpu_spec(device.model);
  return count * (spec && spec->nvlink_gbs > 0 ? spec->nvlink_gbs : 25.0);
}

int index_of(const std::string& name, const char* kind) {
  if (!name.starts_with(kind)) return -1;
  int value = 0;
  for (char c : name.substr(3)) {
    if (c < '0' || c > '9' || value > 100000) return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

}  // namespace

GpuMask mask_of(const std::vector<int>& gpus) {
  GpuMask mask = 0;
  for (int gpu : gpus) mask |= GpuMask{1} << gpu;
  return mask;
}

std::vector<int> gpus_of(GpuMask mask) {
  std::vector<int> gpus;
  for (; mask != 0; mask &= mask - 1) gpus.push_back(std::countr_zero(mask));
  return gpus;
}

LinkTable::LinkTable(const Topology& topology, const std::vector<Device>& gpus)
    : size_(std::min(int(gpus.size()), kMaxGpus)),
      pairs_(size_t(size_ * size_)),
      domains_(size_t(size_)),
      nic_(size_t(size_), 0) {
  for (int i = 0; i < size_; ++i) pcie_.push_back(pcie_of(topology.gpus[size_t(i)]));
  std::map<std::string, int> domains;
  for (int i = 0; i < size_; ++i) {
    const topology::Gpu& gpu = topology.gpus[size_t(i)];
    const std::string place =
        gpu.nodeset.empty() ? "cpus " + gpu.cpuset.list() : gpu.nodeset.list();
    domains_[size_t(i)] = domains.try_emplace(place, int(domains.size())).first->second;
  }
  for (const topology::Link& link : topology.links) {
    const int a = index_of(link.a, "gpu");
    if (a < 0 || a >= size_) continue;
    if (index_of(link.b, "nic") >= 0) {
      int& nearest = nic_[size_t(a)];
      const int distance = 6 - std::min(rank_of(link.level, 0), 5);
      nearest = nearest == 0 ? distance : std::min(nearest, distance);
    }
    const int b = index_of(link.b, "gpu");
    if (b < 0 || b >= size_ || a == b) continue;
    Pair pair{link.level, link.count, rank_of(link.level, link.count), 0, false};
    const bool direct = link.level == Level::kNv;
    pair.gbs = link.gbs && *link.gbs > 0 ? *link.gbs
               : direct                  ? nvlink_gbs(gpus[size_t(a)], link.count)
                                         : assumed_gbs(topology, link.level, a, b);
    pair.p2p = direct || !(gpus[size_t(a)].consumer || gpus[size_t(b)].consumer);
    pairs_[size_t(a * size_ + b)] = pairs_[size_t(b * size_ + a)] = pair;
  }
  for (int a = 0; a < size_; ++a)
    for (int b = 0; b < size_; ++b)
      if (Pair& pair = pairs_[size_t(a * size_ + b)]; a != b && pair.gbs <= 0)
        pair.gbs = kUnknownGbs;
}

double LinkTable::ring_of(const std::vector<int>& order) const {
  std::map<std::pair<int, int>, int> uses;  // of a way from one NUMA domain to another
  const size_t n = order.size();
  const auto way = [&](size_t i) {
    return std::pair{domains_[size_t(order[i])], domains_[size_t(order[(i + 1) % n])]};
  };
  for (size_t i = 0; i < n; ++i)
    if (at(order[i], order[(i + 1) % n]).level == Level::kSys) ++uses[way(i)];
  double slowest = 1e30;
  for (size_t i = 0; i < n; ++i) {
    const Pair& pair = at(order[i], order[(i + 1) % n]);
    const double gbs = effective_gbs(pair.gbs, pair.level == Level::kNv, pair.p2p);
    slowest = std::min(slowest, pair.level == Level::kSys ? gbs / std::max(1, uses[way(i)]) : gbs);
  }
  return slowest;
}

double LinkTable::ring_gbs(GpuMask group) const {
  std::vector<int> order = gpus_of(group);
  if (order.size() < 2) return 0;
  double least = 1e30, most = 0;
  bool sockets = false;
  for (size_t i = 0; i < order.size(); ++i)
    for (size_t j = i + 1; j < order.size(); ++j) {
      const Pair& pair = at(order[i], order[j]);
      const double gbs = effective_gbs(pair.gbs, pair.level == Level::kNv, pair.p2p);
      least = std::min(least, gbs), most = std::max(most, gbs);
      sockets |= pair.level == Level::kSys;
    }
  if (least == most && !sockets) return least;  // all rings are alike
  if (int(order.size()) > kExactRing) {         // nearest neighbour next
    for (size_t i = 1; i + 1 < order.size(); ++i) {
      const auto nearer = [&](int a, int b) {
        return at(order[i - 1], a).rank > at(order[i - 1], b).rank;
      };
      std::iter_swap(order.begin() + long(i),
                     std::min_element(order.begin() + long(i), order.end(), nearer));
    }
    return ring_of(order);
  }
  double best = 0;
  do {
    if (order.size() > 2 && order[1] > order.back()) continue;  // the same ring the other way round
    best = std::max(best, ring_of(order));
  } while (best < most && std::next_permutation(order.begin() + 1, order.end()));
  return best;
}

Fabric LinkTable::fabric(GpuMask group) const {
  Fabric fabric;
  const std::vector<int> gpus = gpus_of(group);
  if (gpus.size() < 2) return fabric;
  fabric.nvlink = fabric.p2p = true;
  fabric.pair_gbs = 1e30;
  int worst = 1 << 20;
  for (size_t i = 0; i < gpus.size(); ++i)
    for (size_t j = i + 1; j < gpus.size(); ++j) {
      const Pair& pair = at(gpus[i], gpus[j]);
      const bool direct = pair.level == Level::kNv;
      fabric.nvlink &= direct;
      fabric.p2p &= pair.p2p;
      fabric.pair_gbs = std::min(fabric.pair_gbs, effective_gbs(pair.gbs, direct, pair.p2p));
      if (pair.rank >= worst) continue;
      worst = pair.rank;
      fabric.worst = pair.level;
      fabric.worst_count = pair.count;
    }
  fabric.ring_gbs = ring_gbs(group);
  return fabric;
}

int LinkTable::domains(GpuMask group) const {
  uint64_t seen = 0;
  for (int gpu : gpus_of(group)) seen |= uint64_t{1} << domains_[size_t(gpu)];
  return std::popcount(seen);
}

int LinkTable::nic_distance(GpuMask group) const {
  int sum = 0;
  for (int gpu : gpus_of(group)) sum += nic_[size_t(gpu)];
  return sum;
}

}  // namespace aictl::placement
