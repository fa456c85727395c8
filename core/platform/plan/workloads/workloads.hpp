// The workloads that carry a platform out.
#pragma once

#include "core/platform/plan/plan.hpp"
#include "core/platform/spec/check/references.hpp"

namespace aictl::platform {

/// Images that are used where a spec names none. Without a digest they are not pinned.
inline constexpr std::string_view kAictlImage = "ghcr.io/aictl/aictl:0.1.0";
inline constexpr std::string_view kVllmImage = "docker.io/vllm/vllm-openai:v0.19.0";

Workload model_workload(const Platform& platform, const PlannedModel& model);
Workload gateway_workload(const Platform& platform);
Workload state_workload(const Platform& platform);
Workload events_workload(const Platform& platform);
Workload agent_workload(const Platform& platform, const Agent& agent);
Workload job_workload(const Platform& platform, const Job& job);

/// What the workloads expect to be there: secrets with the commands that make them, a broker.
std::vector<External> externals_of(const Platform& platform,
                                   const std::vector<Workload>& workloads);

/// The variable that a provider's credential comes in: AICTL_PROVIDER_OPENAI_KEY.
std::string provider_variable(std::string_view provider);

/// A word of one text.
Word text(std::string value);
/// A word of one reference, and of `rest` where it is not empty.
Word refer(Reference::Kind kind, std::string target, const std::string& rest = "");

}  // namespace aictl::platform
