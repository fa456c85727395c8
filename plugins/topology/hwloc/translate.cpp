// libhwloc's tree as ours: parents before children; of an object's children memory first, then the
// normal ones, I/O and Misc, as in its XML.
#include <cstdlib>

#include <fmt/format.h>

#include "core/base/utf8.hpp"
#include "plugins/topology/hwloc/machine.hpp"

namespace aictl::hwloc {
namespace {

using topology::CacheType;
using topology::MemoryTier;
using topology::Object;
using topology::ObjectType;

// 15.7538 of a float is 15.753800392150879 as a double; the shortest text of the float is what was
// meant.
double as_written(float value) { return std::strtod(fmt::format("{}", value).c_str(), nullptr); }

std::string text_of(const char* text) { return text ? utf8::sanitize(text) : std::string(); }

int index_of(unsigned index) { return index > 0x7fffffff ? -1 : int(index); }

ObjectType type_of(hwloc_obj_type_t type) {
  switch (type) {
    case HWLOC_OBJ_PACKAGE:
      return ObjectType::kPackage;
    case HWLOC_OBJ_DIE:
      return ObjectType::kDie;
    case HWLOC_OBJ_GROUP:
      return ObjectType::kGroup;
    case HWLOC_OBJ_NUMANODE:
      return ObjectType::kNuma;
    case HWLOC_OBJ_MEMCACHE:
      return ObjectType::kMemCache;
    case HWLOC_OBJ_CORE:
      return ObjectType::kCore;
    case HWLOC_OBJ_PU:
      return ObjectType::kPu;
    case HWLOC_OBJ_BRIDGE:
      return ObjectType::kBridge;
    case HWLOC_OBJ_PCI_DEVICE:
      return ObjectType::kPci;
    case HWLOC_OBJ_OS_DEVICE:
      return ObjectType::kOsDevice;
    case HWLOC_OBJ_MISC:
      return ObjectType::kMisc;
    case HWLOC_OBJ_MACHINE:
      return ObjectType::kMachine;
    default:
      return ObjectType::kCache;  // the levels, data or unified, and instruction
  }
}

MemoryTier tier_of(hwloc_obj* node) {
  const std::string_view subtype = node->subtype ? node->subtype : "";
  const char* dax = hwloc_obj_get_info_by_name(node, "DAXType");
  if (subtype == "GPUMemory") return MemoryTier::kGpu;
  if (subtype == "HBM" || subtype == "MCDRAM") return MemoryTier::kHbm;
  if (subtype == "DRAM") return MemoryTier::kDram;
  if (subtype == "NVM") return MemoryTier::kNvm;
  if (subtype.starts_with("CXL")) return MemoryTier::kCxl;
  if (dax && std::string_view(dax) == "NVM") return MemoryTier::kNvm;
  return MemoryTier::kUnknown;
}

const char* word_of(hwloc_obj_osdev_type_t type) {
  switch (type) {
    case HWLOC_OBJ_OSDEV_BLOCK:
      return "block";
    case HWLOC_OBJ_OSDEV_GPU:
      return "gpu";
    case HWLOC_OBJ_OSDEV_NETWORK:
      return "network";
    case HWLOC_OBJ_OSDEV_OPENFABRICS:
      return "openfabrics";
    case HWLOC_OBJ_OSDEV_DMA:
      return "dma";
    case HWLOC_OBJ_OSDEV_COPROC:
      return "coproc";
  }
  return "";
}

void add_numa(hwloc_obj* from, Object& to) {
  const auto& node = from->attr->numanode;
  to.bytes = node.local_memory;
  for (unsigned i = 0; i < node.page_types_len; ++i)
    if (node.page_types[i].size != 0)
      to.pages.push_back({node.page_types[i].size, node.page_types[i].count});
  to.tier = tier_of(from);
}

void add_cache(const hwloc_obj* from, Object& to) {
  const auto& cache = from->attr->cache;
  to.level = int(cache.depth);
  to.bytes = cache.size;
  to.line_bytes = int(cache.linesize);
  to.ways = cache.associativity;
  if (cache.type == HWLOC_OBJ_CACHE_DATA) to.cache_type = CacheType::kData;
  if (cache.type == HWLOC_OBJ_CACHE_INSTRUCTION) to.cache_type = CacheType::kInstruction;
}

topology::PciFacts pci_of(const hwloc_obj_attr_u::hwloc_pcidev_attr_s& from) {
  topology::PciFacts pci;
  pci.address = {from.domain, from.bus, from.dev, from.func};
  pci.vendor = from.vendor_id;
  pci.device = from.device_id;
  pci.subvendor = from.subvendor_id;
  pci.subdevice = from.subdevice_id;
  pci.class_id = from.class_id;
  pci.revision = from.revision;
  pci.link_gbs = as_written(from.linkspeed);
  return pci;
}

void add_bridge(const hwloc_obj* from, Object& to) {
  const auto& bridge = from->attr->bridge;
  to.host_bridge = bridge.upstream_type == HWLOC_OBJ_BRIDGE_HOST;
  if (!to.host_bridge) to.pci = pci_of(bridge.upstream.pci);
  to.down_domain = bridge.downstream.pci.domain;
  to.down_bus_first = bridge.downstream.pci.secondary_bus;
  to.down_bus_last = bridge.downstream.pci.subordinate_bus;
}

Object object_of(hwloc_obj* from) {
  Object to;
  to.type = type_of(from->type);
  to.os_index = index_of(from->os_index);
  to.logical_index = index_of(from->logical_index);
  to.name = text_of(from->name);
  to.subtype = text_of(from->subtype);
  to.cpuset = to_bitset(from->cpuset);
  to.complete_cpuset = to_bitset(from->complete_cpuset);
  to.nodeset = to_bitset(from->nodeset);
  to.complete_nodeset = to_bitset(from->complete_nodeset);
  to.infos = to_infos(from->infos, from->infos_count);
  switch (to.type) {
    case ObjectType::kNuma:
      add_numa(from, to);
      break;
    case ObjectType::kCache:
    case ObjectType::kMemCache:
      add_cache(from, to);
      break;
    case ObjectType::kBridge:
      add_bridge(from, to);
      break;
    case ObjectType::kPci:
      to.pci = pci_of(from->attr->pcidev);
      break;
    case ObjectType::kOsDevice:
      to.os_type = word_of(from->attr->osdev.type);
      break;
    case ObjectType::kGroup:
      to.group_kind = index_of(from->attr->group.kind);
      to.group_subkind = index_of(from->attr->group.subkind);
      break;
    default:
      break;
  }
  return to;
}

// Depth first. A tree is as deep as the machine is nested, which normalise() bounds for files.
void add_objects(hwloc_obj* from, int parent, Topology& topology, Places& places) {
  const int place = int(topology.objects.size());
  topology.objects.push_back(object_of(from));
  topology.objects.back().parent = parent;
  places[from->gp_index] = place;
  for (hwloc_obj* first :
       {from->memory_first_child, from->first_child, from->io_first_child, from->misc_first_child})
    for (hwloc_obj* child = first; child; child = child->next_sibling)
      add_objects(child, place, topology, places);
}

}  // namespace

topology::Bitset to_bitset(hwloc_const_bitmap_t bitmap) {
  topology::Bitset set;
  if (!bitmap || hwloc_bitmap_weight(bitmap) < 0) return set;  // no set, or one without an end
  for (int i = hwloc_bitmap_first(bitmap); i >= 0; i = hwloc_bitmap_next(bitmap, i)) set.set(i);
  return set;
}

topology::Infos to_infos(const hwloc_info_s* infos, unsigned count) {
  topology::Infos list;
  for (unsigned i = 0; i < count; ++i)
    list.emplace_back(text_of(infos[i].name), text_of(infos[i].value));
  return list;
}

Topology translate(hwloc_topology* machine) {
  Topology topology;
  Places places;
  add_objects(hwloc_get_root_obj(machine), -1, topology, places);
  topology.complete_cpuset = to_bitset(hwloc_topology_get_complete_cpuset(machine));
  topology.allowed_cpuset = to_bitset(hwloc_topology_get_allowed_cpuset(machine));
  topology.allowed_nodeset = to_bitset(hwloc_topology_get_allowed_nodeset(machine));
  for (const auto& [name, value] : topology.objects[0].infos)
    if (name == "HostName") topology.hostname = value;
  add_cpu_kinds(machine, topology);
  add_distances(machine, places, topology);
  add_memory_attributes(machine, places, topology);
  return topology;
}

}  // namespace aictl::hwloc
