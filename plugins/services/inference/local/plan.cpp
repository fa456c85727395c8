#include "plugins/services/inference/local/plan.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/base/units.hpp"
#include "plugins/services/inference/kv/block_table.hpp"

namespace aictl::inference {
namespace {

constexpr int kDefaultConcurrency = 16;
constexpr int kDefaultStepTokens = 256;
constexpr int kDraftRows = 16;  // rows of logits beside one a sequence, for drafts
constexpr uint64_t kMaxBlocks = 1 << 24;

// Activations of the widest rows at once, in F32, and the logits: what the backends allocate,
// within a few percent.
uint64_t estimate_workspace(const ModelSpec& spec, const RunnerOptions& runner) {
  const uint64_t row =
      4ull * (2 * spec.hidden + 2 * spec.q_dim() + 2 * spec.kv_dim() + 2 * spec.ffn);
  return row * static_cast<uint64_t>(runner.max_rows) +
         4ull * static_cast<uint64_t>(spec.vocab) * static_cast<uint64_t>(runner.max_logit_rows);
}

Error does_not_fit(const EnginePlan& plan, uint64_t kv_needed, int64_t context) {
  return {ErrorCode::kResourceExhausted,
          fmt::format("the model does not fit: weights {} + KV cache {} for {} tokens + workspace "
                      "{} = {}, and {} is free",
                      format_bytes(plan.weight_bytes), format_bytes(kv_needed), context,
                      format_bytes(plan.workspace_bytes),
                      format_bytes(plan.weight_bytes + kv_needed + plan.workspace_bytes),
                      format_bytes(plan.available)),
          "a smaller --context, a smaller quantisation of the model, or more memory"};
}

}  // namespace

Result<EnginePlan> plan_engine(const ModelSpec& spec, uint64_t weight_bytes, const Backend& backend,
                               const EngineSettings& settings, uint64_t available) {
  if (settings.context > spec.max_positions)
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("context {} is over the {} tokens the model was trained for",
                             settings.context, spec.max_positions),
                 fmt::format("--context {} or less", spec.max_positions)};
  EnginePlan plan;
  plan.available = available;
  plan.weight_bytes = weight_bytes;
  plan.concurrency = settings.concurrency ? settings.concurrency : kDefaultConcurrency;
  plan.max_queue = settings.max_queue;
  plan.prefix_cache = settings.prefix_cache;
  plan.token_latency = settings.token_latency;
  plan.drafts = settings.speculate == Speculation::kNgram;
  const int step = settings.step_tokens ? settings.step_tokens : kDefaultStepTokens;
  plan.runner.max_rows =
      blocks_for(step) * kKvBlockTokens + plan.concurrency;  // chunks are whole blocks
  plan.runner.max_logit_rows = plan.concurrency + (plan.drafts ? kDraftRows : 0);
  plan.workspace_bytes = estimate_workspace(spec, plan.runner);

  const uint64_t block_bytes = backend.kv_block_bytes(spec);
  const uint64_t taken = weight_bytes + plan.workspace_bytes;
  const uint64_t left = available > taken ? available - taken : 0;
  const int wanted_context = settings.context ? settings.context : spec.max_positions;
  const uint64_t wanted_blocks =
      static_cast<uint64_t>(blocks_for(wanted_context)) * static_cast<uint64_t>(plan.concurrency);
  uint64_t blocks = settings.kv_memory ? settings.kv_memory / block_bytes
                                       : std::min(wanted_blocks, left / 4 / block_bytes);
  // A context that was asked for must fit once at least, if it has to be out of more than a
  // quarter.
  if (settings.context && !settings.kv_memory)
    blocks = std::max<uint64_t>(blocks, static_cast<uint64_t>(blocks_for(settings.context)));
  const uint64_t least = static_cast<uint64_t>(blocks_for(settings.context ? settings.context : 1));
  if (blocks < least && settings.kv_memory)
    return Error{ErrorCode::kResourceExhausted,
                 fmt::format("--kv-memory {} holds {} tokens, and {} are needed",
                             format_bytes(settings.kv_memory), blocks * kKvBlockTokens,
                             least * kKvBlockTokens),
                 fmt::format("{} or more", format_bytes(least * block_bytes))};
  blocks = std::max(blocks, least);
  plan.kv_bytes = blocks * block_bytes;
  if (plan.kv_bytes > left || blocks > kMaxBlocks)
    return does_not_fit(plan, plan.kv_bytes, static_cast<int64_t>(blocks) * kKvBlockTokens);
  plan.runner.kv_blocks = static_cast<int>(blocks);
  plan.context = static_cast<int>(
      std::min<uint64_t>(static_cast<uint64_t>(wanted_context), blocks * kKvBlockTokens));
  return plan;
}

EngineOptions engine_options(const EnginePlan& plan) {
  EngineOptions options;
  options.runner = plan.runner;
  options.max_sequences = plan.concurrency;
  options.max_waiting = plan.max_queue;
  options.max_context = plan.context;
  options.prefix_cache = plan.prefix_cache;
  options.token_latency = plan.token_latency;
  options.drafts = plan.drafts;
  return options;
}

}  // namespace aictl::inference
