// CPUs: which are there, which are kept apart, how they are clocked, and of what kind they are.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "plugins/topology/sysfs/parts.hpp"

namespace aictl::sysfs {
namespace {

using topology::Bitset;
using topology::CpuKind;

constexpr std::string_view kCpus = "sys/devices/system/cpu/";
constexpr int kMaxCpus = 8192;

/// CPUs by the word each has in `file`, such as its governor.
std::map<std::string, Bitset> cpus_by_word(const Root& root, const Bitset& cpus,
                                           const std::string& file) {
  std::map<std::string, Bitset> found;
  int seen = 0;
  for (const int cpu : cpus.indexes()) {
    if (++seen > kMaxCpus) break;
    const std::string word = root.word(fmt::format("{}cpu{}/{}", kCpus, cpu, file));
    if (!word.empty()) found[word].set(cpu);
  }
  return found;
}

/// "performance", or "performance 0-7, powersave 8-15".
std::string one_or_each(const std::map<std::string, Bitset>& words) {
  if (words.size() == 1) return words.begin()->first;
  std::string text;
  for (const auto& [word, cpus] : words)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", word, cpus.list());
  return text;
}

void add_kind(Topology& topology, int efficiency, const Bitset& cpus, std::string_view key,
              std::string value) {
  if (cpus.empty()) return;
  topology.cpu_kinds.push_back({efficiency, cpus, {{std::string(key), std::move(value)}}});
}

/// Names the kinds that are known already, or adds them.
void name_kinds(Topology& topology, const Bitset& performance, const Bitset& economical) {
  if (topology.cpu_kinds.empty()) {
    add_kind(topology, 0, economical, "CoreType", "IntelAtom");
    add_kind(topology, 1, performance, "CoreType", "IntelCore");
    return;
  }
  for (CpuKind& kind : topology.cpu_kinds) {
    const bool named = std::any_of(kind.infos.begin(), kind.infos.end(),
                                   [](const auto& info) { return info.first == "CoreType"; });
    if (named || kind.cpuset.empty()) continue;
    if (performance.contains(kind.cpuset)) kind.infos.emplace_back("CoreType", "IntelCore");
    if (economical.contains(kind.cpuset)) kind.infos.emplace_back("CoreType", "IntelAtom");
  }
}

/// Arm: the scheduler's own measure of each CPU, 1024 for the fastest.
void kinds_by_capacity(const Root& root, const Bitset& cpus, Topology& topology) {
  std::map<int64_t, Bitset> kinds;
  for (const auto& [word, set] : cpus_by_word(root, cpus, "cpu_capacity"))
    if (const auto capacity = parse_number(word)) kinds[*capacity] = kinds[*capacity] | set;
  if (kinds.size() < 2) return;
  int efficiency = 0;
  for (const auto& [capacity, set] : kinds)
    add_kind(topology, efficiency++, set, "LinuxCapacity", fmt::format("{}", capacity));
}

void look_at_kinds(const Root& root, const Bitset& online, Topology& topology) {
  const auto performance = root.set("sys/devices/cpu_core/cpus");
  const auto economical = root.set("sys/devices/cpu_atom/cpus");
  if (performance && economical)
    name_kinds(topology, *performance, *economical);
  else if (topology.cpu_kinds.empty())
    kinds_by_capacity(root, online, topology);
}

}  // namespace

void look_at_cpus(const Root& root, Topology& topology) {
  const std::string folder(kCpus);
  for (const auto& [key, file] : {std::pair("online_cpus", "online"),
                                  {"offline_cpus", "offline"},
                                  {"isolated_cpus", "isolated"},
                                  {"nohz_full_cpus", "nohz_full"}})
    if (const auto set = root.set(folder + file)) set_fact(topology, key, set->list());
  set_fact(topology, "smt", root.word(folder + "smt/control"));

  Bitset online = root.set(folder + "online").value_or(Bitset());
  if (online.empty()) online = topology.allowed_cpuset;
  set_fact(topology, "governor",
           one_or_each(cpus_by_word(root, online, "cpufreq/scaling_governor")));
  if (online.empty()) return;
  const std::string first = fmt::format("{}cpu{}/cpufreq/", kCpus, online.first());
  set_fact(topology, "scaling_driver", root.word(first + "scaling_driver"));
  set_fact(topology, "energy_performance",
           one_or_each(cpus_by_word(root, online, "cpufreq/energy_performance_preference")));
  look_at_kinds(root, online, topology);
}

}  // namespace aictl::sysfs
