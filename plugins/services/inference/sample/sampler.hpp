// Sampler: from a row of logits to a token. This is the definition of sampling in this engine; a
// device's own sampler must choose the same tokens.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/base/result.hpp"
#include "core/plugin/generation.hpp"
#include "plugins/services/inference/sample/candidates.hpp"
#include "plugins/services/inference/sample/penalties.hpp"

namespace aictl::inference {

/// What sampling reads of a request; made once, by prepare_sampling().
struct SampleSettings {
  SamplingParams params;              // `order` is never empty
  std::vector<int32_t> dry_breakers;  // sorted
  std::vector<int32_t> end_tokens;    // banned before min_tokens were generated
  int min_tokens = 0;
};

/// Checks every parameter against its range and every token against `vocab`. Errors:
/// kInvalidArgument naming the parameter and its value. A pure function.
Result<SampleSettings> prepare_sampling(SamplingParams params, std::vector<int32_t> dry_breakers,
                                        std::vector<int32_t> end_tokens, int min_tokens, int vocab);

/// What a choice carries from token to token, its tokens apart.
struct SampleState {
  float mirostat_mu = 0;
  bool started = false;
};

/// Order: logit bias and bans; repetition, frequency, presence, DRY; [greedy ends here];
/// temperature or dynamic temperature; top-k; typical; top-p; min-p; top-n-sigma; XTC; draw. A
/// request may list its own order from the temperature on; mirostat takes the place of everything
/// after the temperature. NaN and -inf are never chosen; +inf is the largest float. The draw is the
/// inverse of the distribution function over candidates in order (logit descending, id ascending)
/// at Philox(seed; position, draw, choice).
///
/// Keeps scratch memory for the vocabulary; used by one thread. Steady use allocates nothing,
/// except for the logprobs it was asked for.
class Sampler {
 public:
  /// Rows of logits have at least `vocab` columns; ids from there on are never looked at.
  explicit Sampler(int vocab);

  /// Chooses the token at position history.tokens.size(). The row is changed while it works and
  /// restored. nullopt when nothing can be chosen: all logits are banned, -inf or NaN.
  std::optional<TokenOut> sample(std::span<float> logits, const SampleSettings& settings,
                                 const History& history, int choice, SampleState& state);

 private:
  void ban(const SampleSettings& settings, const History& history);
  int32_t greedy(std::span<const float> logits) const;
  int32_t draw(std::span<const float> logits, const SamplingParams& params, uint64_t position,
               int choice, SampleState& state);
  bool gather(std::span<const float> logits, const SamplingParams& params);
  void narrow(SamplerKind kind, const SamplingParams& params, uint64_t position, int choice);
  void temperature(const SamplingParams& params);
  int32_t mirostat(const SamplingParams& params, double u, SampleState& state);
  size_t mirostat_top_k(float mu);

  int vocab_;
  LogitPatch patch_;
  Penalties penalties_;
  Candidates candidates_;
};

}  // namespace aictl::inference
