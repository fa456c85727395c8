// EnginePlan: what running a model takes, decided before anything is loaded: context, sequences, KV
// memory. The plan that `serve` prints and the sizes the engine is made with are the same numbers.
#pragma once

#include <cstdint>

#include "core/base/result.hpp"
#include "core/plugin/runtime.hpp"
#include "plugins/services/inference/engine.hpp"

namespace aictl::inference {

struct EnginePlan {
  RunnerOptions runner;
  int context = 0;      // tokens a sequence may have
  int concurrency = 0;  // sequences at once
  int max_queue = 0;
  bool prefix_cache = true;
  std::chrono::milliseconds token_latency{};
  bool drafts = false;
  uint64_t weight_bytes = 0;  // of the file; what the backend holds is about the same
  uint64_t kv_bytes = 0;
  uint64_t workspace_bytes = 0;  // estimated
  uint64_t available = 0;        // memory when the plan was made

  uint64_t total_bytes() const { return weight_bytes + kv_bytes + workspace_bytes; }
};

/// Plans a model on a backend. Without a wish the KV cache takes what `concurrency` full sequences
/// need, but at most a quarter of the memory that is free beside the weights; the context is the
/// trained one if that fits. Errors: kInvalidArgument for a context beyond the trained one;
/// kResourceExhausted, with the arithmetic, when it cannot fit.
Result<EnginePlan> plan_engine(const ModelSpec& spec, uint64_t weight_bytes, const Backend& backend,
                               const EngineSettings& settings, uint64_t available);

/// The options of an engine after this plan; end tokens and vocabulary are the model's affair.
EngineOptions engine_options(const EnginePlan& plan);

}  // namespace aictl::inference
