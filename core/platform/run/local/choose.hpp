// Which workloads of a plan run on this machine.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/platform/run/local/launch.hpp"
#include "core/plugin/workload.hpp"

namespace aictl::platform {

struct Choice {
  std::vector<const Workload*> kept;  // of the plan, in its order
  std::vector<LeftOut> left_out;
};

/// Those called `names` and all they need; without names, all. What cannot run here is left out: a
/// service that is none of `services`, a container without a command, a replica of many nodes, no
/// replica at all. Errors: kNotFound for a name nobody has; kUnsupported when something that is
/// left out is named or needed; of a dry run what needs it is left out as well.
Result<Choice> choose_workloads(const std::vector<Workload>& workloads,
                                const std::vector<std::string>& names,
                                const std::vector<std::string>& services, bool dry_run = false);

/// How many processes a workload is here. What has a fixed address or one store is one.
int local_replicas(const Workload& workload);

}  // namespace aictl::platform
