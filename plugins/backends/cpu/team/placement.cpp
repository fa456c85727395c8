#include "plugins/backends/cpu/team/placement.hpp"

#include <fstream>
#include <memory>
#include <sstream>

#include <fmt/format.h>
#include <hwloc.h>

#include "core/placement/cpu/cores.hpp"

namespace aictl::cpu {
namespace {

constexpr int kMaxWorkers = 1024;

std::string read_text(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// The tightest limit of a group and its ancestors; `limit` reads one folder's, 0 for none.
template <typename Limit>
double tightest(std::string folder, const std::string& root, Limit limit) {
  double least = 0;
  while (folder.size() >= root.size()) {
    const double here = limit(folder);
    if (here > 0 && (least == 0 || here < least)) least = here;
    const size_t slash = folder.rfind('/');
    if (slash == std::string::npos || folder == root) break;
    folder.resize(slash);
  }
  return least;
}

double quota_v2(const std::string& folder) {  // "max 100000" or "150000 100000"
  std::istringstream text(read_text(folder + "/cpu.max"));
  double quota = 0, period = 0;
  return text >> quota >> period && quota > 0 && period > 0 ? quota / period : 0;
}

double quota_v1(const std::string& folder) {  // -1 is none
  std::istringstream quota_text(read_text(folder + "/cpu.cfs_quota_us"));
  std::istringstream period_text(read_text(folder + "/cpu.cfs_period_us"));
  double quota = 0, period = 0;
  return quota_text >> quota && period_text >> period && quota > 0 && period > 0 ? quota / period
                                                                                 : 0;
}

struct FreeTopology {
  void operator()(hwloc_topology* topology) const { hwloc_topology_destroy(topology); }
};
struct FreeBitmap {
  void operator()(hwloc_bitmap_s* bitmap) const { hwloc_bitmap_free(bitmap); }
};
using Hwloc = std::unique_ptr<hwloc_topology, FreeTopology>;
using Bitmap = std::unique_ptr<hwloc_bitmap_s, FreeBitmap>;

topology::Bitset set_of(hwloc_const_bitmap_t bitmap) {
  topology::Bitset set;
  const int last = hwloc_bitmap_last(bitmap);  // -1: infinite
  for (int i = hwloc_bitmap_first(bitmap); i >= 0 && i <= last; i = hwloc_bitmap_next(bitmap, i))
    set.set(i);
  return set;
}

void add_objects(hwloc_topology_t raw, hwloc_obj_type_t from, topology::ObjectType to,
                 Topology& machine) {
  for (hwloc_obj_t at = hwloc_get_next_obj_by_type(raw, from, nullptr); at != nullptr;
       at = hwloc_get_next_obj_by_type(raw, from, at)) {
    topology::Object object;
    object.type = to;
    object.parent = 0;
    object.os_index = static_cast<int>(at->os_index);
    object.cpuset = set_of(at->cpuset);
    machine.objects.push_back(std::move(object));
  }
}

void add_kinds(hwloc_topology_t raw, Topology& machine) {
  const int count = hwloc_cpukinds_get_nr(raw, 0);
  const Bitmap cpus(hwloc_bitmap_alloc());
  for (int i = 0; i < count; ++i) {
    topology::CpuKind kind;
    unsigned infos = 0;
    hwloc_info_s* info = nullptr;
    if (hwloc_cpukinds_get_info(raw, static_cast<unsigned>(i), cpus.get(), &kind.efficiency, &infos,
                                &info, 0) != 0)
      continue;
    kind.cpuset = set_of(cpus.get());
    for (unsigned n = 0; n < infos; ++n) kind.infos.emplace_back(info[n].name, info[n].value);
    machine.cpu_kinds.push_back(std::move(kind));
  }
}

// As much of this machine as choosing cores takes: the backend works without other plugins.
Topology this_machine(hwloc_topology_t raw) {
  Topology machine;
  machine.objects.emplace_back();
  add_objects(raw, HWLOC_OBJ_NUMANODE, topology::ObjectType::kNuma, machine);
  add_objects(raw, HWLOC_OBJ_CORE, topology::ObjectType::kCore, machine);
  add_objects(raw, HWLOC_OBJ_PU, topology::ObjectType::kPu, machine);
  add_kinds(raw, machine);
  machine.complete_cpuset = set_of(hwloc_topology_get_complete_cpuset(raw));
  machine.allowed_cpuset = set_of(hwloc_topology_get_allowed_cpuset(raw));
  const Bitmap bound(hwloc_bitmap_alloc());
  if (hwloc_get_cpubind(raw, bound.get(), HWLOC_CPUBIND_PROCESS) == 0)
    machine.limits.affinity = set_of(bound.get());
  const double quota = cpu_quota("/sys/fs/cgroup", read_text("/proc/self/cgroup"));
  if (quota > 0) machine.limits.cpu_quota = quota;
  std::string isolated = read_text("/sys/devices/system/cpu/isolated");
  machine.system.settings["isolated"] = std::move(isolated);
  return machine;
}

std::string cpu_model(hwloc_topology_t topology) {
  const hwloc_obj_t package = hwloc_get_obj_by_type(topology, HWLOC_OBJ_PACKAGE, 0);
  const char* name = package ? hwloc_obj_get_info_by_name(package, "CPUModel") : nullptr;
  return name ? name : "CPU";
}

}  // namespace

double cpu_quota(const std::string& root, const std::string& groups) {
  std::istringstream lines(groups);
  double least = 0;
  for (std::string line; std::getline(lines, line);) {  // "id:controllers:/path"
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const std::string path = line.substr(second + 1) == "/" ? "" : line.substr(second + 1);
    double here = 0;
    if (controllers == ",,") here = tightest(root + path, root, quota_v2);
    if (controllers.find(",cpu,") != std::string::npos)
      here = tightest(root + "/cpu" + path, root + "/cpu", quota_v1);
    if (here > 0 && (least == 0 || here < least)) least = here;
  }
  return least;
}

Result<Placement> place_workers(int threads) {
  if (threads < 0 || threads > kMaxWorkers)
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{} threads is not in 0..{}", threads, kMaxWorkers),
                 "0 takes one a physical core"};
  hwloc_topology_t raw = nullptr;
  if (hwloc_topology_init(&raw) != 0)
    return Error{ErrorCode::kInternal, "hwloc cannot make a topology", ""};
  const Hwloc owner(raw);
  if (hwloc_topology_load(raw) != 0)
    return Error{ErrorCode::kUnavailable, "hwloc cannot read this machine's topology", ""};
  placement::ThreadChoice choice = placement::choose_threads(this_machine(raw), threads);
  if (choice.cpus.empty()) return Error{ErrorCode::kUnavailable, "no CPU to run on", ""};
  Placement placement;
  placement.cpus = std::move(choice.cpus);
  placement.crowded = choice.crowded;
  placement.device =
      fmt::format("{}, {} core{}", cpu_model(raw), choice.cores, choice.cores == 1 ? "" : "s");
  placement.why = std::move(choice.why);
  return placement;
}

}  // namespace aictl::cpu
