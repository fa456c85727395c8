// Engine: a model that answers. One thread schedules, computes and samples; everybody else talks to
// it through a bounded mailbox and reads Generations.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core/base/clock.hpp"
#include "core/base/result.hpp"
#include "core/plugin/backend.hpp"
#include "core/plugin/generation.hpp"
#include "plugins/services/inference/kv/disk/store.hpp"

namespace aictl::inference {

struct EngineOptions {
  RunnerOptions runner;      // what the runner was made with: rows, logit rows and KV blocks
  int max_sequences = 0;     // running at once; 0: what the runner's rows allow
  int max_waiting = 256;     // choices queued, beyond those that can run, before submit() refuses
  int max_context = 0;       // prompt + generated tokens of a sequence; 0: model's or what KV holds
  int vocab_tokens = 0;      // ids from here on have no token and are never chosen; 0: all have one
  bool prefix_cache = true;  // prompts reuse what earlier ones computed
  std::vector<int32_t> end_tokens;            // a generation stops at these
  Duration aging = std::chrono::seconds(10);  // waiting this long is worth one priority
  /// Of a step in which somebody waits for a next token, by which prompts are cut; 0: no limit.
  Duration token_latency{};
  bool drafts = false;           // guess tokens ahead where it pays: the same streams, sooner
  bool draft_always = false;     // and where it does not: for tests
  const Clock* clock = nullptr;  // outlives the engine; nullptr: the real one
};

/// All functions but the destructor are callable from any thread.
class Engine {
 public:
  /// Starts the engine's thread. What the runner borrows must outlive the engine. With `disk`,
  /// whose signature is the runner's, KV blocks outlive the process; it is not used without the
  /// prefix cache. Errors: kInvalidArgument for options that cannot work together.
  static Result<std::unique_ptr<Engine>> start(EngineOptions options, const ModelSpec& spec,
                                               std::unique_ptr<Runner> runner,
                                               std::unique_ptr<DiskStore> disk = nullptr);

  /// Finishes what is left as kCancelled, stops the thread and joins it.
  ~Engine();

  /// Queues a request. Errors: kInvalidArgument for an empty prompt, a token that is not in the
  /// vocabulary, or parameters out of range; kTooLarge for what can never fit; kResourceExhausted
  /// when the queue is full (see EngineStats::retry_after); kUnavailable when draining or stopped.
  Result<std::shared_ptr<Generation>> submit(GenerateRequest request,
                                             std::function<void()> wake = {});

  /// Queues an embedding: its Finished carries `values`, [hidden]. Errors: as submit().
  Result<std::shared_ptr<Generation>> embed(EmbedRequest request, std::function<void()> wake = {});

  /// Queues a look at the last position of `tokens`: its Finished carries `values`, the natural
  /// logprobs of the next token, [vocab_tokens]. Errors: as submit().
  Result<std::shared_ptr<Generation>> score(std::vector<int32_t> tokens,
                                            std::function<void()> wake = {});

  /// submit() and wait: the tokens of choice 0. Errors: as submit(); and what ended it, unless it
  /// stopped or reached its length.
  Result<std::vector<TokenOut>> generate(GenerateRequest request);
  /// score() and wait. Errors: as generate().
  Result<std::vector<float>> logprobs(std::vector<int32_t> tokens);

  /// From now on nothing new is taken; waits until all that was is finished, or `until` has passed.
  /// Returns whether it was.
  bool drain(Time until = Time::max());

  EngineStats stats() const;
  const ModelSpec& spec() const;
  /// Tokens a sequence may have, prompt and generated.
  int max_context() const;
  /// Choices a request may have: 128, or what the queue holds if that is less.
  int max_choices() const;

 private:
  class Impl;
  explicit Engine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace aictl::inference
