// Each sampler alone, and random chains of them, against the naive sampler on random logits with
// ties, infinities and NaN.
#include <doctest/doctest.h>

#include <random>

#include "naive.hpp"

using namespace aictl;
using namespace aictl::inference;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

class Cases {
 public:
  explicit Cases(uint32_t seed) : rng_(seed) {}

  int pick(int least, int most) { return std::uniform_int_distribution<int>(least, most)(rng_); }
  float real(float least, float most) {
    return std::uniform_real_distribution<float>(least, most)(rng_);
  }

  std::vector<float> logits(int vocab) {
    std::vector<float> out(static_cast<size_t>(vocab));
    const int flavour = pick(0, 5);
    std::normal_distribution<float> normal(0, real(0.1f, 8));
    for (float& x : out) {
      x = normal(rng_);
      if (flavour == 1) x = std::round(x);  // many ties
      if (flavour == 2 && pick(0, 3) == 0) x = -kInf;
      if (flavour == 3 && pick(0, 3) == 0) x = std::nanf("");
      if (flavour == 4) x = 1;
      if (flavour == 5) x *= 1e30f;
    }
    if (pick(0, 20) == 0) out[static_cast<size_t>(pick(0, vocab - 1))] = kInf;
    return out;
  }

  std::vector<int32_t> history(int vocab) {
    std::vector<int32_t> out(static_cast<size_t>(pick(1, 80)));
    const int variety = pick(1, std::min(vocab, 6));  // few different ones repeat
    for (int32_t& id : out) id = pick(0, variety - 1);
    return out;
  }

  void penalties(SamplingParams& p) {
    if (pick(0, 1)) p.repetition_penalty = real(0.5f, 2);
    if (pick(0, 1)) p.repeat_last_n = pick(-1, 90);
    if (pick(0, 1)) p.frequency_penalty = real(-1, 1);
    if (pick(0, 1)) p.presence_penalty = real(-1, 1);
    if (pick(0, 1)) p.dry_multiplier = real(0, 2);
    if (pick(0, 1)) p.dry_allowed_length = pick(1, 5);
    if (pick(0, 2) == 0) p.dry_penalty_last_n = pick(1, 60);
  }

  void truncation(SamplingParams& p, SamplerKind kind) {
    switch (kind) {
      case SamplerKind::kTemperature:
        p.temperature = pick(0, 3) ? real(0.05f, 2) : real(1e-30f, 1e-20f);
        if (pick(0, 1)) p.dynatemp_range = real(0, 3), p.dynatemp_exponent = real(0.2f, 3);
        break;
      case SamplerKind::kTopK:
        p.top_k = pick(1, 60);
        break;
      case SamplerKind::kTypical:
        p.typical_p = real(0, 1);
        break;
      case SamplerKind::kTopP:
        p.top_p = real(0, 1);
        break;
      case SamplerKind::kMinP:
        p.min_p = real(0, 1);
        break;
      case SamplerKind::kTopNSigma:
        p.top_n_sigma = real(0.01f, 3);
        break;
      case SamplerKind::kXtc:
        p.xtc_probability = pick(0, 1) ? 1 : real(0, 1), p.xtc_threshold = real(0, 0.5f);
    }
  }

  std::mt19937& rng() { return rng_; }

 private:
  std::mt19937 rng_;
};

const std::vector<SamplerKind> kKinds = {
    SamplerKind::kTemperature, SamplerKind::kTopK,      SamplerKind::kTypical, SamplerKind::kTopP,
    SamplerKind::kMinP,        SamplerKind::kTopNSigma, SamplerKind::kXtc};

// Samples `rounds` times with parameters from `vary` and compares.
template <typename Vary>
void compare(uint32_t seed, int rounds, Vary vary) {
  Cases cases(seed);
  for (int round = 0; round < rounds; ++round) {
    const int vocab = cases.pick(1, 4) == 1 ? cases.pick(1, 3) : cases.pick(4, 700);
    Sampler sampler(vocab);
    for (int i = 0; i < 4; ++i) {
      CAPTURE(seed);
      CAPTURE(round);
      CAPTURE(vocab);
      SamplingParams params;
      params.seed = cases.rng()();
      params.temperature = 1;
      std::vector<int32_t> breakers, ends;
      int min_tokens = 0;
      vary(cases, params, vocab, breakers, ends, min_tokens);
      auto settings = prepare_sampling(params, breakers, ends, min_tokens, vocab);
      REQUIRE(settings.ok());
      const auto tokens = cases.history(vocab);
      const int prompt = cases.pick(1, static_cast<int>(tokens.size()));
      auto logits = cases.logits(vocab);
      const auto before = logits;
      const int choice = cases.pick(0, 3);
      SampleState state;
      const auto token = sampler.sample(logits, *settings, {tokens, prompt}, choice, state);
      REQUIRE((token ? token->id : -1) == naive::choose(before, *settings, tokens, prompt, choice));
      REQUIRE(std::memcmp(before.data(), logits.data(), before.size() * sizeof(float)) == 0);
    }
  }
}

}  // namespace

TEST_CASE("sampler: greedy is the first of the largest, after bias and penalties") {
  compare(
      1, 1500, [](Cases& c, SamplingParams& p, int vocab, auto& breakers, auto& ends, int& min) {
        p.temperature = 0;
        if (c.pick(0, 1)) c.penalties(p);
        if (c.pick(0, 1)) breakers.push_back(c.pick(0, 5));
        for (int i = c.pick(0, 3); i > 0; --i)
          p.logit_bias.emplace_back(c.pick(0, vocab - 1), c.pick(0, 2) ? c.real(-5, 5) : -100.0f);
        if (c.pick(0, 1)) ends.push_back(c.pick(0, vocab - 1)), min = c.pick(0, 60);
      });
}

TEST_CASE("sampler: each of the samplers alone chooses what the naive one does") {
  for (const SamplerKind kind : kKinds) {
    CAPTURE(static_cast<int>(kind));
    compare(
        100 + static_cast<uint32_t>(kind), 700,
        [kind](Cases& c, SamplingParams& p, int, auto&, auto&, int&) { c.truncation(p, kind); });
  }
}

TEST_CASE("sampler: the documented chain and any reordered one choose what the naive one does") {
  compare(200, 2500,
          [](Cases& c, SamplingParams& p, int vocab, auto& breakers, auto& ends, int& min) {
            for (const SamplerKind kind : kKinds)
              if (c.pick(0, 1)) c.truncation(p, kind);
            if (c.pick(0, 1)) c.penalties(p);
            if (c.pick(0, 1)) breakers.push_back(c.pick(0, 5));
            if (c.pick(0, 1)) p.logit_bias.emplace_back(c.pick(0, vocab - 1), c.real(-9, 9));
            if (c.pick(0, 3) == 0) ends.push_back(c.pick(0, vocab - 1)), min = c.pick(0, 60);
            if (c.pick(0, 1)) {
              p.order = kKinds;
              std::shuffle(p.order.begin(), p.order.end(), c.rng());
              p.order.resize(static_cast<size_t>(c.pick(1, 7)));
            }
          });
}

TEST_CASE("sampler: a vocabulary of 128k, where only the front is sorted, is no different") {
  constexpr int kVocab = 128256;
  Cases cases(300);
  Sampler sampler(kVocab);
  for (int round = 0; round < 24; ++round) {
    CAPTURE(round);
    SamplingParams params;
    params.seed = cases.rng()();
    params.temperature = cases.real(0.5f, 2);
    if (round % 3 == 0) params.top_k = cases.pick(1, 3000);
    if (round % 3 == 1) params.top_p = cases.real(0.5f, 1);
    const auto settings = prepare_sampling(params, {}, {}, 0, kVocab);
    auto logits = cases.logits(kVocab);
    SampleState state;
    const std::vector<int32_t> tokens{1, 2, 3};
    const auto token = sampler.sample(logits, *settings, {tokens, 1}, 0, state);
    REQUIRE(token);
    REQUIRE(token->id == naive::choose(logits, *settings, tokens, 1, 0));
  }
}
