// What libhwloc knows beside the tree: matrices, sorts of cores, speeds of memory.

#include <fmt/format.h>

#include "plugins/topology/hwloc/machine.hpp"

namespace aictl::hwloc {
namespace {

using topology::ObjectType;

std::string label_of(const hwloc_obj* object) {
  if (object->type == HWLOC_OBJ_OS_DEVICE) return object->name ? object->name : "";
  if (object->type == HWLOC_OBJ_PCI_DEVICE) {
    const auto& at = object->attr->pcidev;
    return "pci:" + topology::PciAddress{at.domain, at.bus, at.dev, at.func}.text();
  }
  return fmt::format(
      "{}:{}", hwloc_obj_type_string(object->type),
      object->os_index == HWLOC_UNKNOWN_INDEX ? object->logical_index : object->os_index);
}

std::optional<double> local_value(hwloc_topology* machine, hwloc_obj* node,
                                  std::initializer_list<hwloc_memattr_id_t> attributes) {
  hwloc_location from;
  from.type = HWLOC_LOCATION_TYPE_CPUSET;
  from.location.cpuset = node->cpuset;
  for (hwloc_memattr_id_t attribute : attributes) {
    hwloc_uint64_t value = 0;
    if (hwloc_memattr_get_value(machine, attribute, node, &from, 0, &value) == 0 && value > 0)
      return double(value);
  }
  return std::nullopt;
}

}  // namespace

void add_cpu_kinds(hwloc_topology* machine, Topology& topology) {
  const int count = hwloc_cpukinds_get_nr(machine, 0);
  const std::unique_ptr<hwloc_bitmap_s, void (*)(hwloc_bitmap_t)> set(hwloc_bitmap_alloc(),
                                                                      hwloc_bitmap_free);
  for (int i = 0; i < count; ++i) {
    topology::CpuKind kind;
    hwloc_info_s* infos = nullptr;
    unsigned infos_count = 0;
    if (hwloc_cpukinds_get_info(machine, unsigned(i), set.get(), &kind.efficiency, &infos_count,
                                &infos, 0) != 0)
      continue;
    kind.cpuset = to_bitset(set.get());
    kind.infos = to_infos(infos, infos_count);
    topology.cpu_kinds.push_back(std::move(kind));
  }
}

void add_distances(hwloc_topology* machine, const Places& places, Topology& topology) {
  unsigned count = 0;
  if (hwloc_distances_get(machine, &count, nullptr, 0, 0) != 0 || count == 0) return;
  std::vector<hwloc_distances_s*> matrices(count);
  if (hwloc_distances_get(machine, &count, matrices.data(), 0, 0) != 0) return;
  for (hwloc_distances_s* from : matrices) {
    topology::Distances to;
    const char* name = hwloc_distances_get_name(machine, from);
    to.name = name ? name : "";
    to.kind = int(from->kind);
    for (unsigned i = 0; i < from->nbobjs; ++i) {
      to.labels.push_back(label_of(from->objs[i]));
      to.objects.push_back(places.at(from->objs[i]->gp_index));
    }
    to.values.assign(from->values, from->values + size_t(from->nbobjs) * from->nbobjs);
    topology.distances.push_back(std::move(to));
    hwloc_distances_release(machine, from);
  }
}

void add_memory_attributes(hwloc_topology* machine, const Places& places, Topology& topology) {
  for (hwloc_obj* node = nullptr;
       (node = hwloc_get_next_obj_by_type(machine, HWLOC_OBJ_NUMANODE, node));) {
    if (hwloc_bitmap_iszero(node->cpuset)) continue;  // near to no processor
    topology::Object& object = topology.objects[size_t(places.at(node->gp_index))];
    const auto bandwidth =
        local_value(machine, node, {HWLOC_MEMATTR_ID_READ_BANDWIDTH, HWLOC_MEMATTR_ID_BANDWIDTH});
    if (bandwidth) object.read_gbs = *bandwidth * 1048576 / 1e9;  // MiB/s
    object.latency_ns =
        local_value(machine, node, {HWLOC_MEMATTR_ID_READ_LATENCY, HWLOC_MEMATTR_ID_LATENCY});
  }
}

}  // namespace aictl::hwloc
