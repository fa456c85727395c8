// Limits that apply to us: for each the tightest of our control group and all its parents, and what
// the kernel itself says of the process.
#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/base/units.hpp"
#include "plugins/topology/sysfs/limits/cgroup.hpp"
#include "plugins/topology/sysfs/parts.hpp"

namespace aictl::sysfs {
namespace {

using topology::Bitset;
using topology::Limits;

constexpr int64_t kNoLimit = int64_t{1} << 62;  // v1 writes "none" as about 2^63

void tighten(std::optional<uint64_t>& limit, uint64_t other) {
  limit = std::min(limit.value_or(other), other);
}

/// A limit file: "max", -1 and v1's huge numbers mean none.
void tighten_by_file(const Root& root, const std::string& path, std::optional<uint64_t>& limit) {
  const auto value = root.number(path);
  if (value && *value >= 0 && *value < kNoLimit) tighten(limit, uint64_t(*value));
}

/// The number after `key` in a file of "key number" lines.
std::optional<uint64_t> field(const Root& root, const std::string& path, std::string_view key) {
  for (const std::string& line : root.lines(path)) {
    const auto words = words_of(line);
    if (words.size() != 2 || words[0] != key) continue;
    const auto value = parse_number(words[1]);
    if (value && *value >= 0) return uint64_t(*value);
  }
  return std::nullopt;
}

/// Adds up over the groups: each counts its own, and several may hold us back.
void take_largest(std::optional<uint64_t>& value, std::optional<uint64_t> other) {
  if (other) value = std::max(value.value_or(0), *other);
}

std::optional<Bitset> intersection(const std::optional<Bitset>& a, const std::optional<Bitset>& b) {
  if (!a || !b) return a ? a : b;
  return *a & *b;
}

void look_at_cpuset(const Root& root, const Group& group, Limits& limits) {
  // The kernel keeps a child within its parents; the nearest group that says something binds.
  const auto first_set = [&](const char* v2, const char* v1_effective, const char* v1) {
    std::optional<Bitset> found;
    for (const std::string& folder : group.folders) {
      for (const char* name : {group.v2 ? v2 : v1_effective, group.v2 ? v2 : v1}) {
        const auto set = root.set(folder + "/" + name);
        if (set && !set->empty()) return set;
      }
    }
    return found;
  };
  limits.cpuset = first_set("cpuset.cpus.effective", "cpuset.effective_cpus", "cpuset.cpus");
  limits.memory_nodes = first_set("cpuset.mems.effective", "cpuset.effective_mems", "cpuset.mems");
}

void look_at_quota(const Root& root, const Group& group, Limits& limits) {
  const auto tighten_quota = [&](std::optional<int64_t> quota, std::optional<int64_t> period) {
    if (!quota || !period || *quota <= 0 || *period <= 0) return;
    const double cpus = double(*quota) / double(*period);
    limits.cpu_quota = std::min(limits.cpu_quota.value_or(cpus), cpus);
  };
  for (const std::string& folder : group.folders) {
    const std::string stat = folder + "/cpu.stat";
    if (group.v2) {
      const std::string maximum = root.word(folder + "/cpu.max");
      const auto words = words_of(maximum);
      if (words.size() == 2) tighten_quota(parse_number(words[0]), parse_number(words[1]));
      take_largest(limits.throttled_usec, field(root, stat, "throttled_usec"));
    } else {
      tighten_quota(root.number(folder + "/cpu.cfs_quota_us"),
                    root.number(folder + "/cpu.cfs_period_us"));
      if (const auto nanoseconds = field(root, stat, "throttled_time"))
        take_largest(limits.throttled_usec, *nanoseconds / 1000);
    }
    take_largest(limits.throttled_periods, field(root, stat, "nr_throttled"));
  }
}

void look_at_memory_group(const Root& root, const Group& group, Limits& limits) {
  for (const std::string& folder : group.folders) {
    tighten_by_file(root, folder + (group.v2 ? "/memory.max" : "/memory.limit_in_bytes"),
                    limits.memory_max);
    if (!group.v2) {
      // Counts the groups further out, too, also those a namespace hides.
      if (const auto bytes = field(root, folder + "/memory.stat", "hierarchical_memory_limit"))
        if (*bytes < uint64_t(kNoLimit)) tighten(limits.memory_max, *bytes);
      continue;
    }
    tighten_by_file(root, folder + "/memory.high", limits.memory_high);
    tighten_by_file(root, folder + "/memory.swap.max", limits.swap_max);
  }
  if (!group) return;
  const std::string& own = group.folders.front();
  const auto current = root.number(own + (group.v2 ? "/memory.current" : "/memory.usage_in_bytes"));
  if (current && *current >= 0) limits.memory_current = uint64_t(*current);
  limits.oom_kills =
      field(root, own + (group.v2 ? "/memory.events" : "/memory.oom_control"), "oom_kill");
}

std::optional<uint64_t> meminfo(const Root& root, std::string_view key) {
  for (const std::string& line : root.lines("proc/meminfo")) {
    const auto words = words_of(line);
    if (words.size() < 2 || words[0] != key) continue;
    const auto kib = parse_number(words[1]);
    if (kib && *kib >= 0 && *kib < kNoLimit / 1024) return uint64_t(*kib) * 1024;
  }
  return std::nullopt;
}

/// Kernels that get memory after they started may leave it out of their nodes' counts.
void compare_totals(const Root& root, topology::Topology& topology) {
  const auto total = meminfo(root, "MemTotal:"), nodes = topology::host_memory(topology);
  if (!total || !nodes || *total - *total / 50 <= *nodes) return;
  const bool hidden = !topology.objects.empty() &&
                      topology.objects[0].nodeset != topology.objects[0].complete_nodeset;
  if (hidden) return;  // nodes that are kept from us count in the total only
  topology.warnings.push_back(
      {"memory_partial", fmt::format("the NUMA nodes count {} of the {} there are",
                                     format_bytes(*nodes), format_bytes(*total))});
}

/// memory.max is never more than the machine has; what is left is bounded by both.
void bound_memory(const Root& root, Limits& limits) {
  const auto total = meminfo(root, "MemTotal:");
  if (limits.memory_max && total && *limits.memory_max >= *total) limits.memory_max.reset();
  limits.memory_available = meminfo(root, "MemAvailable:");
  if (!limits.memory_max) return;
  const uint64_t used = std::min(limits.memory_current.value_or(0), *limits.memory_max);
  tighten(limits.memory_available, *limits.memory_max - used);
}

std::optional<Bitset> own_affinity() {
  // Machines have more CPUs than cpu_set_t; the kernel says EINVAL until the set is large enough.
  for (size_t cpus = 1024; cpus <= size_t(Bitset::kMaxIndex) + 1; cpus *= 2) {
    cpu_set_t* set = CPU_ALLOC(cpus);
    if (set == nullptr) return std::nullopt;
    const bool done = sched_getaffinity(0, CPU_ALLOC_SIZE(cpus), set) == 0;
    Bitset affinity;
    for (size_t cpu = 0; done && cpu < cpus; ++cpu)
      if (CPU_ISSET_S(cpu, CPU_ALLOC_SIZE(cpus), set)) affinity.set(int(cpu));
    CPU_FREE(set);
    if (done) return affinity;
  }
  return std::nullopt;
}

void look_at_process(const Root& root, topology::Topology& topology) {
  topology.limits.affinity = own_affinity();
  for (const std::string& line : root.lines("proc/self/status")) {
    if (!line.starts_with("Mems_allowed_list:")) continue;
    auto nodes = Bitset::parse_list(trimmed(std::string_view(line).substr(line.find(':') + 1)));
    if (!nodes) continue;
    set_fact(topology, "mems_allowed", nodes->list());
    topology.limits.memory_nodes = intersection(topology.limits.memory_nodes, *nodes);
  }
  rlimit locked{};
  if (getrlimit(RLIMIT_MEMLOCK, &locked) == 0 && locked.rlim_cur != RLIM_INFINITY)
    topology.limits.memlock = locked.rlim_cur;
}

/// What has no field of its own: shares, huge page limits, pressure.
void look_at_settings(const Root& root, const Group& memory, topology::Topology& topology) {
  const auto pressure = [&](const char* resource) {
    std::string path = fmt::format("proc/pressure/{}", resource);
    if (memory.v2) path = fmt::format("{}/{}.pressure", memory.folders.front(), resource);
    for (const std::string& line : root.lines(path))
      if (const auto words = words_of(line);
          words.size() > 1 && words[0] == "some" && words[1].starts_with("avg10="))
        set_fact(topology, fmt::format("{}_pressure", resource), std::string(words[1].substr(6)));
  };
  pressure("cpu");
  pressure("memory");
  if (!memory.v2) return;
  const std::string& own = memory.folders.front();
  set_fact(topology, "cgroup.cpu.weight", root.word(own + "/cpu.weight"));
  set_fact(topology, "cgroup.io.max", root.word(own + "/io.max"));
  for (const std::string& name : root.names(own)) {
    if (!name.starts_with("hugetlb.") || !name.ends_with("B.max")) continue;
    const std::string limit = root.word(own + "/" + name);
    if (limit != "max") set_fact(topology, "cgroup." + name, limit);
  }
}

/// min(CPUs we may run on, max(1, floor(quota))).
int effective_cpus(const topology::Topology& topology, const Root& root) {
  const Limits& limits = topology.limits;
  auto allowed = intersection(limits.cpuset, limits.affinity);
  if (!topology.allowed_cpuset.empty()) allowed = intersection(allowed, topology.allowed_cpuset);
  if (!allowed) allowed = root.set("sys/devices/system/cpu/online");
  if (!allowed || allowed->empty()) return 0;
  const int cpus = allowed->count();
  if (!limits.cpu_quota) return cpus;
  return int(std::min(double(cpus), std::max(1.0, std::floor(*limits.cpu_quota + 1e-9))));
}

}  // namespace

void look_at_limits(const Root& root, topology::Topology& topology) {
  Limits& limits = topology.limits;
  const Cgroups groups(root);
  limits.cgroup_version = groups.version();
  limits.outer_hidden = groups.outer_hidden();
  const Group cpuset = groups.group("cpuset"), cpu = groups.group("cpu"),
              memory = groups.group("memory"), pids = groups.group("pids");
  for (const Group* group : {&memory, &cpu, &cpuset})
    if (limits.cgroup_path.empty()) limits.cgroup_path = group->path;
  look_at_cpuset(root, cpuset, limits);
  look_at_quota(root, cpu, limits);
  look_at_memory_group(root, memory, limits);
  for (const std::string& folder : pids.folders)
    tighten_by_file(root, folder + "/pids.max", limits.pids_max);
  bound_memory(root, limits);
  compare_totals(root, topology);
  look_at_settings(root, memory, topology);
  if (root.live()) look_at_process(root, topology);
  limits.effective_cpus = effective_cpus(topology, root);
  if (limits.cpu_quota && limits.effective_cpus > 0 && !topology.allowed_cpuset.empty() &&
      limits.effective_cpus < topology.allowed_cpuset.count())
    topology.warnings.push_back(
        {"cpu_quota", fmt::format("{} CPUs visible, {:.1f} worth of time",
                                  topology.allowed_cpuset.count(), *limits.cpu_quota)});
}

}  // namespace aictl::sysfs
