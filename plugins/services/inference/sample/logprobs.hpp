// Natural log-probabilities of raw logits: what the model thinks, before any sampler.
#pragma once

#include <span>
#include <vector>

#include "core/plugin/generation.hpp"

namespace aictl::inference {

/// log(sum(exp(logits))), without NaN; -inf when there is nothing to sum.
double log_sum_exp(std::span<const float> logits);

/// Of one token; -inf for a NaN logit.
float token_logprob(float logit, double log_sum);

/// All of them; NaN logits have -inf.
std::vector<float> log_softmax(std::span<const float> logits);

/// The `count` most probable ones, by (logprob descending, id ascending).
std::vector<TokenLogprob> top_logprobs(std::span<const float> logits, double log_sum, int count);

}  // namespace aictl::inference
