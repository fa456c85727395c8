// A planned platform with a bit of everything, as the planner would make it.
#pragma once

#include "core/platform/plan/plan.hpp"

namespace aictl::test {

/// A vLLM model on GPUs, one on cores, a gateway, a store, an agent and a job. `wide` adds a model
/// of two nodes.
platform::PlatformPlan example_plan(bool wide = false);

}  // namespace aictl::test
