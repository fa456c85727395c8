// A model without weights, and the naive oracle: a request alone, from its definition.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <vector>

#include "plugins/services/inference/sched/scheduler.hpp"

namespace aictl::inference {

inline constexpr int kVocab = 211;

inline uint64_t mix(uint64_t h, uint64_t v) {
  h = (h ^ v) * 0x9E3779B97F4A7C15u;
  return h ^ h >> 29;
}

// What a choice depends on: all tokens before it. Those of some sequences mostly repeat themselves.
struct History {
  uint64_t hash = 1;
  int length = 0;
  int32_t last = 0;
  bool repeats = false;
  void add(int32_t token) {
    if (length++ == 0) repeats = token % 3 == 0;
    hash = mix(hash, static_cast<uint64_t>(token));
    last = token;
  }
};

// The choice after `h`, keyed by the position and the choice's number only.
inline int32_t choose(const History& h, int choice) {
  const uint64_t history = h.hash;
  const int position = h.length;
  if (h.repeats && history % 11 != 0) return 10 + (h.last + 1 + choice % 2) % 7;
  return static_cast<int32_t>(
             mix(mix(history, static_cast<uint64_t>(position)), static_cast<uint64_t>(choice)) >>
             8) %
         kVocab;
}
inline bool is_stop(int32_t token) { return std::abs(token) % 211 == 5; }

// Tokens in KV blocks.
class FakeKv {
 public:
  explicit FakeKv(int blocks) : slots_(static_cast<size_t>(blocks) * kKvBlockTokens, -1) {}
  int32_t& slot(const StepPlan& plan, const SeqView& view, int position) {
    const auto entry = static_cast<size_t>(view.table + position / kKvBlockTokens);
    return slots_[static_cast<size_t>(plan.block_tables.at(entry)) * kKvBlockTokens +
                  static_cast<size_t>(position % kKvBlockTokens)];
  }
  void copy(const BlockCopy& c) {
    for (int i = 0; i < kKvBlockTokens; ++i)  // what is not copied is poison
      slots_[static_cast<size_t>(c.to * kKvBlockTokens + i)] =
          i < c.tokens ? slots_[static_cast<size_t>(c.from * kKvBlockTokens + i)] : -7;
  }

 private:
  std::vector<int32_t> slots_;
};

struct Asked {
  std::vector<int32_t> prompt, out;
  int max_tokens, choice;
  SequenceKind kind;
  int request;
  int hidden_rows = 0;
  bool ended = false;
  FinishReason reason{};
};

inline std::vector<int32_t> alone(const Asked& asked, FinishReason& reason) {
  std::vector<int32_t> out;
  History history;
  for (const int32_t token : asked.prompt) history.add(token);
  for (;;) {
    const int32_t token = choose(history, asked.choice);
    if (is_stop(token)) return reason = FinishReason::kStop, out;
    out.push_back(token);
    if (static_cast<int>(out.size()) == asked.max_tokens)
      return reason = FinishReason::kLength, out;
    history.add(token);
  }
}

}  // namespace aictl::inference
