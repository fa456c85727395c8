// The planner: models onto hosts. Same inputs, same plan, byte for byte.
#pragma once

#include <span>

#include "core/base/result.hpp"
#include "core/placement/plan/host.hpp"
#include "core/placement/plan/plan.hpp"

namespace aictl::placement {

/// A machine, and how many more are like it.
struct Machine {
  const Topology* topology = nullptr;
  int count = 1;
};

/// Plans every model of the request onto each kind of machine; machines that look alike are planned
/// once, and `concurrency` is shared by their number. Errors: kInvalidArgument without a model or a
/// machine.
Result<Plan> make_plan(std::span<const Machine> machines, const PlanRequest& request);

/// Plans the models onto one kind of host, which answers `share_of_load` (0..1) of all sequences.
HostPlan plan_host(Host& host, const PlanRequest& request, double share_of_load);

/// The best way to place one model on at most `quota` of the host's free GPUs, or on its memory
/// nodes; what it takes is taken from the host.
ModelPlan place_model(Host& host, const PlanRequest& request, const ModelShape& shape, int quota,
                      int concurrency);

}  // namespace aictl::placement
