#include "plugins/backends/cpu/team/placement.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <memory>
#include <sstream>

#include <fmt/format.h>
#include <hwloc.h>

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
using Topology = std::unique_ptr<hwloc_topology, FreeTopology>;
using Bitmap = std::unique_ptr<hwloc_bitmap_s, FreeBitmap>;

struct Core {
  int cpu;         // first allowed PU
  int efficiency;  // higher is faster; -1 unknown
};

int efficiency_of(hwloc_topology_t topology, hwloc_const_cpuset_t set) {
  const int kind = hwloc_cpukinds_get_by_cpuset(topology, set, 0);
  if (kind < 0) return -1;
  int efficiency = -1;
  hwloc_cpukinds_get_info(topology, static_cast<unsigned>(kind), nullptr, &efficiency, nullptr,
                          nullptr, 0);
  return efficiency;
}

// Physical cores with a PU in `allowed`, the fastest first, otherwise in hardware order.
std::vector<Core> usable_cores(hwloc_topology_t topology, hwloc_const_cpuset_t allowed) {
  std::vector<Core> cores;
  const int count = hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_CORE);
  Bitmap both(hwloc_bitmap_alloc());
  for (int i = 0; i < count; ++i) {
    const hwloc_obj_t core =
        hwloc_get_obj_by_type(topology, HWLOC_OBJ_CORE, static_cast<unsigned>(i));
    hwloc_bitmap_and(both.get(), core->cpuset, allowed);
    const int cpu = hwloc_bitmap_first(both.get());
    if (cpu >= 0) cores.push_back({cpu, efficiency_of(topology, both.get())});
  }
  if (cores.empty()) {  // no core objects (a bare hypervisor): every PU is one
    for (int cpu = hwloc_bitmap_first(allowed); cpu >= 0; cpu = hwloc_bitmap_next(allowed, cpu))
      cores.push_back({cpu, -1});
  }
  std::stable_sort(cores.begin(), cores.end(),
                   [](const Core& a, const Core& b) { return a.efficiency > b.efficiency; });
  return cores;
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
  const Topology topology(raw);
  if (hwloc_topology_load(raw) != 0)
    return Error{ErrorCode::kUnavailable, "hwloc cannot read this machine's topology", ""};
  Bitmap allowed(hwloc_bitmap_dup(hwloc_topology_get_allowed_cpuset(raw)));
  Bitmap bound(hwloc_bitmap_alloc());
  if (hwloc_get_cpubind(raw, bound.get(), HWLOC_CPUBIND_PROCESS) == 0)
    hwloc_bitmap_and(allowed.get(), allowed.get(), bound.get());

  const std::vector<Core> cores = usable_cores(raw, allowed.get());
  if (cores.empty()) return Error{ErrorCode::kUnavailable, "no CPU to run on", ""};
  const double quota = cpu_quota("/sys/fs/cgroup", read_text("/proc/self/cgroup"));
  const int paid = quota > 0 ? std::max(1, static_cast<int>(std::floor(quota + 0.01)))
                             : static_cast<int>(cores.size());
  const int suggested = std::min(paid, static_cast<int>(cores.size()));
  const int count = threads > 0 ? threads : suggested;

  Placement placement;
  for (int i = 0; i < count; ++i)
    placement.cpus.push_back(cores[static_cast<size_t>(i) % cores.size()].cpu);
  placement.crowded = count > suggested;
  placement.device =
      fmt::format("{}, {} core{}", cpu_model(raw), cores.size(), cores.size() == 1 ? "" : "s");
  return placement;
}

}  // namespace aictl::cpu
