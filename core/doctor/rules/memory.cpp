// Rules about host memory: where it is, how much of it we may have, how it is mapped.
#include <algorithm>

#include <fmt/format.h>

#include "core/base/units.hpp"
#include "core/doctor/rules/rules.hpp"

namespace aictl::doctor {
namespace {

using topology::Bitset;
using topology::Object;
using topology::ObjectType;

constexpr double kRemoteShare = 0.2;              // of a process's pages
constexpr uint64_t kStaging = uint64_t{1} << 30;  // buffers between file and device, at most

/// The nodes whose CPUs are among `cpus`.
Bitset nodes_of(const Topology& machine, const Bitset& cpus) {
  Bitset nodes;
  for (const Object& object : machine.objects)
    if (object.type == ObjectType::kNuma && object.os_index >= 0 && object.cpuset.intersects(cpus))
      nodes.set(object.os_index);
  return nodes;
}

}  // namespace

Verdict remote_memory(const Input& input) {
  const auto& process = input.workload.process;
  if (!process) return Verdict::skip("no process: --pid PID");
  const Topology& machine = input.now();
  const Bitset here = nodes_of(machine, process->cpus);
  const Bitset nodes = host_nodes(machine);
  Verdict verdict;
  if (nodes.count() < 2) return verdict;
  uint64_t all = 0, remote = 0;
  for (const auto& [node, bytes] : process->bytes_on_node) {
    all += bytes;
    if (!here.test(node)) remote += bytes;
  }
  const double share = all > 0 ? double(remote) / double(all) : 0;
  if (share > kRemoteShare)
    verdict.findings.push_back(
        {"", Severity::kWarn,
         fmt::format("{} ({}): memory on another NUMA node", process->command, process->pid),
         fmt::format("{} of {} ({}) are not on node {} where it runs", format_bytes(remote),
                     format_bytes(all), percent(share), here.list()),
         fmt::format("reads from there have about half the bandwidth: up to {} of decode speed",
                     percent(share / 2)),
         fmt::format("numactl --cpunodebind={0} --membind={0}, or migratepages {1} all {0}",
                     here.list(), process->pid),
         share / 2});
  Bitset near;
  for (const int index : input.workload.tp_group)
    for (const topology::Gpu& gpu : machine.gpus)
      if (gpu.index == index) near = near | gpu.nodeset;
  if (!near.empty() && !here.empty() && !near.intersects(here))
    verdict.findings.push_back(
        {"", Severity::kWarn,
         fmt::format("{} ({}): runs far from its GPUs", process->command, process->pid),
         fmt::format("bound to node {}, the group's GPUs are on node {}", here.list(), near.list()),
         "10-30 % of the bandwidth between host and GPU, and more launch latency",
         fmt::format("numactl --cpunodebind={0} --membind={0}", near.list()), 0.15});
  if (all == 0 && verdict.findings.empty())
    return Verdict::skip("the kernel does not tell where the process's pages are (numa_maps)");
  return verdict;
}

Verdict memory_limit(const Input& input) {
  const auto& weights = input.workload.weights;
  if (!weights) return Verdict::skip("no weights: --weights PATH");
  const topology::Limits& limits = input.now().limits;
  const auto memory = topology::host_memory(input.now());
  const auto limit = limits.memory_max ? limits.memory_max : memory;
  if (!limit) return Verdict::skip("neither a memory limit nor the machine's memory is known");
  const uint64_t staging = std::min(kStaging, weights->bytes);
  const uint64_t need = weights->bytes + staging;
  Verdict verdict;
  if (*limit >= need) return verdict;
  verdict.findings.push_back(
      {"", Severity::kError, "the memory limit is below what loading the weights takes",
       fmt::format("{} for {} of weights and {} of staging = {}",
                   limits.memory_max ? "memory.max is " + format_bytes(*limit)
                                     : "the machine has " + format_bytes(*limit),
                   format_bytes(weights->bytes), format_bytes(staging), format_bytes(need)),
       "the process is killed while it loads, or reads its weights from disk again and again",
       fmt::format("raise the limit to {} or more (memory.max, resources.limits.memory), or take a "
                   "smaller quantisation",
                   format_bytes(need)),
       1});
  return verdict;
}

Verdict huge_pages_off(const Input& input) {
  const Topology& machine = input.now();
  const std::string mode = setting(machine, "transparent_hugepage");
  if (mode.empty()) return Verdict::skip("the input has no page settings");
  const bool cpu_engine = machine.gpus.empty() || input.workload.threads;
  const std::string reserved = setting(machine, "hugepages_2048kB");
  Verdict verdict;
  if (!cpu_engine || mode != "never" || (!reserved.empty() && reserved != "0")) return verdict;
  verdict.findings.push_back(
      {"", Severity::kWarn, "no huge pages for inference on the CPU",
       fmt::format("transparent_hugepage is never, {} pages of 2 MiB are reserved",
                   reserved.empty() ? "0" : reserved),
       "misses of the TLB: 5-15 % of decode speed",
       "echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled", 0.1});
  return verdict;
}

Verdict numa_balancing(const Input& input) {
  const Topology& machine = input.now();
  const std::string mode = setting(machine, "numa_balancing");
  if (mode.empty()) return Verdict::skip("the input has no kernel settings");
  const Bitset nodes = host_nodes(machine);
  const auto& process = input.workload.process;
  const bool pinned =
      input.workload.pinned || (process && !process->cpus.empty() &&
                                nodes_of(machine, process->cpus).count() < nodes.count());
  Verdict verdict;
  if (nodes.count() < 2 || mode == "0") return verdict;
  if (!pinned && !process)
    return Verdict::skip("whether the engine is pinned is not known: --pid, --pinned");
  if (!pinned) return verdict;
  verdict.findings.push_back(
      {"", Severity::kWarn, "automatic NUMA balancing works against a pinned engine",
       fmt::format("kernel.numa_balancing is {} on {} NUMA nodes", mode, nodes.count()),
       "pages are unmapped to watch them: 2-10 % of decode speed, and pauses",
       "sudo sysctl kernel.numa_balancing=0", 0.06});
  return verdict;
}

Verdict gpu_memory_node(const Input& input) {
  const Topology& machine = input.now();
  if (machine.gpus.empty() && machine.objects.empty())
    return Verdict::skip("no NUMA nodes, no GPUs");
  Bitset nodes;
  uint64_t bytes = 0;
  for (const topology::Gpu& gpu : machine.gpus)
    if (gpu.memory_node && *gpu.memory_node >= 0) nodes.set(*gpu.memory_node);
  for (const Object& object : machine.objects) {
    if (object.type != ObjectType::kNuma || object.os_index < 0) continue;
    if (object.tier == topology::MemoryTier::kGpu) nodes.set(object.os_index);
    if (nodes.test(object.os_index)) bytes += object.bytes;
  }
  Verdict verdict;
  if (nodes.empty()) return verdict;
  Bitset host = host_nodes(machine), near;
  for (const topology::Gpu& gpu : machine.gpus) near = near | gpu.nodeset;
  if (host.empty()) host = near - nodes;  // a table of GPUs is all there is
  const std::string_view node = nodes.count() == 1 ? "node" : "nodes";
  verdict.findings.push_back(
      {"", Severity::kWarn, "GPU memory appears as NUMA nodes of the host",
       fmt::format("{} {}{}", node, nodes.list(),
                   bytes > 0 ? fmt::format(", {} in all", format_bytes(bytes)) : ""),
       "host allocations may land in GPU memory: the KV cache shrinks, and what counts free memory "
       "is wrong",
       host.empty() ? fmt::format("cpuset.mems without {} {}", node, nodes.list())
                    : fmt::format("numactl --membind={}, cpuset.mems without {} {}", host.list(),
                                  node, nodes.list()),
       0.05});
  return verdict;
}

}  // namespace aictl::doctor
