// Numbers of nodes: what a kubelet keeps, zones, which GPUs share a PCI Express root.
#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "core/platform/spec/names.hpp"
#include "core/topology/topology.hpp"
#include "plugins/renderers/cluster/refine.hpp"

namespace aictl::renderers {
namespace {

using topology::Object;
using topology::ObjectType;

// Groups of GPUs that share a root complex, by the links between them: the size of the widest.
int widest_root(const Topology& t) {
  std::vector<int> group(t.gpus.size());
  std::iota(group.begin(), group.end(), 0);
  for (size_t a = 0; a < t.gpus.size(); ++a) {
    for (size_t b = a + 1; b < t.gpus.size(); ++b) {
      const topology::Link* link = topology::find_link(t, fmt::format("gpu{}", t.gpus[a].index),
                                                       fmt::format("gpu{}", t.gpus[b].index));
      bool near =
          link && link->level >= topology::Level::kPix && link->level <= topology::Level::kPhb;
      if (const auto& one = t.gpus[a].pci, &two = t.gpus[b].pci;
          link && link->level == topology::Level::kNv && one && two)
        near = one->domain == two->domain && one->bus >> 4 == two->bus >> 4;
      if (!near) continue;
      const int from = group[b], to = group[a];
      for (int& each : group)
        if (each == from) each = to;
    }
  }
  int widest = t.gpus.empty() ? 0 : 1;
  for (const int each : group)
    widest = std::max<int>(widest, static_cast<int>(std::count(group.begin(), group.end(), each)));
  return widest;
}

// The most GPUs that are near one NUMA node; all of them where the machine tells of one node only.
int widest_node(const Topology& t) {
  int widest = 0;
  bool known = false;
  for (const Object* node : topology::objects_of(t, ObjectType::kNuma)) {
    if (node->tier == topology::MemoryTier::kGpu) continue;
    int here = 0;
    for (const topology::Gpu& gpu : t.gpus)
      here += gpu.nodeset.test(std::max(node->os_index, 0)) ? 1 : 0;
    known |= here > 0;
    widest = std::max(widest, here);
  }
  return known ? widest : static_cast<int>(t.gpus.size());
}

Json costs_of(const Topology& t, size_t row, size_t count) {
  for (const topology::Distances& d : t.distances)
    if (d.name == "NUMALatency" && d.labels.size() == count && d.values.size() == count * count) {
      Json costs = Json::array();
      for (size_t i = 0; i < count; ++i) costs.push_back(d.values[row * count + i]);
      return costs;
    }
  Json costs = Json::array();
  for (size_t i = 0; i < count; ++i) costs.push_back(i == row ? 10 : 20);
  return costs;
}

// The processing units of the first core: they are kept for the system.
topology::Bitset first_core(const Topology& t) {
  for (const Object* core : topology::objects_of(t, ObjectType::kCore))
    if (!core->cpuset.empty()) return core->cpuset;
  topology::Bitset first;
  first.set(0);
  return first;
}

// Zones: NUMA nodes with cores; those that are a GPU's memory are not the kubelet's.
Json zones_of(const Topology& t) {
  std::vector<const Object*> nodes;
  for (const Object* each : topology::objects_of(t, ObjectType::kNuma))
    if (each->tier != topology::MemoryTier::kGpu) nodes.push_back(each);
  Json zones = Json::array();
  for (size_t i = 0; i < nodes.size(); ++i) {
    const int id = std::max(nodes[i]->os_index, 0);
    int64_t gpus = 0;
    for (const topology::Gpu& gpu : t.gpus) gpus += gpu.nodeset.test(id) ? 1 : 0;
    const int64_t cpus = static_cast<int64_t>(nodes[i]->cpuset.count());
    const int64_t kept = (first_core(t) & nodes[i]->cpuset).count();
    constexpr uint64_t kGi = uint64_t{1} << 30;
    const uint64_t free = nodes[i]->bytes > kGi ? nodes[i]->bytes - kGi : 0;
    zones.push_back({{"id", id},
                     {"cpus", cpus},
                     {"cpus_free", std::max<int64_t>(cpus - kept, 0)},
                     {"memory", platform::memory_quantity(nodes[i]->bytes)},
                     {"memory_free", platform::memory_quantity(free)},
                     {"gpus", gpus},
                     {"costs", costs_of(t, i, nodes.size())}});
  }
  return zones;
}

void add_alike(const platform::PlannedPool& pool, int gpus, const std::string& attribute, Json& w) {
  w["alike"] = "";
  w["alike_why"] = "";
  w["alike_problem"] = "";
  if (gpus < 2) return;
  if (attribute == "none") return;
  const bool numa = attribute == "numaNode";
  const int widest = numa ? widest_node(pool.topology) : widest_root(pool.topology);
  const char* place = numa ? "NUMA node" : "PCI Express root";
  if (gpus <= widest) {
    w["alike"] = fmt::format("resource.kubernetes.io/{}", attribute);
    w["alike_why"] = numa ? fmt::format("{} GPUs share a node of {}; the driver has to publish it",
                                        widest, pool.source)
                          : fmt::format("{} GPUs share a root of {}", widest, pool.source);
    return;
  }
  w["alike_problem"] = fmt::format(
      "{}: {} GPUs on one {} are asked for and {} has at most {}: the claim is made without that "
      "wish",
      w["name"].get<std::string>(), gpus, place, pool.source, widest);
}

}  // namespace

Result<void> refine_topology(const platform::Cluster& cluster, Json& variables) {
  const auto& pools = cluster.plan().pools;
  for (size_t i = 0; i < pools.size(); ++i) {
    Json& pool = variables["pools"][i];
    const Topology& t = pools[i].topology;
    pool["numa"] = zones_of(t);
    pool["widest"] = widest_root(t);
    pool["host"] = t.hostname.empty() ? platform::slug(pools[i].name) : platform::slug(t.hostname);
    pool["reserved_cpus"] = first_core(t).list();
    const auto zones = static_cast<int64_t>(pool["numa"].size());
    pool["kube_reserved"] = fmt::format("{}Mi", 1024 * zones - 512);
  }
  for (Json& w : variables["workloads"]) {
    w["gpu_memory"] = "1Gi";
    const Workload* workload = cluster.plan().workload(w["name"].get<std::string>());
    for (const platform::PlannedPool& pool : pools) {
      if (pool.name != workload->pool && pools.size() > 1) continue;
      if (!pool.topology.gpus.empty() && pool.topology.gpus[0].memory_bytes)
        w["gpu_memory"] = platform::memory_quantity(*pool.topology.gpus[0].memory_bytes / 100 * 95);
      add_alike(pool, workload->resources.gpus, variables["knobs"]["attribute"].get<std::string>(),
                w);
    }
    if (!w.contains("alike")) add_alike(pools.front(), 0, "none", w);
  }
  return {};
}

}  // namespace aictl::renderers
