// What changes logits before anything is left out: bias, bans, and the penalties on repetition.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "core/openai/sampling.hpp"

namespace aictl::inference {

/// Changes to a row of logits that can be taken back: choices that fork share the row. Allocates at
/// construction only.
class LogitPatch {
 public:
  explicit LogitPatch(int vocab);
  void begin(std::span<float> logits);
  float& at(int32_t id);  // 0 <= id < vocab
  void restore();

 private:
  std::span<float> logits_;
  std::vector<uint32_t> touched_in_;  // by id: the round in which it was last touched
  uint32_t round_ = 0;
  std::vector<std::pair<int32_t, float>> saved_;
};

/// A number for each token, zero unless set: how often it occurs, for example. Allocates at
/// construction only.
class TokenCounts {
 public:
  explicit TokenCounts(int vocab);
  void clear();
  void set(int32_t id, int count);  // count > 0
  int of(int32_t id) const { return counts_[static_cast<size_t>(id)]; }
  /// The tokens that were set, each once.
  std::span<const int32_t> tokens() const { return tokens_; }

 private:
  std::vector<int32_t> counts_, tokens_;
};

/// A request's view of the tokens so far.
struct History {
  std::span<const int32_t> tokens;  // prompt and generated
  int prompt = 0;                   // tokens that are prompt
};

class Penalties {
 public:
  explicit Penalties(int vocab) : counts_(vocab) {}
  /// Repetition, then frequency and presence, then DRY.
  void apply(LogitPatch& logits, const SamplingParams& params, const History& history,
             std::span<const int32_t> dry_breakers);

 private:
  void repetition(LogitPatch& logits, const SamplingParams& params, const History& history);
  void frequency(LogitPatch& logits, const SamplingParams& params, const History& history);
  /// "Don't repeat yourself": a token that would lengthen a sequence which already occurred is
  /// penalised by multiplier * base^(length of the match - allowed length). Matches do not reach
  /// over a breaker, of which `breakers` is a sorted list. Source: p-e-w, text-generation-webui
  /// pull request 5677.
  void dry(LogitPatch& logits, const SamplingParams& params, const History& history,
           std::span<const int32_t> breakers);
  void count(std::span<const int32_t> tokens);

  TokenCounts counts_;
  std::vector<int32_t> reversed_, matches_;
};

}  // namespace aictl::inference
