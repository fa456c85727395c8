#include "plugins/topology/hwloc/hwloc.hpp"

#include <fmt/format.h>

#include "core/topology/xml/remainder.hpp"
#include "plugins/topology/hwloc/machine.hpp"
#include "plugins/topology/hwloc/xml/normalise.hpp"

namespace aictl {
namespace {

/// The machine's set in a normalised text, before what is not allowed is taken out of it.
topology::Bitset written_cpuset(std::string_view xml) {
  constexpr std::string_view kName = " cpuset=\"";
  const size_t start = xml.find(kName) + kName.size();
  const auto set = topology::Bitset::parse_hex(xml.substr(start, xml.find('"', start) - start));
  return set ? *set : topology::Bitset();
}

/// CPUs the machine has and nobody can use. Where the file keeps CPUs that are not allowed, those
/// it lacks are offline; else they may be either.
void note_offline(const topology::Bitset& written, Topology& topology) {
  const topology::Bitset gone = topology.complete_cpuset - written;
  if (gone.empty()) return;
  const bool keeps_all = !topology.allowed_cpuset.contains(written);
  topology.system.settings[keeps_all ? "offline_cpus" : "absent_cpus"] = gone.list();
}

}  // namespace

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
  const bool ours = xml->find(fmt::format("<info name=\"{}\"", topology::kOurs)) != xml->npos;
  auto machine = hwloc::load_xml(*xml, sight.disallowed || ours);
  if (!machine) return std::move(machine).error();
  Topology topology = hwloc::translate(machine->get());
  topology.origin.source = "hwloc";
  if (!ours) note_offline(written_cpuset(*xml), topology);
  if (auto restored = topology::restore(topology); !restored) return std::move(restored).error();
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
