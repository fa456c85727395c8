// Command lines that carry a plan out, ready to paste: every word is quoted for a shell.
#pragma once

#include <string>
#include <string_view>

#include "core/placement/plan/plan.hpp"

namespace aictl::placement {

struct Commands {
  std::string environment;  // CUDA_VISIBLE_DEVICES=...; empty on CPUs
  std::string numactl;      // numactl --physcpubind=... --membind=...; empty when unknown
  std::string cpuset;       // docker's form: --cpuset-cpus=... --cpuset-mems=...
  std::string aictl, vllm, llama_cpp;  // the engine alone
  std::string run;                     // all together for the engine that was planned for
};

/// For replica `index` of a placed model; ports count from 8000 + `port`.
Commands commands(const ModelPlan& model, size_t index, int port, const PlanRequest& request);

/// `word` as one word of a POSIX shell.
std::string shell_word(std::string_view word);

}  // namespace aictl::placement
