#include "core/topology/cpusets/kinds.hpp"

#include <algorithm>
#include <charconv>

namespace aictl::topology {
namespace {

// Single cores that clock a little higher than their sisters are no kind of their own.
constexpr double kFastShare = 0.85;

double speed_of(const CpuKind& kind) {
  for (const std::string_view name : {"LinuxCapacity", "FrequencyMaxMHz"})
    for (const auto& [info, value] : kind.infos) {
      double speed = 0;
      std::from_chars(value.data(), value.data() + value.size(), speed);
      if (info == name && speed > 0) return speed;
    }
  return 0;
}

}  // namespace

Bitset economical_cpus(const Topology& topology) {
  double fastest = 0;
  int highest = -1;
  for (const CpuKind& kind : topology.cpu_kinds) {
    fastest = std::max(fastest, speed_of(kind));
    highest = std::max(highest, kind.efficiency);
  }
  Bitset slow;
  for (const CpuKind& kind : topology.cpu_kinds) {
    const double speed = speed_of(kind);
    const bool atom = std::ranges::any_of(
        kind.infos, [](const auto& info) { return info.second == "IntelAtom"; });
    const bool below = speed > 0 ? speed < kFastShare * fastest : kind.efficiency < highest;
    if (atom || below) slow = slow | kind.cpuset;
  }
  return slow;
}

std::string_view core_kind(const Topology& topology, const Bitset& cpus) {
  const Bitset slow = economical_cpus(topology);
  if (slow.empty()) return "";
  return slow.intersects(cpus) ? "efficiency" : "performance";
}

}  // namespace aictl::topology
