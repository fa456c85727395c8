#include <algorithm>
#include <cctype>
#include <map>

#include <fmt/format.h>

#include "core/topology/view/export/export.hpp"

namespace aictl::topology::view {
namespace {

/// A legal name of an object: lower-case letters, digits, dashes and dots.
std::string object_name(const std::string& hostname) {
  std::string name;
  for (const unsigned char c : hostname.substr(0, 253)) {
    const bool legal = std::isalnum(c) || c == '-' || c == '.';
    name += legal && c < 0x80 ? char(std::tolower(c)) : '-';
  }
  const auto edge = [](char c) { return c == '-' || c == '.'; };
  while (!name.empty() && edge(name.back())) name.pop_back();
  while (!name.empty() && edge(name.front())) name.erase(0, 1);
  return name.empty() ? "node" : name;
}

std::string zone_name(int node) { return fmt::format("node-{}", node); }

Json resource(std::string_view name, uint64_t capacity, uint64_t usable) {
  return {{"name", name},
          {"capacity", std::to_string(capacity)},
          {"allocatable", std::to_string(usable)},
          {"available", std::to_string(usable)}};
}

std::string huge_page_name(uint64_t bytes) {
  return bytes % (1 << 30) == 0   ? fmt::format("hugepages-{}Gi", bytes >> 30)
         : bytes % (1 << 20) == 0 ? fmt::format("hugepages-{}Mi", bytes >> 20)
                                  : fmt::format("hugepages-{}Ki", bytes >> 10);
}

std::string gpu_resource(const Gpu& gpu) {
  if (gpu.vendor == "AMD") return "amd.com/gpu";
  return gpu.vendor == "Intel" ? "gpu.intel.com/i915" : "nvidia.com/gpu";
}

Json resources_of(const Topology& topology, const Object& node) {
  const auto cpus =
      uint64_t(node.complete_cpuset.empty() ? node.cpuset.count() : node.complete_cpuset.count());
  const Bitset usable =
      topology.allowed_cpuset.empty() ? node.cpuset : node.cpuset & topology.allowed_cpuset;
  Json list = Json::array();
  list.push_back(resource("cpu", cpus, uint64_t(usable.count())));
  uint64_t huge = 0;
  Json pages = Json::array();
  for (const PageSize& page : node.pages) {
    if (page.bytes <= 65536 || page.count == 0) continue;  // the ordinary ones
    huge += page.bytes * page.count;
    pages.push_back(
        resource(huge_page_name(page.bytes), page.bytes * page.count, page.bytes * page.count));
  }
  if (node.bytes > 0)
    list.push_back(resource("memory", node.bytes, node.bytes - std::min(huge, node.bytes)));
  for (Json& page : pages) list.push_back(std::move(page));
  std::map<std::string, uint64_t> gpus;
  for (const Gpu& gpu : topology.gpus)
    if (gpu.nodeset.first() == node.os_index) ++gpus[gpu_resource(gpu)];
  for (const auto& [name, count] : gpus) list.push_back(resource(name, count, count));
  return list;
}

/// Distances from `node` to every host node, where a matrix between nodes is known.
Json costs_of(const Topology& topology, const Object& node, const Bitset& hosts) {
  Json costs = Json::array();
  const std::string own = fmt::format("NUMANode:{}", node.os_index);
  for (const Distances& matrix : topology.distances) {
    const auto& labels = matrix.labels;
    const auto row = std::find(labels.begin(), labels.end(), own);
    if (row == labels.end() || matrix.values.size() != labels.size() * labels.size()) continue;
    for (const int other : hosts.indexes()) {
      const auto column =
          std::find(labels.begin(), labels.end(), fmt::format("NUMANode:{}", other));
      if (column == labels.end()) continue;
      const size_t at =
          size_t(row - labels.begin()) * labels.size() + size_t(column - labels.begin());
      costs.push_back({{"name", zone_name(other)}, {"value", matrix.values[at]}});
    }
    break;
  }
  return costs;
}

}  // namespace

Json node_resource_topology(const Topology& topology) {
  Bitset hosts;
  std::vector<const Object*> nodes;
  for (const Object* node : objects_of(topology, ObjectType::kNuma))
    if (node->tier != MemoryTier::kGpu && node->os_index >= 0) {
      hosts.set(node->os_index);
      nodes.push_back(node);
    }
  Json zones = Json::array();
  for (const Object* node : nodes) {
    Json zone = {{"name", zone_name(node->os_index)}, {"type", "Node"}};
    if (Json costs = costs_of(topology, *node, hosts); !costs.empty())
      zone["costs"] = std::move(costs);
    if (node->tier != MemoryTier::kUnknown)
      zone["attributes"] = Json::array({{{"name", "memoryTier"}, {"value", word(node->tier)}}});
    zone["resources"] = resources_of(topology, *node);
    zones.push_back(std::move(zone));
  }
  return {{"apiVersion", "topology.node.k8s.io/v1alpha2"},
          {"kind", "NodeResourceTopology"},
          {"metadata", {{"name", object_name(topology.hostname)}}},
          {"zones", std::move(zones)}};
}

}  // namespace aictl::topology::view
