// EngineCore: the part of an engine that lives on its thread: requests become sequences, plans are
// computed, rows sampled, results pushed. It has no thread of its own and takes no locks but those
// of the Generations, which are held for a push.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "core/plugin/backend.hpp"
#include "plugins/services/inference/sample/sampler.hpp"
#include "plugins/services/inference/sched/queue_gate.hpp"
#include "plugins/services/inference/sched/scheduler.hpp"
#include "plugins/services/inference/tiering.hpp"

namespace aictl::inference {

/// A request inside the engine.
struct Job {
  std::shared_ptr<Generation> generation;  // shared with the asker, see there
  SequenceRequest request;                 // moved from when it is admitted
  SampleSettings settings;
  std::vector<int32_t> stop_tokens;  // all that end it, sorted
  Pooling pooling = Pooling::kLast;

  std::vector<SequenceId> ids;      // of the choices; -1 once ended
  std::vector<SampleState> states;  // of the choices
  std::vector<float> values;        // of an embedding or a score, until it ends
  int live = 0;
  bool dirty = false;          // pushed to in this step
  Tiering::Ticket ticket = 0;  // while it waits for blocks on disk
  Tiering::Promoted promoted;
};

class EngineCore {
 public:
  /// `gate` counts choices: each one leaves it when it ends. Borrows all.
  EngineCore(const SchedulerLimits& limits, int vocab_tokens, const ModelSpec& spec, Runner& runner,
             QueueGate& gate, const Clock& clock);

  /// From now on blocks are kept on and come from disk. `wake` gets the engine's thread to call
  /// step().
  void open_tier(std::unique_ptr<DiskStore> store, std::function<void()> wake);
  /// Keeps what is still to be kept, for at most `limit`; `wake` is not called any more.
  void close_tier(Duration limit);

  /// Whether step() has nothing to do. Somebody may wait for the disk, which wakes.
  bool idle() const { return jobs_.empty() && !(tiering_ && tiering_->has_work()); }
  void admit(std::unique_ptr<Job> job);
  /// Ends what its askers want ended, then computes one step.
  void step();
  /// Ends everything.
  void end_all(FinishReason reason, const Error& error);

  /// What this thread counts, as of the end of the last step; the engine adds the rest. Callable
  /// from any thread.
  EngineStats stats() const;

 private:
  // Whose a sequence is, by SequenceId.
  struct Choice {
    Job* job = nullptr;
    int index = 0;
    int32_t stop_token = -1;
    Error error;  // why it is about to fail
  };
  Choice& choice(SequenceId id) { return choices_[static_cast<size_t>(id)]; }

  void submit(std::unique_ptr<Job> job);
  void submit_promoted(Time now);
  void apply_wishes();
  Result<void> compute();
  void pool_hidden();
  void sample_rows();
  Outcome sample(Choice& choice, const SampleRow& row, std::span<float> logits);
  void on_end(const Ended& ended);
  void notify();
  void publish();

  const ModelSpec& spec_;
  Runner& runner_;
  QueueGate& gate_;
  const Clock& clock_;
  Scheduler scheduler_;
  Sampler sampler_;
  const int vocab_;
  StepPlan plan_;
  std::vector<Outcome> outcomes_;
  std::vector<Choice> choices_;
  std::vector<std::unique_ptr<Job>> jobs_;
  std::vector<std::unique_ptr<Job>> promoting_;  // wait for the disk, unknown to the scheduler
  std::unique_ptr<Tiering> tiering_;
  EngineStats stats_;
  mutable std::mutex published_mutex_;  // guards published_
  EngineStats published_;
};

}  // namespace aictl::inference
