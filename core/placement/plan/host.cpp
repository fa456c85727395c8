#include "core/placement/plan/host.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/topology/bandwidth.hpp"

namespace aictl::placement {
namespace {

using topology::Disk;

// Assumed, where nobody measured: sequential reads in GB/s.
constexpr std::pair<std::string_view, double> kDiskGbs[] = {
    {"pmem", 6}, {"cxl", 10}, {"nvme", 5}, {"ssd", 0.5}, {"rotating", 0.2}, {"network", 1}};
constexpr double kUnknownDiskGbs = 1, kPcieShare = 0.85;

double disk_gbs(const Topology& topology, const Disk& disk) {
  double gbs = kUnknownDiskGbs;
  // A virtual disk calls itself rotating, whatever is behind it.
  const bool told = disk.kind != "rotating" || topology.system.hypervisor.empty();
  for (const auto& [kind, speed] : kDiskGbs)
    if (told && kind == disk.kind) gbs = speed;
  for (const topology::Object& object : topology.objects)  // no faster than its link
    if (disk.pci && object.type == topology::ObjectType::kPci && object.pci.address == *disk.pci &&
        object.pci.link_gbs > 0)
      gbs = std::min(gbs, object.pci.link_gbs * kPcieShare);
  return gbs;
}

WeightSource source_on(const Topology& topology, const Disk& disk) {
  WeightSource source;
  source.name = disk.name;
  source.gbs = disk_gbs(topology, disk);
  source.node = disk.nodeset.count() == 1 ? disk.nodeset.first() : -1;
  return source;
}

}  // namespace

Host::Host(const Topology& machine, const DeviceWishes& wishes, int hosts)
    : topology(machine),
      count(hosts),
      gpus(gpu_devices(machine, wishes)),
      nodes(cpu_devices(machine, wishes)),
      links(machine, gpus),
      fit(fit_mask()),
      free(fit),
      search(links, fit) {
  for (const Device& gpu : gpus) {
    if (gpu.gpu >= kMaxGpus || !(fit >> gpu.gpu & 1)) {
      notes.push_back(fmt::format("{} is left out: {}", gpu.name,
                                  !gpu.unfit.empty()    ? gpu.unfit
                                  : gpu.gpu >= kMaxGpus ? "64 GPUs a host are planned"
                                                        : "its memory is unknown"));
      continue;
    }
    const auto alike = std::ranges::find_if(kinds, [&](const std::vector<int>& kind) {
      return gpus[size_t(kind.front())].same_as(gpu);
    });
    if (alike == kinds.end())
      kinds.push_back({gpu.gpu});
    else
      alike->push_back(gpu.gpu);
  }
  if (!kinds.empty() && gpus[size_t(kinds[0][0])].source == "assumed")
    notes.push_back(fmt::format("nobody tells what {} is: taken for {}; --gpu names it",
                                gpus[size_t(kinds[0][0])].name, gpus[size_t(kinds[0][0])].model));
  if (!machine.system.hypervisor.empty() && !gpus.empty())
    notes.push_back("links and memory nodes are as the hypervisor reports them");
}

WeightSource Host::source_of(const ModelShape& shape) const {
  WeightSource source;
  source.name.clear();
  source.gbs = 0;
  const std::string wanted = shape.storage ? shape.storage->device : "";
  for (const Disk& disk : topology.disks) {
    if (!wanted.empty() && disk.name != wanted) continue;
    WeightSource one = source_on(topology, disk);
    if (one.gbs > source.gbs) source = std::move(one);
  }
  if (shape.storage) {
    const Storage& storage = *shape.storage;
    source.known = true;
    source.in_memory = storage.in_memory();
    if (storage.node) source.node = *storage.node;
    source.name = !storage.device.empty() ? storage.device : storage.filesystem;
    if (is_network(storage.filesystem)) source.gbs = 1, source.name = storage.filesystem;
  }
  if (source.gbs <= 0) source.gbs = kUnknownDiskGbs;
  if (source.name.empty()) source.name = "a disk";
  const auto available = topology.limits.memory_available ? topology.limits.memory_available
                                                          : topology::host_memory(topology);
  source.fits_memory = available.value_or(0) > shape.weight_bytes;
  return source;
}

GpuMask Host::far_from_disk(const ModelShape& shape) const {
  const WeightSource source = source_of(shape);
  GpuMask far = 0;
  if (source.node < 0 || source.in_memory) return far;
  for (const Device& gpu : gpus)
    if (gpu.gpu < kMaxGpus && gpu.node >= 0 && gpu.node != source.node)
      far |= GpuMask{1} << gpu.gpu;
  return far;
}

GpuMask Host::fit_mask() const {
  GpuMask mask = 0;
  for (const Device& gpu : gpus)
    if (gpu.unfit.empty() && gpu.memory > 0 && gpu.gpu < kMaxGpus) mask |= GpuMask{1} << gpu.gpu;
  return mask;
}

std::string signature(const Topology& topology) {
  std::string text;
  const auto add = [&](const auto&... parts) { ((text += fmt::format("{}|", parts)), ...); };
  for (const topology::Object& object : topology.objects) {
    const bool place = object.type == topology::ObjectType::kCore ||
                       object.type == topology::ObjectType::kPu ||
                       object.type == topology::ObjectType::kNuma;
    if (place)
      add(int(object.type), object.os_index, object.cpuset.hex(), object.bytes, int(object.tier));
  }
  for (const topology::Gpu& gpu : topology.gpus)
    add(gpu.index, gpu.model, gpu.memory_bytes.value_or(0), gpu.memory_reserved.value_or(0),
        gpu.memory_used.value_or(0), gpu.cpuset.hex(), gpu.nodeset.hex(), gpu.lost, gpu.mig_enabled,
        gpu.pcie_gbs.value_or(0));
  for (const topology::Link& link : topology.links)
    add(link.a, link.b, int(link.level), link.count, link.gbs.value_or(0));
  add(topology.allowed_cpuset.hex(), topology.limits.cpu_quota.value_or(0),
      topology.limits.memory_max.value_or(0));
  for (const topology::CpuKind& kind : topology.cpu_kinds) add(kind.efficiency, kind.cpuset.hex());
  return text;
}

}  // namespace aictl::placement
