// How a token is chosen, in the words of the API. Plain data: parsed from requests and flags, read
// by the sampler.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace aictl {

/// The most choices of one prompt ("n").
inline constexpr int kMaxChoices = 128;

/// The truncating samplers, which a request may reorder ("samplers").
enum class SamplerKind : uint8_t { kTemperature, kTopK, kTypical, kTopP, kMinP, kTopNSigma, kXtc };

struct SamplingParams {
  float temperature = 1;     // 0: greedy
  float dynatemp_range = 0;  // temperature +- range by the entropy of the distribution; 0: off
  float dynatemp_exponent = 1;
  int top_k = 0;                              // 0 or less: off
  float top_p = 1, min_p = 0, typical_p = 1;  // 1, 0, 1: off
  float top_n_sigma = 0;                      // 0 or less: off

  float repetition_penalty = 1;  // divides positive and multiplies negative logits of tokens seen
  float frequency_penalty = 0;   // times the count among generated tokens
  float presence_penalty = 0;    // once for each generated token
  int repeat_last_n = 64;        // window of repetition_penalty, prompt included; -1: all, 0: off

  float dry_multiplier = 0;  // 0: off
  float dry_base = 1.75f;
  int dry_allowed_length = 2;
  int dry_penalty_last_n = -1;  // -1: all
  std::vector<std::string> dry_sequence_breakers = {"\n", ":", "\"", "*"};

  float xtc_probability = 0, xtc_threshold = 0.1f;
  int mirostat = 0;  // 0 off, 1 or 2: replaces the truncating samplers
  float mirostat_tau = 5, mirostat_eta = 0.1f;

  std::vector<std::pair<int32_t, float>> logit_bias;  // token, added; -100 or less bans
  std::vector<SamplerKind> order;                     // empty: the documented order

  uint64_t seed = 0;
  int logprobs =
      -1;  // how many alternatives to report beside the chosen token; -1: no logprobs at all
};

/// What a parameter may be: the one table, for requests, flags and the sampler itself.
struct SamplingRange {
  std::string_view name;  // as requests spell it
  std::variant<float SamplingParams::*, int SamplingParams::*> field;
  double least, most;  // both are legal

  double value(const SamplingParams& params) const;
};

/// The parameters that are numbers, but for seed and logprobs.
std::span<const SamplingRange> sampling_ranges();

/// The row of `name`, which has one.
const SamplingRange& sampling_range(std::string_view name);

/// The first parameter that is out of its range, in words ("top_p 1.5 is not in 0..1").
std::optional<std::string> out_of_range(const SamplingParams& params);

}  // namespace aictl
