// Command lines that carry a plan out, ready to paste: every word is quoted for a shell.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/placement/plan/plan.hpp"
#include "core/placement/report/references.hpp"

namespace aictl::placement {

struct Commands {
  std::string environment;  // CUDA_VISIBLE_DEVICES=...; empty on CPUs
  std::string numactl;      // numactl --physcpubind=... --membind=...; empty when not to be pinned
  std::string cpuset;       // docker's form: --cpuset-cpus=... --cpuset-mems=...
  std::string aictl, vllm, llama_cpp;  // the engine alone; empty: it cannot do this
  std::string run;                     // all together for the engine that was planned for
};

/// For replica `index` of a placed model; ports count from 8000 + `port`.
Commands commands(const ModelPlan& model, size_t index, int port, const PlanRequest& request);

/// What has to be known before the commands of a placed model are run, a sentence each.
std::vector<std::string> before_commands(const ModelPlan& model, const PlanRequest& request);

}  // namespace aictl::placement
