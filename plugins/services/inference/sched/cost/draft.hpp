// Drafts: tokens guessed ahead, to be checked together in one step. The guess is what followed the
// same tokens earlier in the sequence ("prompt lookup"); how many to guess follows from how often
// guesses were right and what a row costs. engine.md section 14.
#pragma once

#include <cstdint>
#include <span>

#include "plugins/services/inference/sched/cost/step_cost.hpp"

namespace aictl::inference {

inline constexpr int kMaxDraft = 8;  // tokens guessed at once

/// What followed the latest of the longest earlier occurrences of the end of `tokens`, at least two
/// tokens of it, is written to `out`, as far as it reaches. Returns how many. Looks back over 16 Ki
/// tokens at most; allocates nothing.
int propose_draft(std::span<const int32_t> tokens, std::span<int32_t> out);

/// How often guesses for a sequence were right of late.
class DraftRecord {
 public:
  DraftRecord() = default;
  explicit DraftRecord(float expected) : hits_(expected) {}
  /// Of `drafted` tokens the first `accepted` were right; those behind the first wrong one tell
  /// nothing.
  void count(int drafted, int accepted);
  float hits() const { return hits_; }

  /// Whether to try one guess although it would not pay: once in a while, lest a sequence that
  /// began to repeat itself is never found out.
  bool try_again();

 private:
  float hits_ = 0.5f;  // a decaying mean, 0..1
  int passed_ = 0;
};

/// Decides how many guesses pay. Used by one thread; pure.
class DraftPolicy {
 public:
  /// Begins a step of `decoding` sequences that looks like `shape` without guesses.
  void begin(const StepCost& cost, const StepShape& shape, int decoding);
  /// How many guesses of a sequence that sees `context` positions pay: as many as are likelier
  /// right than what their rows cost, in tokens the step makes in that time, with a margin.
  int most(const StepCost& cost, const DraftRecord& record, int context) const;
  /// Whether a single guess, always right, would pay.
  bool could_pay(const StepCost& cost, int context) const;
  /// A step of `rows` guesses took `seconds`, and would have taken `plain` without.
  void observe(double seconds, double plain, double predicted_rows);

  /// Acceptance to expect of a new sequence.
  float expected() const { return expected_; }
  void learn(float hits) { expected_ += 0.02f * (hits - expected_); }

 private:
  double row(const StepCost& cost, int context) const;

  double token_seconds_ = 0;  // of this step: its time over the tokens it makes
  bool plain_ = false;        // this step makes no guesses, so that its time is known without
  int steps_ = 0;
  double price_ = 1;  // what a guess's row took, as a multiple of what was predicted
  float expected_ = 0.5f;
};

}  // namespace aictl::inference
