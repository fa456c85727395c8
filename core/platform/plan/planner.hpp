// From what a spec says to what has to run: models sized on machines, workloads in their order.
#pragma once

#include <functional>
#include <optional>

#include "core/base/result.hpp"
#include "core/placement/model/shape.hpp"
#include "core/platform/plan/plan.hpp"
#include "core/plugin/plugins.hpp"

namespace aictl::platform {

/// What planning takes beside the spec.
struct PlanInputs {
  /// The model's sizes. Errors: why they cannot be had, and how to give them.
  std::function<Result<placement::ModelShape>(const ModelEntry&)> inspect;
  std::vector<PlannedPool> pools;  // at least one
  bool gpu_backend = false;        // the aictl that will run has one
};

/// Sizes every model and works out every workload. Pure: equal inputs, equal plan. Errors:
/// kDataRefused naming the field of the spec, with the arithmetic of what does not fit.
Result<PlatformPlan> plan_platform(Platform platform, const PlanInputs& inputs);

/// Where the spec says that it runs: its pools, its capture, or this machine; paths are relative to
/// the spec's file. `instead` names another machine, which stands for each of the spec's nodes
/// (`generate --for`); one that names none is this machine, alone (`up`). Errors: as read_topology,
/// naming the field.
Result<std::vector<PlannedPool>> platform_pools(const Platform& platform, const Plugins& plugins,
                                                const std::optional<TopologyInput>& instead = {});

/// Both, with models inspected by this program's runtime: what `up` and `generate` start from.
Result<PlatformPlan> plan_here(Platform platform, const Plugins& plugins,
                               const std::optional<TopologyInput>& instead = {});

}  // namespace aictl::platform
