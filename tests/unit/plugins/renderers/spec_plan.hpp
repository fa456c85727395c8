// Specs planned on their own pools, with shapes alone: nothing of this machine is looked at.
#pragma once

#include <string>
#include <string_view>

#include "core/platform/generate/generate.hpp"
#include "core/platform/plan/plan.hpp"

namespace aictl::test {

/// Fails the test when the spec is refused.
platform::PlatformPlan planned(std::string_view spec);

/// All targets that make objects or files of a cluster.
std::vector<std::string> cluster_targets();

/// Fails the test when it cannot be written.
platform::Generated written_of(const platform::PlatformPlan& plan,
                               const std::vector<std::string>& targets,
                               platform::Trace* trace = nullptr);

}  // namespace aictl::test
