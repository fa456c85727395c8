#include "core/placement/plan/host.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace aictl::placement {

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
