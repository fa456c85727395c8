#include "plugins/topology/hwloc/hwloc.hpp"

#include "core/topology/xml/hwloc.hpp"
#include "plugins/topology/hwloc/machine.hpp"
#include "plugins/topology/hwloc/xml/normalise.hpp"

namespace aictl {

Result<void> HwlocSource::look(const Sight& sight, Topology& topology) const {
  if (!topology.objects.empty()) return {};
  auto machine = hwloc::load_machine(sight);
  if (!machine) return std::move(machine).error();
  Topology seen = hwloc::translate(machine->get());
  topology.objects = std::move(seen.objects);
  topology.complete_cpuset = std::move(seen.complete_cpuset);
  topology.allowed_cpuset = std::move(seen.allowed_cpuset);
  topology.allowed_nodeset = std::move(seen.allowed_nodeset);
  topology.cpu_kinds = std::move(seen.cpu_kinds);
  topology.distances = std::move(seen.distances);
  if (topology.hostname.empty()) topology.hostname = std::move(seen.hostname);
  topology.warnings.insert(topology.warnings.end(), seen.warnings.begin(), seen.warnings.end());
  return {};
}

bool HwlocSource::recognises(std::string_view bytes) const {
  return bytes.find("<topology") != bytes.npos || bytes.find("<root>") != bytes.npos;
}

Result<Topology> HwlocSource::import(std::string_view bytes, const Sight& sight) const {
  const auto xml = hwloc::normalise(bytes);
  if (!xml) return xml.error();
  auto machine = hwloc::load_xml(*xml, sight.disallowed);
  if (!machine) return std::move(machine).error();
  Topology topology = hwloc::translate(machine->get());
  topology.origin.source = "hwloc";
  if (auto taken = topology::take_infos(topology); !taken) return std::move(taken).error();
  return topology;
}

Result<std::optional<Topology>> HwlocSource::synthesise(const std::string& description) const {
  auto machine = hwloc::load_synthetic(description);
  if (!machine) return std::move(machine).error();
  Topology topology = hwloc::translate(machine->get());
  topology.origin.source = "hwloc";
  return std::optional(std::move(topology));
}

void add_hwloc_topology(Plugins& plugins) {
  plugins.topology.add("hwloc", "this machine by libhwloc, its XML, its synthetic descriptions",
                       [] { return std::make_unique<HwlocSource>(); });
}

}  // namespace aictl
