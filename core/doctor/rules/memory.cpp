// Rules about host memory: where it is, how much of it we may have, how it is mapped.
#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <map>

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

/// One memory slot, from DMI's own table or from what a capture has of it.
struct Slot {
  std::string name, bank;
  uint64_t bytes = 0;
  int speed = 0;
};

/// "DIMM_A1; NODE 0; 4294967296 B; 1600 MT/s", as the sysfs source writes it.
std::optional<Slot> parse_slot(const std::string& text) {
  const size_t first = text.find("; ");
  const size_t second = first == std::string::npos ? first : text.find("; ", first + 2);
  if (second == std::string::npos) return std::nullopt;
  Slot slot{text.substr(0, first), text.substr(first + 2, second - first - 2), 0, 0};
  char* rest = nullptr;
  slot.bytes = std::strtoull(text.c_str() + second + 2, &rest, 10);
  if (std::string_view(rest).starts_with(" B; ")) slot.speed = std::atoi(rest + 4);
  return slot;
}

std::vector<Slot> slots_of(const Topology& machine) {
  std::vector<Slot> slots;
  for (const auto& [key, value] : machine.system.settings)
    if (key.starts_with("dimm."))
      if (auto slot = parse_slot(value)) slots.push_back(std::move(*slot));
  return slots;
}

/// "DIMM_A" of "DIMM_A1": the last digits count the slots of a channel.
std::string without_number(std::string name) {
  while (!name.empty() && std::isdigit(static_cast<unsigned char>(name.back())) != 0)
    name.pop_back();
  return name;
}

/// Bytes in each channel. Slots are named after it, or their banks are.
std::map<std::string, uint64_t> channels_of(const std::vector<Slot>& slots) {
  std::map<std::string, uint64_t> by_name, by_bank;
  for (const Slot& slot : slots) {
    by_name[without_number(slot.name)] += slot.bytes;
    by_bank[slot.bank] += slot.bytes;
  }
  return by_name.size() > 1 ? by_name : by_bank;
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

Verdict memory_channels(const Input& input) {
  const auto slots = slots_of(input.now());
  if (slots.size() < 2) return Verdict::skip("the memory slots are not known (DMI needs root)");
  const auto channels = channels_of(slots);
  std::map<int, int> speeds;
  int filled = 0;
  for (const Slot& slot : slots) {
    if (slot.bytes == 0) continue;
    ++filled;
    if (slot.speed > 0) ++speeds[slot.speed];
  }
  if (filled == 0) return Verdict::skip("no slot tells the size of its module");
  uint64_t most = 0;
  std::vector<std::string> empty, uneven;
  for (const auto& [name, bytes] : channels) most = std::max(most, bytes);
  for (const auto& [name, bytes] : channels)
    if (bytes != most) (bytes == 0 ? empty : uneven).push_back(name);
  Verdict verdict;
  if ((empty.empty() && uneven.empty() && speeds.size() < 2) || channels.size() < 2) return verdict;
  const double loss = double(empty.size()) / double(channels.size());
  verdict.findings.push_back(
      {"", Severity::kWarn,
       empty.empty() ? "memory channels are filled unevenly" : "memory channels are empty",
       fmt::format("{} of {} slots filled; of {} channels {} are empty, {} hold less, {} speeds",
                   filled, slots.size(), channels.size(), empty.size(), uneven.size(),
                   speeds.size()),
       empty.empty()
           ? "part of the memory is not interleaved over all channels"
           : fmt::format("{} of the memory bandwidth, and decode speed on the CPU with it",
                         percent(loss)),
       "put equal modules into every channel: sudo dmidecode -t memory lists the slots",
       empty.empty() ? 0.1 : loss});
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
  const std::string host = host_nodes(machine).list();
  verdict.findings.push_back(
      {"", Severity::kWarn, "GPU memory appears as NUMA nodes of the host",
       fmt::format("node {}{}", nodes.list(),
                   bytes > 0 ? fmt::format(", {} in all", format_bytes(bytes)) : ""),
       "host allocations may land in GPU memory: the KV cache shrinks, and what counts free memory "
       "is wrong",
       host.empty()
           ? "numactl --membind=HOST_NODES, cpuset.mems without these nodes"
           : fmt::format("numactl --membind={}, cpuset.mems without node {}", host, nodes.list()),
       0.05});
  return verdict;
}

}  // namespace aictl::doctor
