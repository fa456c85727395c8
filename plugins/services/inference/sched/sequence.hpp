// Sequence: one stream of tokens on its way through the scheduler.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "core/base/clock.hpp"
#include "core/plugin/generation.hpp"
#include "plugins/services/inference/kv/prefix_tree.hpp"
#include "plugins/services/inference/sched/cost/draft.hpp"
#include "plugins/services/inference/sched/turns.hpp"

namespace aictl::inference {

/// A slot of the scheduler; used again after the sequence has ended.
using SequenceId = int32_t;

/// What is wanted of a sequence's last position.
enum class SequenceKind : uint8_t {
  kGenerate,  // its logits, sampled; and so on
  kEmbed,     // the hidden states of all rows; then it ends
  kScore,     // its logits; then it ends
};

enum class SequenceState : uint8_t {
  kFree,       // an unused slot
  kWaiting,    // in the queue, new or parked; holds no blocks
  kFollowing,  // another choice of a prompt which its leader computes; holds nothing
  kPrefill,    // running, several positions to compute
  kDecode,     // running, one position to compute: the token chosen last
};

/// What the scheduler has to know of a request.
struct SequenceRequest {
  SequenceKind kind = SequenceKind::kGenerate;
  std::vector<int32_t> prompt;
  int max_tokens = 0;  // >= 1 for kGenerate, else 0
  int n = 1;           // sequences of this prompt
  int priority = 0;
  Time arrival{};
  Time deadline = Time::max();
  Salt salt;          // whose it is, and whose prefixes it may share
  bool reuse = true;  // false: its prompt is computed whole
};

struct Sequence {
  SequenceState state = SequenceState::kFree;
  SequenceKind kind = SequenceKind::kGenerate;
  std::vector<int32_t> tokens;  // the prompt, what was generated; from plan to commit, a draft
  int prompt = 0;               // tokens of it that are prompt
  int max_tokens = 0;
  int computed = 0;  // positions whose keys and values lie in `table`
  BlockTable table;
  Salt salt;
  bool reuse = true;
  int remembered = 0;  // blocks of `table` that the prefix tree knows
  int reused = 0;      // tokens of the prompt it did not have to compute, the first time
  int lost = 0;        // tokens that were computed when it was parked
  int drafted = 0;     // tokens at the end that are a draft
  DraftRecord record;

  int request = -1;  // of Turns
  int priority = 0;
  Time arrival{}, deadline = Time::max(), started = Time::max(), first_token = Time::max();
  // The order of arrival, moved by priority, so that a waiting sequence ages past later ones of a
  // higher priority in its class; then the order of submission.
  std::pair<Time, uint64_t> rank;
  int level = 0;                  // while running: how many of its tenant's are before it
  uint64_t seen = 0;              // the step that looked at its prompt last
  SequenceId leader = -1;         // of a follower
  SequenceId next_follower = -1;  // of a leader before the fork, and of each follower
  int parked = 0;                 // times

  ServiceClass service() const { return class_of(priority); }
  int length() const { return static_cast<int>(tokens.size()); }
  int generated() const { return length() - prompt - drafted; }
  int to_compute() const { return length() - computed; }
  bool running() const {
    return state == SequenceState::kPrefill || state == SequenceState::kDecode;
  }
};

/// How a sequence ended.
struct Ended {
  SequenceId id;
  FinishReason reason;
  GenerationTimings timings;
};

}  // namespace aictl::inference
