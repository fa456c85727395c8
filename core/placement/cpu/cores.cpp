#include "core/placement/cpu/cores.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/topology/cpusets/kinds.hpp"

namespace aictl::placement {
namespace {

using topology::Bitset;
using topology::ObjectType;

Bitset isolated_cpus(const Topology& topology) {
  const auto at = topology.system.settings.find("isolated");
  if (at == topology.system.settings.end()) return {};
  auto set = Bitset::parse_list(at->second);
  return set ? *std::move(set) : Bitset();
}

// The node of least CPUs that has the core: nested nodes are rare, memory beside the same cores
// not.
int node_of(const std::vector<const topology::Object*>& nodes, const Bitset& pus) {
  const topology::Object* nearest = nullptr;
  for (const topology::Object* node : nodes)
    if (node->tier != topology::MemoryTier::kGpu && node->cpuset.intersects(pus) &&
        (!nearest || node->cpuset.count() < nearest->cpuset.count()))
      nearest = node;
  return nearest ? nearest->os_index : -1;
}

// Every core in `allowed`, of any kind.
std::vector<PhysicalCore> cores_in(const Topology& topology, const Bitset& allowed) {
  std::vector<PhysicalCore> cores;
  const auto nodes = topology::objects_of(topology, ObjectType::kNuma);
  const Bitset slow = topology::economical_cpus(topology);
  Bitset seen;
  for (const ObjectType type : {ObjectType::kCore, ObjectType::kPu})
    for (const topology::Object* object : topology::objects_of(topology, type)) {
      const Bitset pus = (object->cpuset & allowed) - seen;
      if (pus.empty()) continue;
      seen = seen | object->cpuset;
      cores.push_back({pus, slow.intersects(pus), node_of(nodes, pus)});
    }
  return cores;
}

// As many as the quota pays for.
int paid_for(const Topology& topology, int cores) {
  const auto quota = topology.limits.cpu_quota;
  if (!quota || *quota <= 0) return cores;
  return std::min(cores, std::max(1, int(std::floor(*quota + 0.01))));
}

std::string plural(int count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string explain(const Topology& topology, const ThreadChoice& choice, int all, int paid) {
  const int threads = int(choice.cpus.size());
  std::string text = fmt::format("{} on {} of {}", plural(threads, "thread"),
                                 std::min(threads, choice.cores), plural(all, "physical core"));
  if (choice.cores < all)
    text += fmt::format(", performance cores only ({} slower left out)", all - choice.cores);
  if (paid < choice.cores)
    text += fmt::format(", {:.1f} CPUs of quota", *topology.limits.cpu_quota);
  const int visible = topology.complete_cpuset.count();
  const int allowed = allowed_cpus(topology).count();
  if (visible > allowed) text += fmt::format(", {} of {} CPUs allowed", allowed, visible);
  Bitset bound;
  for (int cpu : choice.cpus) bound.set(cpu);
  text += fmt::format("; CPUs {}", bound.list());
  if (!choice.nodes.empty())
    text += fmt::format(", memory {} {}", choice.nodes.count() == 1 ? "node" : "nodes",
                        choice.nodes.list());
  if (choice.crowded) text += "; more threads than cores: they share";
  return text;
}

}  // namespace

Bitset allowed_cpus(const Topology& topology) {
  Bitset allowed = topology.allowed_cpuset;
  if (allowed.empty())
    for (const topology::Object* pu : topology::objects_of(topology, ObjectType::kPu))
      allowed = allowed | pu->cpuset;
  if (topology.limits.cpuset) allowed = allowed & *topology.limits.cpuset;
  if (topology.limits.affinity) allowed = allowed & *topology.limits.affinity;
  return allowed;
}

std::vector<PhysicalCore> usable_cores(const Topology& topology, const Bitset& within) {
  Bitset allowed = allowed_cpus(topology);
  if (!within.empty()) allowed = allowed & within;
  const Bitset open = allowed - isolated_cpus(topology);
  std::vector<PhysicalCore> cores = cores_in(topology, open.empty() ? allowed : open);
  std::vector<PhysicalCore> fast;
  for (const PhysicalCore& core : cores)
    if (!core.slow) fast.push_back(core);
  if (!fast.empty()) return fast;
  // A part of slow cores only offers none while another part has fast ones.
  const bool elsewhere =
      !within.empty() && std::ranges::any_of(cores_in(topology, allowed_cpus(topology)),
                                             [](const PhysicalCore& core) { return !core.slow; });
  return elsewhere ? fast : cores;
}

ThreadChoice choose_threads(const Topology& topology, int wanted) {
  const std::vector<PhysicalCore> cores = usable_cores(topology, {});
  ThreadChoice choice;
  choice.cores = int(cores.size());
  if (cores.empty()) return choice;
  const int paid = paid_for(topology, choice.cores);
  const int threads = wanted > 0 ? wanted : paid;
  for (int i = 0; i < threads; ++i) {
    const PhysicalCore& core = cores[size_t(i) % cores.size()];
    choice.cpus.push_back(core.first_pu());
    if (core.node >= 0) choice.nodes.set(core.node);
  }
  choice.crowded = threads > paid;
  const int all = int(cores_in(topology, allowed_cpus(topology)).size());
  choice.why = explain(topology, choice, all, paid);
  return choice;
}

}  // namespace aictl::placement
