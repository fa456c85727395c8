#include "tests/unit/core/placement/machines.hpp"

#include <fmt/format.h>

#include "core/value/json.hpp"

namespace aictl::placement {
namespace {

using topology::Level;
using topology::ObjectType;

topology::Object object(ObjectType type, int parent, int os_index, const topology::Bitset& cpus) {
  topology::Object made;
  made.type = type;
  made.parent = parent;
  made.os_index = made.logical_index = os_index;
  made.cpuset = made.complete_cpuset = cpus;
  return made;
}

}  // namespace

Topology cpu_machine(int nodes, int cores_a_node, uint64_t memory) {
  Topology machine;
  const int cores = nodes * cores_a_node;
  topology::Bitset all;
  for (int i = 0; i < 2 * cores; ++i) all.set(i);
  machine.objects.push_back(object(ObjectType::kMachine, -1, 0, all));
  machine.allowed_cpuset = machine.complete_cpuset = all;
  for (int node = 0; node < nodes; ++node) {
    topology::Bitset near;
    for (int core = node * cores_a_node; core < (node + 1) * cores_a_node; ++core)
      near.set(core), near.set(core + cores);
    topology::Object memory_node = object(ObjectType::kNuma, 0, node, near);
    memory_node.bytes = memory;
    memory_node.tier = topology::MemoryTier::kDram;
    machine.objects.push_back(memory_node);
    for (int core = node * cores_a_node; core < (node + 1) * cores_a_node; ++core) {
      topology::Bitset pus;
      pus.set(core), pus.set(core + cores);
      machine.objects.push_back(object(ObjectType::kCore, 0, core, pus));
    }
    machine.allowed_nodeset.set(node);
  }
  return machine;
}

topology::Link link_of(int a, int b, const std::string& word) {
  topology::Link link;
  link.a = fmt::format("gpu{}", a);
  link.b = fmt::format("gpu{}", b);
  if (word.starts_with("NV")) {
    link.level = Level::kNv;
    link.count = std::stoi(word.substr(2));
    link.medium = topology::Medium::kNvlink;
    return link;
  }
  for (const Level level : {Level::kPix, Level::kPxb, Level::kPhb, Level::kNode, Level::kSys})
    if (topology::word(level) == word) link.level = level;
  return link;
}

Topology gpu_machine(int gpus, const std::string& model, int nodes,
                     const std::function<topology::Link(int, int)>& link) {
  Topology machine = cpu_machine(nodes, 16, uint64_t{256} << 30);
  const auto numa = topology::objects_of(machine, ObjectType::kNuma);
  std::vector<topology::Bitset> near;
  for (const topology::Object* node : numa) near.push_back(node->cpuset);
  for (int i = 0; i < gpus; ++i) {
    topology::Gpu gpu;
    gpu.index = i;
    gpu.model = model;
    gpu.uuid = fmt::format("GPU-{:08x}", i);
    gpu.cpuset = near[size_t(i * nodes / gpus)];
    gpu.nodeset.set(i * nodes / gpus);
    machine.gpus.push_back(gpu);
    for (int j = 0; j < i; ++j) machine.links.push_back(link(j, i));
  }
  return machine;
}

Topology two_islands(const std::string& model) {
  return gpu_machine(8, model, 2,
                     [](int a, int b) { return link_of(a, b, a / 4 == b / 4 ? "NODE" : "SYS"); });
}

Topology switched(const std::string& model) {
  return gpu_machine(16, model, 2, [](int a, int b) { return link_of(a, b, "NV6"); });
}

Topology from_matrix(const std::string& expected_json) {
  const auto tree = parse_json(expected_json);
  const Json& links = (*tree)["gpu_links"];
  Topology machine;
  for (size_t i = 0; i < links.size(); ++i) {
    topology::Gpu gpu;
    gpu.index = int(i);
    const Json& row = (*tree)["gpu"][i];
    if (row["cpu_affinity"].is_string())
      if (auto set = topology::Bitset::parse_list(row["cpu_affinity"].get<std::string>()))
        gpu.cpuset = *set;
    if (row["numa_affinity"].is_string())
      if (auto set = topology::Bitset::parse_list(row["numa_affinity"].get<std::string>()))
        gpu.nodeset = *set;
    machine.gpus.push_back(gpu);
    for (size_t j = 0; j < i; ++j)
      machine.links.push_back(link_of(int(j), int(i), links[i][j].get<std::string>()));
  }
  return machine;
}

}  // namespace aictl::placement
