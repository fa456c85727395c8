// Random numbers, logprobs, bans, mirostat, checks of parameters.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "plugins/services/inference/sample/logprobs.hpp"
#include "plugins/services/inference/sample/philox.hpp"
#include "plugins/services/inference/sample/sampler.hpp"

using namespace aictl;
using namespace aictl::inference;

namespace {

SampleSettings settings(SamplingParams params) {
  return *prepare_sampling(std::move(params), {}, {}, 0, 4);
}

}  // namespace

TEST_CASE("philox: gives the published vectors") {
  CHECK(philox({0, 0, 0, 0}, 0) == PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, 0xffffffffffffffff) ==
        PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0x299f31d0a4093822) ==
        PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("uniform: differs by seed, position, draw and choice, and repeats for the same") {
  const double u = uniform(1, 2, Draw::kToken, 3);
  CHECK(u == uniform(1, 2, Draw::kToken, 3));
  CHECK(u != uniform(2, 2, Draw::kToken, 3));
  CHECK(u != uniform(1, 3, Draw::kToken, 3));
  CHECK(u != uniform(1, 2, Draw::kXtc, 3));
  CHECK(u != uniform(1, 2, Draw::kToken, 4));
  CHECK(u > 0);
  CHECK(u < 1);
}

TEST_CASE("logprobs: of raw logits, whatever the samplers do") {
  SamplingParams params;
  params.temperature = 0;
  params.logprobs = 2;
  params.logit_bias = {{2, -100.0f}};
  std::vector<float> logits{1, 1, 3, std::nanf("")};
  Sampler sampler(4);
  SampleState state;
  const std::vector<int32_t> tokens{0};
  const auto token = sampler.sample(logits, settings(params), {tokens, 1}, 0, state);
  REQUIRE(token);
  CHECK(token->id == 0);
  const double total = std::log(2 * std::exp(1.0) + std::exp(3.0));
  CHECK(token->logprob == doctest::Approx(1 - total));
  REQUIRE(token->top.size() == 2);
  CHECK(token->top[0].id == 2);
  CHECK(token->top[0].logprob == doctest::Approx(3 - total));
  CHECK(token->top[1].id == 0);
  const auto all = log_softmax(logits);
  CHECK(all[2] == token->top[0].logprob);
  CHECK(std::isinf(all[3]));
}

TEST_CASE("sampler: nothing to choose is nothing, not a token") {
  Sampler sampler(4);
  SampleState state;
  const std::vector<int32_t> tokens{0};
  for (const float temperature : {0.0f, 1.0f})
    for (const int mirostat : {0, 1, 2}) {
      SamplingParams params;
      params.temperature = temperature;
      params.mirostat = mirostat;
      params.logprobs = 1;
      std::vector<float> logits(4, std::nanf(""));
      logits[1] = -std::numeric_limits<float>::infinity();
      CHECK_FALSE(sampler.sample(logits, settings(params), {tokens, 1}, 0, state));
    }
}

TEST_CASE("sampler: ids without a token are never chosen") {
  Sampler sampler(2);
  std::vector<float> logits{1, 2, 3, 4};
  SamplingParams params;
  params.temperature = 0;
  params.logprobs = 4;
  SampleState state;
  const std::vector<int32_t> tokens{0};
  const auto token = sampler.sample(logits, settings(params), {tokens, 1}, 0, state);
  CHECK(token->id == 1);
  CHECK(token->top.size() == 2);
}

TEST_CASE("sampler: end tokens are banned until min_tokens were generated") {
  SamplingParams params;
  params.temperature = 0;
  const auto s = *prepare_sampling(params, {}, {3}, 2, 4);
  Sampler sampler(4);
  SampleState state;
  std::vector<float> logits{1, 2, 3, 4};
  const std::vector<int32_t> tokens{0, 0, 0};
  CHECK(sampler.sample(logits, s, {std::span(tokens).first(2), 1}, 0, state)->id == 2);
  CHECK(sampler.sample(logits, s, {tokens, 1}, 0, state)->id == 3);
}

TEST_CASE("mirostat: the mean surprise of long runs comes near to tau, in both versions") {
  constexpr int kVocab = 5000;
  std::vector<float> logits(kVocab);
  for (int i = 0; i < kVocab; ++i)  // Zipf with exponent 1.1
    logits[static_cast<size_t>(i)] = -1.1f * std::log(static_cast<float>(i + 1));
  const auto logprobs = log_softmax(logits);
  Sampler sampler(kVocab);
  for (const int version : {1, 2})
    for (const float tau : {4.0f, 6.0f}) {
      SamplingParams params;
      params.mirostat = version;
      params.mirostat_tau = tau;
      params.seed = 7;
      const auto s = *prepare_sampling(params, {}, {}, 0, kVocab);
      SampleState state;
      std::vector<int32_t> tokens{0};
      double surprise = 0;
      constexpr int kRounds = 3000;
      for (int i = 0; i < kRounds; ++i) {
        const auto token = sampler.sample(logits, s, {tokens, 1}, 0, state);
        REQUIRE(token);
        tokens.push_back(token->id);
        surprise -= logprobs[static_cast<size_t>(token->id)] / std::log(2.0);
      }
      CAPTURE(version);
      CHECK(surprise / kRounds == doctest::Approx(tau).epsilon(0.05));
    }
}

TEST_CASE("mirostat: a flat, a single and a steep distribution are no trouble") {
  Sampler sampler(4);
  const std::vector<int32_t> tokens{0};
  const float inf = std::numeric_limits<float>::infinity();
  for (const auto& row : {std::vector<float>{1, 1, 1, 1}, {-inf, 5, -inf, -inf}, {1e30f, 0, 0, 0}})
    for (const int version : {1, 2}) {
      SamplingParams params;
      params.mirostat = version;
      SampleState state;
      auto logits = row;
      for (int i = 0; i < 50; ++i) {
        const auto token = sampler.sample(logits, settings(params), {tokens, 1}, 0, state);
        REQUIRE(token);
        REQUIRE(token->id >= 0);
        REQUIRE(std::isfinite(state.mirostat_mu));
      }
    }
}

TEST_CASE("sampling parameters: out of range is refused by name and value") {
  const auto refused = [](auto change) {
    SamplingParams params;
    change(params);
    const auto result = prepare_sampling(params, {}, {}, 0, 4);
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().code == ErrorCode::kInvalidArgument);
    return result.error().message;
  };
  CHECK(refused([](auto& p) { p.top_p = 1.5f; }) == "top_p 1.5 is not in 0..1");
  CHECK(refused([](auto& p) { p.temperature = std::nanf(""); }).find("temperature") == 0);
  CHECK(refused([](auto& p) { p.repetition_penalty = 0; }).find("repetition_penalty") == 0);
  CHECK(refused([](auto& p) { p.logit_bias = {{4, 1.0f}}; }).find("logit_bias") == 0);
  CHECK(refused([](auto& p) { p.mirostat = 3; }).find("mirostat") == 0);
  CHECK_FALSE(prepare_sampling({}, {}, {-1}, 0, 4));
  CHECK(prepare_sampling({}, {}, {3}, 0, 4));
}
