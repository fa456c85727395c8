#include "core/topology/json/views.hpp"

#include "core/topology/links/pcie.hpp"

namespace aictl::topology {
namespace {

std::string_view count_key(const Object& object) {
  switch (object.type) {
    case ObjectType::kMachine:
      return "";
    case ObjectType::kPci:
      return "pcidev";
    case ObjectType::kCache:
      if (object.level == 1) return object.cache_type == CacheType::kInstruction ? "l1i" : "l1d";
      if (object.cache_type == CacheType::kInstruction) return "";
      return object.level == 2 ? "l2" : object.level == 3 ? "l3" : "";
    default:
      return word(object.type);
  }
}

const std::string* info(const Object& object, std::string_view name) {
  for (const auto& [key, value] : object.infos)
    if (key == name) return &value;
  return nullptr;
}

}  // namespace

Json counts_view(const Topology& topology) {
  Json counts = Json::object();
  for (const char* key : {"package", "die", "group", "numa", "memcache", "l3", "l2", "l1d", "l1i",
                          "core", "pu", "bridge", "pcidev", "osdev", "misc"})
    counts[key] = 0;
  for (const Object& object : topology.objects)
    if (const std::string_view key = count_key(object); !key.empty())
      counts[std::string(key)] = counts[std::string(key)].get<int>() + 1;
  return counts;
}

Json numa_view(const Topology& topology) {
  Json list = Json::array();
  for (const Object* node : objects_of(topology, ObjectType::kNuma)) {
    Json row = {{"os", node->os_index},
                {"local_memory_bytes", node->bytes},
                {"cpuset", node->cpuset.list()}};
    if (!node->subtype.empty()) row["subtype"] = node->subtype;
    list.push_back(std::move(row));
  }
  return list;
}

Json packages_view(const Topology& topology) {
  Json list = Json::array();
  for (const Object* package : objects_of(topology, ObjectType::kPackage)) {
    Json row = {{"os", package->os_index}, {"cpuset", package->cpuset.list()}};
    if (const std::string* model = info(*package, "CPUModel")) row["model"] = *model;
    list.push_back(std::move(row));
  }
  return list;
}

Json osdevs_view(const Topology& topology) {
  Json list = Json::array();
  for (const Object* device : objects_of(topology, ObjectType::kOsDevice)) {
    Json row = {{"name", device->name}, {"type", device->os_type}};
    if (!device->subtype.empty()) row["subtype"] = device->subtype;
    const Object* above = device;
    bool placed = false;
    while (above->parent >= 0) {
      above = &topology.objects[size_t(above->parent)];
      if (above->type == ObjectType::kPci && !placed) {
        row["pci"] = above->pci.address.text();
        row["linkspeed_GBs"] = above->pci.link_gbs;
        placed = true;
      }
      const bool io = above->type == ObjectType::kPci || above->type == ObjectType::kBridge ||
                      above->type == ObjectType::kOsDevice;
      if (!io) break;
    }
    row["local_cpuset"] = above->cpuset.list();
    row["local_nodeset"] = above->nodeset.list();
    list.push_back(std::move(row));
  }
  return list;
}

Json pcie_levels_view(const Topology& topology) {
  const PcieTree tree(topology);
  Json rows = Json::array();
  for (const Gpu& a : topology.gpus) {
    Json row = Json::array();
    for (const Gpu& b : topology.gpus) {
      if (a.index == b.index)
        row.push_back("X");
      else if (a.pci && b.pci)
        row.push_back(word(tree.level(*a.pci, *b.pci)));
      else
        row.push_back(nullptr);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace aictl::topology
