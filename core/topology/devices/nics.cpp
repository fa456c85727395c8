// Network interfaces, RDMA devices and block devices of the tree become NICs and disks.
#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "core/topology/devices/locality.hpp"

namespace aictl::topology {
namespace {

constexpr uint16_t kInfinibandClass = 0x0207;

/// An RDMA device and the interfaces of its PCI function are one NIC, named by the former: that is
/// the name NCCL and nvidia-smi use.
class NicJoin {
 public:
  explicit NicJoin(Topology& topology) : topology_(topology) {
    for (size_t i = 0; i < topology.nics.size(); ++i) {
      const Nic& nic = topology.nics[i];
      if (nic.pci) by_address_.emplace(*nic.pci, i);
      by_name_.emplace(nic.name, i);
      for (const std::string& name : nic.names) by_name_.emplace(name, i);
    }
  }

  void add(int index) {
    const Object& object = topology_.objects[index];
    const Object* function = function_of(topology_, index);
    Nic& nic = find(object, function);
    const bool rdma = object.os_type == "openfabrics";
    if (nic.name.empty() || (rdma && !named_by_rdma_.contains(&nic - topology_.nics.data()))) {
      nic.name = object.name;
      if (rdma) named_by_rdma_.insert(&nic - topology_.nics.data());
    }
    if (std::find(nic.names.begin(), nic.names.end(), object.name) == nic.names.end())
      nic.names.push_back(object.name);
    const bool infiniband = function != nullptr ? function->pci.class_id == kInfinibandClass
                                                : rdma || object.name.starts_with("ib");
    if (nic.kind.empty()) nic.kind = infiniband ? "infiniband" : "ethernet";
    if (function != nullptr) {
      nic.pci = function->pci.address;
      nic.virtual_function = nic.virtual_function || function->pci.virtual_function;
    }
    const Place place = place_of(topology_, index);
    if (nic.cpuset.empty()) nic.cpuset = place.cpuset;
    if (nic.nodeset.empty()) nic.nodeset = place.nodeset;
  }

  /// PCI order, then the rest as they came; links follow.
  void number() {
    std::vector<size_t> order(topology_.nics.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      const auto& left = topology_.nics[a].pci;
      const auto& right = topology_.nics[b].pci;
      return left && (!right || *left < *right);
    });
    std::vector<Nic> sorted;
    std::vector<int> new_number(order.size());
    for (size_t i = 0; i < order.size(); ++i) {
      new_number[order[i]] = int(i);
      sorted.push_back(std::move(topology_.nics[order[i]]));
      std::sort(sorted.back().names.begin(), sorted.back().names.end());
    }
    topology_.nics = std::move(sorted);
    renumber_links(topology_, "nic", new_number);
  }

 private:
  Nic& find(const Object& object, const Object* function) {
    if (const auto known = by_name_.find(object.name); known != by_name_.end())
      return topology_.nics[known->second];
    const size_t next = topology_.nics.size();
    const auto [entry, added] = function != nullptr
                                    ? by_address_.try_emplace(function->pci.address, next)
                                    : std::pair{by_address_.end(), true};
    if (!added) return topology_.nics[entry->second];
    by_name_.emplace(object.name, next);
    return topology_.nics.emplace_back();
  }

  Topology& topology_;
  std::map<PciAddress, size_t> by_address_;
  std::map<std::string, size_t> by_name_;
  std::set<ptrdiff_t> named_by_rdma_;
};

/// The kind of a block device; empty when it is no disk.
std::string disk_kind(const Object& object) {
  if (object.subtype == "CXLMem") return "cxl";
  if (object.subtype == "NVM" || object.subtype == "SPM" || object.name.starts_with("pmem") ||
      object.name.starts_with("dax"))
    return "pmem";
  if (object.name.starts_with("nvme")) return "nvme";
  const bool removable = object.subtype == "Removable Media Device" || object.subtype == "Tape" ||
                         object.name.starts_with("sr");
  return removable ? "" : "disk";
}

}  // namespace

void join_nics(Topology& topology) {
  NicJoin join(topology);
  for (size_t i = 0; i < topology.objects.size(); ++i) {
    const Object& object = topology.objects[i];
    const bool nic = object.os_type == "network" || object.os_type == "openfabrics";
    if (object.type == ObjectType::kOsDevice && nic) join.add(int(i));
  }
  join.number();
}

void join_disks(Topology& topology) {
  std::set<std::string> known;
  for (const Disk& disk : topology.disks) known.insert(disk.name);
  for (size_t i = 0; i < topology.objects.size(); ++i) {
    const Object& object = topology.objects[i];
    if (object.type != ObjectType::kOsDevice || object.os_type != "block") continue;
    Disk disk;
    disk.kind = disk_kind(object);
    if (disk.kind.empty() || !known.insert(object.name).second) continue;
    disk.name = object.name;
    if (const Object* function = function_of(topology, int(i))) disk.pci = function->pci.address;
    Place place = place_of(topology, int(i));
    disk.cpuset = std::move(place.cpuset);
    disk.nodeset = std::move(place.nodeset);
    topology.disks.push_back(std::move(disk));
  }
}

}  // namespace aictl::topology
