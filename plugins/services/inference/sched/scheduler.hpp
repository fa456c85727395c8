// Scheduler: decides what each step computes. Continuous batching: decode rows first, then prompt
// chunks until the step is full. Pure logic on one thread: time comes in, plans go out.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "core/base/result.hpp"
#include "plugins/services/inference/sched/step_plan.hpp"

namespace aictl::inference {

struct SchedulerLimits {
  int max_rows = 256;      // tokens in a step
  int max_sequences = 64;  // running at once; at most max_rows - prefill_chunk(max_rows)
  int kv_blocks = 64;
  int max_context = 4096;                     // tokens of a sequence, prompt and generated
  bool prefix_cache = true;                   // prompts reuse what others computed
  Duration aging = std::chrono::seconds(10);  // waiting this long is worth one priority
};

/// Prompt chunks are multiples of this, except the last: a KV block, or less for tiny steps.
int prefill_chunk(int max_rows);

/// What became of a SampleRow. `ends` with kStop does not append `token`.
struct Outcome {
  int32_t token = -1;
  bool ends = false;
  FinishReason reason = FinishReason::kStop;
};

struct SchedulerStats {
  int running = 0, waiting = 0, parked = 0;
  uint64_t parkings = 0, recomputed_tokens = 0, prompt_tokens = 0;
  uint64_t reused_tokens = 0;  // of prompt_tokens
};

/// The order, everywhere, is that of Sequence::rank: by arrival, a priority being worth `aging`. So
/// a sequence is overtaken only by those that arrive within (difference of priorities x aging)
/// after it. The first in the order is never parked, therefore all of them end.
class Scheduler {
 public:
  /// `on_end` is called once for each sequence, from whichever function ends it; the sequence can
  /// still be read, but the scheduler must not be called from there.
  Scheduler(const SchedulerLimits& limits, std::function<void(const Ended&)> on_end);

  /// Whether a request can run at all, alone on an empty machine; max_tokens 0: nothing is
  /// generated. Errors: kTooLarge, kInvalidArgument. A pure function of its arguments.
  static Result<void> can_fit(const SchedulerLimits& limits, int64_t prompt, int64_t max_tokens,
                              int n);

  /// Queues a request that can_fit() and writes its `request.n` sequences to `ids`. They share one
  /// prompt pass, unless they are more than can ever run at once: then they start as there is room,
  /// and each group that starts computes the prompt for itself.
  void submit(SequenceRequest request, std::vector<SequenceId>& ids);
  /// Ends a sequence in whatever state it is. Not between plan() and commit().
  void end(SequenceId id, Time now, FinishReason reason);

  /// Ends what is past its deadline, parks and admits, and fills `plan`. False: nothing to compute.
  bool plan(Time now, StepPlan& plan);
  /// Takes what came of the last plan: an outcome for each of its samples, in order.
  void commit(Time now, const StepPlan& plan, std::span<const Outcome> outcomes);

  /// Gets the index of a block in a prompt and its number in the pool.
  using BlockVisitor = std::function<void(int index, int32_t block)>;
  /// Visits what is in memory of the whole blocks of `tokens`, from block `first` on. Returns how
  /// many there are from the beginning.
  int visit_prefix(Salt salt, std::span<const int32_t> tokens, int first,
                   const BlockVisitor& visit);
  /// Makes the whole blocks of `tokens` from block `first` on known to prompts to come: `fill`
  /// writes keys and values of those that are not in memory. Returns how many are, from the
  /// beginning: fewer when blocks are short, or when those before `first` have gone. Not between
  /// plan() and commit().
  int restore(Salt salt, std::span<const int32_t> tokens, int first, const BlockVisitor& fill);

  bool idle() const { return waiting_.empty() && running_.empty(); }
  SchedulerStats stats() const;
  const SchedulerLimits& limits() const { return limits_; }
  const BlockPool& pool() const { return pool_; }
  const PrefixTree& prefixes() const { return prefixes_; }
  const Sequence& sequence(SequenceId id) const { return slots_[static_cast<size_t>(id)]; }
  std::span<const SequenceId> running() const { return running_; }  // in order
  std::span<const SequenceId> waiting() const { return waiting_; }  // in order; no followers
  int slots() const { return static_cast<int>(slots_.size()); }

 private:
  Sequence& at(SequenceId id) { return slots_[static_cast<size_t>(id)]; }
  SequenceId new_slot();
  void insert(std::vector<SequenceId>& list, SequenceId id);
  void remove(std::vector<SequenceId>& list, SequenceId id);
  int followers(const Sequence& leader) const;
  void hand_over_lead(SequenceId leader);
  void unlink_follower(SequenceId follower);

  void expire(Time now);
  void admit(Time now);
  struct Room {
    int sequences = 0, slots = 0, blocks = 0;
  };
  bool fits(const Sequence& head, int choices, const Room& freed) const;
  Room held_by(const Sequence& victim) const;
  bool make_room_for(const Sequence& head, int choices);
  int choices_to_start(const Sequence& head) const;
  void split_after(SequenceId leader, int choices);
  void park(SequenceId id);
  void adopt_prefix(Sequence& s);
  void remember(Sequence& s);
  bool hold_next_position(SequenceId id, StepPlan& plan);
  void plan_decode(StepPlan& plan);
  void plan_prefill(StepPlan& plan);
  void add_rows(SequenceId id, int rows, StepPlan& plan);
  void fork_followers(Sequence& leader);
  static void reserve_growth(Sequence& s);

  const SchedulerLimits limits_;
  const int chunk_;
  const std::function<void(const Ended&)> on_end_;
  BlockPool pool_;
  PrefixTree prefixes_;
  std::vector<Sequence> slots_;  // by SequenceId
  std::vector<SequenceId> free_slots_;
  std::vector<SequenceId> running_, waiting_;  // by rank
  int reserved_ = 0;                           // followers of running leaders: they will run too
  uint64_t submitted_ = 0;
  Time next_deadline_ = Time::max();  // no deadline is earlier
  SchedulerStats stats_;
};

}  // namespace aictl::inference
