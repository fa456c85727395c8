// The chain, in order.
#include "plugins/services/inference/sample/sampler.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/check.hpp"
#include "plugins/services/inference/sample/logprobs.hpp"
#include "plugins/services/inference/sample/philox.hpp"

namespace aictl::inference {
namespace {

constexpr float kLowest = -std::numeric_limits<float>::infinity();
constexpr float kBan = -100;       // a bias of this or less bans the token
constexpr int kMostByHeap = 1024;  // a heap of more is slower than a partition

bool active(SamplerKind kind, const SamplingParams& p) {
  switch (kind) {
    case SamplerKind::kTemperature:
      return p.temperature != 1 || p.dynatemp_range > 0;
    case SamplerKind::kTopK:
      return p.top_k > 0;
    case SamplerKind::kTypical:
      return p.typical_p < 1;
    case SamplerKind::kTopP:
      return p.top_p < 1;
    case SamplerKind::kMinP:
      return p.min_p > 0;
    case SamplerKind::kTopNSigma:
      return p.top_n_sigma > 0;
    case SamplerKind::kXtc:
      return p.xtc_probability > 0 && p.xtc_threshold <= 0.5f;
  }
  return false;
}

}  // namespace

Sampler::Sampler(int vocab) : vocab_(vocab), patch_(vocab), penalties_(vocab), candidates_(vocab) {}

std::optional<TokenOut> Sampler::sample(std::span<float> logits, const SampleSettings& settings,
                                        const History& history, int choice, SampleState& state) {
  CHECK(logits.size() >= static_cast<size_t>(vocab_));
  logits = logits.first(static_cast<size_t>(vocab_));
  const SamplingParams& params = settings.params;
  TokenOut out;
  out.choice = choice;
  double log_sum = 0;
  if (params.logprobs >= 0) {
    log_sum = log_sum_exp(logits);
    out.top = top_logprobs(logits, log_sum, params.logprobs);
  }

  patch_.begin(logits);
  ban(settings, history);
  penalties_.apply(patch_, params, history, settings.dry_breakers);
  out.id = params.temperature <= 0 ? greedy(logits)
                                   : draw(logits, params, history.tokens.size(), choice, state);
  patch_.restore();

  if (out.id < 0) return std::nullopt;
  if (params.logprobs >= 0)
    out.logprob = token_logprob(logits[static_cast<size_t>(out.id)], log_sum);
  return out;
}

void Sampler::ban(const SampleSettings& settings, const History& history) {
  for (const auto& [id, bias] : settings.params.logit_bias) {
    float& logit = patch_.at(id);
    logit = bias <= kBan ? kLowest : logit + bias;
  }
  const auto generated = history.tokens.size() - static_cast<size_t>(history.prompt);
  if (generated < static_cast<size_t>(settings.min_tokens))
    for (const int32_t id : settings.end_tokens) patch_.at(id) = kLowest;
}

int32_t Sampler::greedy(std::span<const float> logits) const {
  int32_t best = -1;
  float most = kLowest;
  for (size_t id = 0; id < logits.size(); ++id)
    if (logits[id] > most) most = logits[id], best = static_cast<int32_t>(id);
  return best;
}

// Fills the candidates; true when that included the temperature and top-k.
bool Sampler::gather(std::span<const float> logits, const SamplingParams& params) {
  if (params.mirostat == 0 && params.dynatemp_range <= 0 && params.top_k > 0 &&
      params.top_k <= kMostByHeap) {
    bool cooled = params.temperature == 1;
    for (const SamplerKind kind : params.order) {
      if (!active(kind, params)) continue;
      if (kind == SamplerKind::kTopK && cooled)
        return candidates_.assign_top(logits, params.temperature, params.top_k), true;
      if (kind != SamplerKind::kTemperature) break;
      cooled = true;
    }
  }
  candidates_.assign(logits);
  return false;
}

int32_t Sampler::draw(std::span<const float> logits, const SamplingParams& params,
                      uint64_t position, int choice, SampleState& state) {
  const bool cooled = gather(logits, params);
  if (candidates_.empty()) return -1;
  const double u = uniform(params.seed, position, Draw::kToken, choice);
  if (params.mirostat != 0) {
    temperature(params);
    return mirostat(params, u, state);
  }
  for (const SamplerKind kind : params.order) {
    const bool done = cooled && (kind == SamplerKind::kTemperature || kind == SamplerKind::kTopK);
    if (!done && active(kind, params)) narrow(kind, params, position, choice);
  }
  return candidates_.draw(u).id;
}

void Sampler::narrow(SamplerKind kind, const SamplingParams& params, uint64_t position,
                     int choice) {
  switch (kind) {
    case SamplerKind::kTemperature:
      return temperature(params);
    case SamplerKind::kTopK:
      return candidates_.top_k(params.top_k);
    case SamplerKind::kTypical:
      return candidates_.typical(params.typical_p);
    case SamplerKind::kTopP:
      return candidates_.top_p(params.top_p);
    case SamplerKind::kMinP:
      return candidates_.min_p(params.min_p);
    case SamplerKind::kTopNSigma:
      return candidates_.top_n_sigma(params.top_n_sigma);
    case SamplerKind::kXtc:
      if (uniform(params.seed, position, Draw::kXtc, choice) < params.xtc_probability)
        candidates_.exclude_top(params.xtc_threshold);
  }
}

// Dynamic: between temperature - range and temperature + range, by the entropy as a share of the
// largest possible one. Source: kalomaze 2023, dynamic temperature sampling.
void Sampler::temperature(const SamplingParams& params) {
  float t = params.temperature;
  if (params.dynatemp_range > 0) {
    const float least = std::max(0.0f, t - params.dynatemp_range), most = t + params.dynatemp_range;
    const double possible = std::log(static_cast<double>(candidates_.size()));
    const double share =
        possible > 0 ? std::clamp(candidates_.entropy() / possible, 0.0, 1.0) : 0.0;
    t = least +
        (most - least) * static_cast<float>(std::pow(share, double{params.dynatemp_exponent}));
  }
  if (t <= 0) return candidates_.top_k(1);
  candidates_.temperature(t);
}

// Keeps the surprise of what is drawn near tau, in bits, of the distribution before truncation.
// Source: Basu et al. 2021, "Mirostat"; version 2 drops what is more surprising than mu.
int32_t Sampler::mirostat(const SamplingParams& params, double u, SampleState& state) {
  if (!state.started) state = {2 * params.mirostat_tau, true};
  const double total = candidates_.total(), largest = candidates_.largest();
  const auto surprise = [&](float logit) {
    return (std::log(total) - (logit - largest)) / std::log(2.0);
  };
  if (params.mirostat == 1) {
    candidates_.keep_first(mirostat_top_k(state.mirostat_mu));
  } else {
    candidates_.keep_surprise(state.mirostat_mu);
  }
  const Candidate chosen = candidates_.draw(u);
  state.mirostat_mu -=
      params.mirostat_eta * (static_cast<float>(surprise(chosen.logit)) - params.mirostat_tau);
  return chosen.id;
}

// How many to keep, from the exponent of a Zipf distribution fitted to the first hundred.
size_t Sampler::mirostat_top_k(float mu) {
  const auto top = candidates_.sorted(100);
  double products = 0, squares = 0;
  for (size_t i = 0; i + 1 < top.size(); ++i) {
    const double t = std::log((static_cast<double>(i) + 2) / (static_cast<double>(i) + 1));
    products += t * (static_cast<double>(top[i].logit) - top[i + 1].logit);
    squares += t * t;
  }
  const auto n = static_cast<double>(candidates_.size());
  const double s = squares > 0 ? products / squares : 0, epsilon = s - 1;
  // At s = 1 the formula's fraction becomes its limit.
  const double fraction = std::abs(epsilon) < 1e-9 ? 1 / std::log(std::max(n, 2.0))
                                                   : epsilon / (1 - std::pow(n, -epsilon));
  const double k = std::round(std::pow(fraction * std::pow(2.0, double{mu}), 1 / s));
  if (!(k < n)) return candidates_.size();  // also for NaN: s = 0 is a flat distribution
  return static_cast<size_t>(std::max(1.0, k));
}

}  // namespace aictl::inference
