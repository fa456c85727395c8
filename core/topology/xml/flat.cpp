#include "core/topology/xml/flat.hpp"

#include <map>

namespace aictl::topology {
namespace {

/// Objects of a type by number, each number once; no larger ones than a set can hold.
std::map<int, const Object*> numbered(const Topology& topology, ObjectType type) {
  std::map<int, const Object*> found;
  for (const Object* object : objects_of(topology, type))
    if (object->os_index >= 0 && object->os_index <= Bitset::kMaxIndex)
      found.emplace(object->os_index, object);
  return found;
}

Bitset only(int index) {
  Bitset set;
  set.set(index);
  return set;
}

bool is_io(const Object& object) {
  return object.type == ObjectType::kBridge || object.type == ObjectType::kPci ||
         object.type == ObjectType::kOsDevice;
}

Object child(ObjectType type, int index, const Object* like) {
  Object object;
  if (like) object = *like;
  if (!like) object.infos = {{kStandIn, "no such object is known; hwloc needs one"}};
  object.type = type;
  object.parent = 0;
  object.os_index = index;
  return object;
}

void place(Object& object, const Bitset& cpus, const Bitset& nodes) {
  object.cpuset = object.complete_cpuset = cpus;
  object.nodeset = object.complete_nodeset = nodes;
}

/// Devices keep what they hang from, unless that is no device.
void add_io(const Topology& from, Topology& to) {
  std::map<int, int> places;
  for (size_t i = 0; i < from.objects.size(); ++i) {
    if (!is_io(from.objects[i])) continue;
    const auto above = places.find(from.objects[i].parent);
    places[int(i)] = int(to.objects.size());
    to.objects.push_back(from.objects[i]);
    to.objects.back().parent = above == places.end() ? 0 : above->second;
  }
}

}  // namespace

Topology flattened(const Topology& topology) {
  Topology flat;
  Object& machine = flat.objects.emplace_back();
  if (!topology.objects.empty()) {
    machine.name = topology.objects[0].name;
    machine.infos = topology.objects[0].infos;
    machine.cpuset = topology.objects[0].cpuset;
  }
  auto processors = numbered(topology, ObjectType::kPu);
  auto nodes = numbered(topology, ObjectType::kNuma);
  if (processors.empty())  // numbers alone, of a source that knows no more
    for (int cpu : machine.cpuset.indexes()) processors.emplace(cpu, nullptr);
  if (processors.empty()) processors.emplace(0, nullptr);
  if (nodes.empty()) nodes.emplace(0, nullptr);

  Bitset cpus, nodeset;
  for (const auto& [index, object] : processors) cpus.set(index);
  for (const auto& [index, object] : nodes) nodeset.set(index);
  place(machine, cpus, nodeset);
  std::map<int, Bitset> near;  // memory nodes of each processor
  std::vector<Object> list;
  for (const auto& [index, object] : nodes) {
    list.push_back(child(ObjectType::kNuma, index, object));
    const Bitset own = object ? object->cpuset & cpus : cpus;
    place(list.back(), own, only(index));
    for (int cpu : own.indexes()) near[cpu].set(index);
  }
  for (const auto& [index, object] : processors) {
    list.push_back(child(ObjectType::kPu, index, object));
    place(list.back(), only(index), near[index]);
  }
  flat.objects.insert(flat.objects.end(), list.begin(), list.end());
  flat.complete_cpuset = flat.allowed_cpuset = cpus;
  flat.allowed_nodeset = nodeset;
  add_io(topology, flat);
  return flat;
}

}  // namespace aictl::topology
