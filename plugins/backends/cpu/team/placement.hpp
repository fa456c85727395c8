// Where worker threads go: by core/placement's rule, physical performance cores this process may
// use, as many as its CPU quota pays for.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.hpp"

namespace aictl::cpu {

struct Placement {
  std::vector<int> cpus;  // operating system index of one PU a worker, worker 0 first
  bool crowded = false;   // more workers than cores or quota: waiting must not spin
  std::string device;     // "AMD EPYC ..., 2 cores"
  std::string why;        // a sentence: what was chosen, and why
};

/// Places `threads` workers; 0 asks for one a physical core, at most the quota. Respects the
/// affinity mask, cpusets and cpu.max (cgroup v2) or cpu.cfs_quota_us (v1). Errors:
/// kInvalidArgument for a negative count or one above 1024.
Result<Placement> place_workers(int threads);

/// CPUs' worth of time the control group of this process may use; 0 without a limit. `root` is
/// where control groups are mounted, `groups` the text of /proc/self/cgroup.
double cpu_quota(const std::string& root, const std::string& groups);

}  // namespace aictl::cpu
