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
  int max_logit_rows = 0;  // in a step, drafts' included; less than max_sequences counts as that
  int kv_blocks = 64;
  int max_context = 4096;                     // tokens of a sequence, prompt and generated
  bool prefix_cache = true;                   // prompts reuse what others computed
  Duration aging = std::chrono::seconds(10);  // waiting this long is worth one priority
  ModelWork work = {};                             // from which times are predicted
  Duration token_latency{};   // of a step in which somebody waits for a next token; 0: no limit
  bool drafts = false;        // guess tokens ahead where it pays
  bool draft_always = false;  // and where it does not: for tests
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
  uint64_t drafted_tokens = 0, accepted_tokens = 0;
};

/// Who goes first: a higher class (see Turns); in it the tenant that holds fewer places, then the
/// one that is owed more; of a tenant, the request that holds fewer places; then by Sequence::rank.
/// A place is one sequence running, so choices of a request take turns with other requests. When
/// places or blocks are short, a sequence of a lower class yields, or one of its own class whose
/// tenant or request holds at least two places more.
///
/// The first of the highest class by rank, once it runs, never yields but to a higher class; and
/// who lacks blocks is not slipped past in its class: therefore all end, unless higher classes
/// leave no room.
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
  /// After plan(): the last one yields first.
  std::span<const SequenceId> running() const { return running_; }
  std::span<const SequenceId> waiting() const { return waiting_; }  // no followers
  /// Who waits for blocks, so that its class waits with it; -1: nobody.
  SequenceId blocked() const { return blocked_; }
  const Turns& turns() const { return turns_; }
  const StepCost& cost() const { return cost_; }
  int slots() const { return static_cast<int>(slots_.size()); }

 private:
  Sequence& at(SequenceId id) { return slots_[static_cast<size_t>(id)]; }
  SequenceId new_slot();
  void remove(std::vector<SequenceId>& list, SequenceId id);
  int followers(const Sequence& leader) const;
  void hand_over_lead(SequenceId leader);
  void unlink_follower(SequenceId follower);
  void fork_followers(Sequence& leader);
  void remember(Sequence& s);
  void take(Time now, std::span<const SampleRow> rows, std::span<const Outcome> outcomes);
  static void reserve_growth(Sequence& s);

  // admission.cpp: who runs
  struct Room {
    int sequences = 0, blocks = 0;
  };
  void expire(Time now);
  void admit(Time now);
  bool before(const Sequence& a, const Sequence& b) const;
  SequenceId next_to_start() const;
  SequenceId prompt_pass_of(const Sequence& head) const;
  bool fits(const Sequence& head, SequenceId leader, const Room& freed) const;
  bool yields(const Sequence& victim, const Sequence& head) const;
  bool sheds(const Sequence& victim, const Sequence& head) const;
  bool make_room_for(const Sequence& head, SequenceId leader);
  void adopt_prefix(Sequence& s);
  void part_from_followers(SequenceId leader, bool keeps_tokens);
  void start(SequenceId id, Time now);
  void follow(SequenceId id, SequenceId leader);
  void shed(SequenceId leader);
  void park(SequenceId id);
  void wait(SequenceId id);
  void arrange();

  // rows.cpp: what is computed
  bool hold_next_position(SequenceId id, StepPlan& plan);
  int draft(SequenceId id, int most);
  void plan_decode(StepPlan& plan);
  void plan_prefill(StepPlan& plan);
  SequenceId next_prompt(int account) const;
  int rows_of_prompt(const Sequence& s, int room, double seconds, bool first) const;
  void add_rows(SequenceId id, int rows, StepPlan& plan);
  void add_samples(SequenceId id, StepPlan& plan);
  void measure(Time now, const StepPlan& plan);

  const SchedulerLimits limits_;
  const int chunk_;
  const std::function<void(const Ended&)> on_end_;
  BlockPool pool_;
  PrefixTree prefixes_;
  Turns turns_;
  StepCost cost_;
  DraftPolicy policy_;
  std::vector<Sequence> slots_;  // by SequenceId
  std::vector<SequenceId> free_slots_;
  std::vector<SequenceId> running_;  // by class, level, rank, once arranged
  std::vector<SequenceId> waiting_;  // by class, rank
  std::vector<SequenceId> victims_;  // of make_room_for
  bool arranged_ = true;
  SequenceId blocked_ = -1;  // waits for blocks; nobody of its class slips past
  uint64_t submitted_ = 0, steps_ = 0;
  Time next_deadline_ = Time::max();  // no deadline is earlier
  Time planned_{};                    // when the last plan was asked for
  double draft_seconds_ = 0;          // predicted of its drafts
  SchedulerStats stats_;
};

}  // namespace aictl::inference
