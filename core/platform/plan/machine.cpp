#include "core/platform/plan/machine.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/base/units.hpp"
#include "core/placement/cost/device.hpp"
#include "core/placement/cpu/cores.hpp"
#include "core/topology/bandwidth.hpp"

namespace aictl::platform {
namespace {

using topology::Bitset;
using topology::Object;
using topology::ObjectType;

constexpr double kDiskRate = 1e9, kNvmeRate = 2e9, kSsdRate = 0.5e9, kNetworkRate = 1.25e9;

// The words of a pool with their defaults.
struct Words {
  int cores, sockets, gpus;
  uint64_t memory;
  const topology::GpuSpec* gpu;
};

Words words_of(const NodePool& pool) {
  Words w{};
  w.gpu = pool.gpu.empty() ? nullptr : topology::gpu_spec(pool.gpu);
  w.gpus = w.gpu ? std::max(pool.gpus, 1) : 0;
  w.cores = pool.cpus > 0 ? pool.cpus : 8 + 8 * w.gpus;
  w.sockets = pool.sockets > 0 ? pool.sockets : w.gpus >= 4 || w.cores >= 32 ? 2 : 1;
  w.sockets = std::min(w.sockets, w.cores);
  const double gpu_bytes = w.gpu ? 2 * w.gpus * w.gpu->memory_gb * 1e9 : 0;
  const uint64_t gib = uint64_t{1} << 30;
  const uint64_t by_gpus = uint64_t(std::ceil(gpu_bytes / double(gib))) * gib;
  w.memory = pool.memory > 0 ? pool.memory : std::max(4 * gib * uint64_t(w.cores), by_gpus);
  return w;
}

Bitset range(int first, int count) {
  Bitset set;
  for (int i = first; i < first + count; ++i) set.set(i);
  return set;
}

Object object(ObjectType type, int parent, int index, const Bitset& cpus, const Bitset& nodes) {
  Object o;
  o.type = type;
  o.parent = parent;
  o.os_index = o.logical_index = index;
  o.cpuset = o.complete_cpuset = cpus;
  o.nodeset = o.complete_nodeset = nodes;
  return o;
}

void add_sockets(const Words& w, Topology& t) {
  const Bitset all = range(0, w.cores), nodes = range(0, w.sockets);
  t.objects.push_back(object(ObjectType::kMachine, -1, 0, all, nodes));
  t.complete_cpuset = t.allowed_cpuset = all;
  t.allowed_nodeset = nodes;
  for (int s = 0, core = 0; s < w.sockets; ++s) {
    const int count = w.cores / w.sockets + (s < w.cores % w.sockets ? 1 : 0);
    const Bitset cpus = range(core, count), node = range(s, 1);
    const int package = int(t.objects.size());
    t.objects.push_back(object(ObjectType::kPackage, 0, s, cpus, node));
    Object memory = object(ObjectType::kNuma, package, s, cpus, node);
    memory.bytes = w.memory / uint64_t(w.sockets);
    memory.tier = topology::MemoryTier::kDram;
    t.objects.push_back(std::move(memory));
    for (int i = 0; i < count; ++i, ++core) {
      const int parent = int(t.objects.size());
      t.objects.push_back(object(ObjectType::kCore, package, core, range(core, 1), node));
      t.objects.push_back(object(ObjectType::kPu, parent, core, range(core, 1), node));
    }
  }
}

// GPUs spread evenly over sockets; NVLinks join all of them, as a switch or a mesh does.
void add_gpus(const Words& w, Topology& t) {
  std::vector<Bitset> cpus;
  for (const Object* node : topology::objects_of(t, ObjectType::kNuma))
    cpus.push_back(node->cpuset);
  const auto socket_of = [&](int gpu) { return gpu * w.sockets / w.gpus; };
  for (int i = 0; i < w.gpus; ++i) {
    topology::Gpu gpu;
    gpu.index = i;
    gpu.vendor = w.gpu->name.starts_with("MI") ? "AMD" : "NVIDIA";
    gpu.model = w.gpu->name;
    gpu.memory_bytes = uint64_t(w.gpu->memory_gb * 1e9);
    gpu.nodeset = range(socket_of(i), 1);
    gpu.cpuset = cpus[size_t(socket_of(i))];
    if (w.gpu->memory_gbs > 0) gpu.memory_gbs = w.gpu->memory_gbs;
    t.gpus.push_back(std::move(gpu));
  }
  for (int a = 0; a < w.gpus; ++a)
    for (int b = a + 1; b < w.gpus; ++b) {
      topology::Link link;
      link.a = fmt::format("gpu{}", a), link.b = fmt::format("gpu{}", b);
      link.source = topology::LinkSource::kTable;
      link.note = "described in words";
      if (w.gpu->nvlinks > 0 && !w.gpu->consumer) {
        link.level = topology::Level::kNv;
        link.medium = topology::Medium::kNvlink;
        link.count = w.gpu->nvlinks;
        link.gbs = w.gpu->nvlinks * w.gpu->nvlink_gbs;
      } else {
        link.level = socket_of(a) == socket_of(b) ? topology::Level::kNode : topology::Level::kSys;
        link.gbs = topology::pcie_gbs(4, 16);
      }
      t.links.push_back(std::move(link));
    }
}

double network_rate(const Topology& topology) {
  double most = 0;
  for (const topology::Nic& nic : topology.nics)
    if (nic.gbs && nic.state != "down") most = std::max(most, *nic.gbs * 1e9);
  return most;
}

double disk_rate(const Topology& topology) {
  double most = 0;
  for (const topology::Disk& disk : topology.disks)
    most = std::max(most, disk.kind == "nvme" ? kNvmeRate : disk.kind == "ssd" ? kSsdRate : 0);
  return most;
}

std::string rate_text(double rate) { return fmt::format("{:.4g} GB/s", rate / 1e9); }

}  // namespace

Result<Topology> described_machine(const NodePool& pool) {
  const Words w = words_of(pool);
  if (!pool.gpu.empty() && !w.gpu)
    return Error{ErrorCode::kDataRefused, fmt::format("no GPU '{}' is known", pool.gpu),
                 "such as H100 SXM, A100 80 GB or L40S; topology: names a capture instead"};
  Topology t;
  t.origin = {"described", pool.name, false};
  t.hostname = pool.name;
  add_sockets(w, t);
  if (w.gpus > 0) add_gpus(w, t);
  return t;
}

std::string machine_words(const Topology& topology) {
  std::string words;
  const auto gpus = placement::gpu_devices(topology, {});
  if (!gpus.empty()) words = fmt::format("{} x {}, ", gpus.size(), gpus.front().model);
  const size_t cores = placement::usable_cores(topology, {}).size();
  words += fmt::format("{} core{}", cores, cores == 1 ? "" : "s");
  if (const auto memory = topology::host_memory(topology)) words += ", " + format_bytes(*memory);
  return words;
}

LoadRate load_rate(const Storage& storage, const Topology& topology) {
  const auto pick = [](uint64_t said, double seen, double assumed, std::string_view what) {
    if (said > 0) return std::pair(double(said), fmt::format("storage.{}_rate", what));
    if (seen > 0) return std::pair(seen, fmt::format("the machine's {}", what));
    return std::pair(assumed, fmt::format("{} assumed", what));
  };
  const auto disk = pick(storage.disk_rate, disk_rate(topology), kDiskRate, "disk");
  const auto network = pick(storage.network_rate, network_rate(topology), kNetworkRate, "network");
  const bool slow_disk = disk.first <= network.first;
  return {std::min(disk.first, network.first),
          fmt::format("min({} {}, {} {}) = {}", rate_text(disk.first), disk.second,
                      rate_text(network.first), network.second,
                      rate_text(slow_disk ? disk.first : network.first))};
}

}  // namespace aictl::platform
