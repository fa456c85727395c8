// A machine put together by hand: memory nodes, bridges, functions, OS devices.
#pragma once

#include <string>

#include "core/topology/topology.hpp"

namespace aictl::topology {

class MadeMachine {
 public:
  /// `nodes` memory nodes of eight CPUs each, a package around each of them.
  explicit MadeMachine(int nodes) {
    topology.objects.emplace_back();
    for (int i = 0; i < nodes; ++i) {
      Object package;
      package.type = ObjectType::kPackage;
      package.parent = 0;
      package.os_index = i;
      for (int cpu = 0; cpu < 8; ++cpu) package.cpuset.set(i * 8 + cpu);
      package.nodeset.set(i);
      packages_.push_back(add(package));
      Object memory = package;
      memory.type = ObjectType::kNuma;
      memory.parent = packages_.back();
      memory.bytes = uint64_t{1} << 30;
      add(memory);
      topology.objects[0].cpuset = topology.objects[0].cpuset | package.cpuset;
      topology.objects[0].nodeset = topology.objects[0].nodeset | package.nodeset;
    }
  }

  int host_bridge(int node) {
    Object bridge;
    bridge.type = ObjectType::kBridge;
    bridge.host_bridge = true;
    bridge.parent = node < 0 ? 0 : packages_[size_t(node)];
    return add(bridge);
  }

  int bridge(int parent, const char* address, double gbs = 0) {
    return function(ObjectType::kBridge, parent, address, 0, 0x0604, gbs);
  }
  int pci(int parent, const char* address, uint16_t vendor, uint16_t class_id, double gbs = 0) {
    return function(ObjectType::kPci, parent, address, vendor, class_id, gbs);
  }
  int nvidia(int parent, const char* address, double gbs = 0) {
    return pci(parent, address, 0x10de, 0x0302, gbs);
  }

  Object& os_device(int parent, const char* name, const char* type, const char* subtype = "") {
    Object device;
    device.type = ObjectType::kOsDevice;
    device.parent = parent;
    device.name = name;
    device.os_type = type;
    device.subtype = subtype;
    return topology.objects[size_t(add(device))];
  }

  Topology topology;

 private:
  int add(Object object) {
    topology.objects.push_back(std::move(object));
    return int(topology.objects.size()) - 1;
  }
  int function(ObjectType type, int parent, const char* address, uint16_t vendor, uint16_t class_id,
               double gbs) {
    Object object;
    object.type = type;
    object.parent = parent;
    object.pci.address = *PciAddress::parse(address);
    object.pci.vendor = vendor;
    object.pci.class_id = class_id;
    object.pci.link_gbs = gbs;
    return add(object);
  }

  std::vector<int> packages_;
};

}  // namespace aictl::topology
