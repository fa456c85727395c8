// Many draws with fixed seeds follow the distribution the samplers leave.
#include <doctest/doctest.h>

#include <cmath>
#include <map>

#include "plugins/services/inference/sample/sampler.hpp"

using namespace aictl;
using namespace aictl::inference;

namespace {

// Draws at 40000 positions; compares counts with `expected` by Pearson's chi square and demands
// less than `limit`, its 99.9th percentile at the number of ids - 1. What is not expected must not
// occur.
void check(const SamplingParams& base, const std::vector<double>& expected, double limit) {
  std::vector<float> logits;
  for (const double p : {0.4, 0.25, 0.15, 0.1, 0.06, 0.04})
    logits.push_back(static_cast<float>(std::log(p)));
  SamplingParams params = base;
  params.seed = 20240607;
  const auto settings = *prepare_sampling(params, {}, {}, 0, 6);
  Sampler sampler(6);
  SampleState state;
  constexpr int kDraws = 40000;
  std::vector<int> counts(6, 0);
  std::vector<int32_t> tokens;
  for (int i = 0; i < kDraws; ++i) {
    tokens.push_back(0);
    ++counts[static_cast<size_t>(sampler.sample(logits, settings, {tokens, 1}, 0, state)->id)];
  }
  double chi_square = 0;
  for (size_t i = 0; i < 6; ++i) {
    const double mean = expected[i] * kDraws;
    if (mean == 0)
      CHECK(counts[i] == 0);
    else
      chi_square += (counts[i] - mean) * (counts[i] - mean) / mean;
  }
  CHECK(chi_square < limit);
}

}  // namespace

TEST_CASE("distribution: plain sampling") { check({}, {0.4, 0.25, 0.15, 0.1, 0.06, 0.04}, 20.5); }

TEST_CASE("distribution: temperature 2 takes square roots") {
  SamplingParams params;
  params.temperature = 2;
  std::vector<double> expected;
  double sum = 0;
  for (const double p : {0.4, 0.25, 0.15, 0.1, 0.06, 0.04}) sum += std::sqrt(p);
  for (const double p : {0.4, 0.25, 0.15, 0.1, 0.06, 0.04}) expected.push_back(std::sqrt(p) / sum);
  check(params, expected, 20.5);
}

TEST_CASE("distribution: top-k, top-p and min-p renormalise what they leave") {
  SamplingParams params;
  params.top_k = 2;
  check(params, {0.4 / 0.65, 0.25 / 0.65, 0, 0, 0, 0}, 10.8);
  params = {};
  params.top_p = 0.7f;
  check(params, {0.5, 0.3125, 0.1875, 0, 0, 0}, 13.8);
  params = {};
  params.min_p = 0.2f;
  check(params, {0.4 / 0.9, 0.25 / 0.9, 0.15 / 0.9, 0.1 / 0.9, 0, 0}, 16.3);
}

TEST_CASE("distribution: XTC leaves out the top with its probability and not otherwise") {
  SamplingParams params;
  params.xtc_probability = 0.5f;
  params.xtc_threshold = 0.2f;
  std::vector<double> expected{0.2, 0, 0, 0, 0, 0};  // half of the draws are plain
  const std::vector<double> p{0.4, 0.25, 0.15, 0.1, 0.06, 0.04};
  for (size_t i = 1; i < 6; ++i) expected[i] = 0.5 * p[i] + 0.5 * p[i] / 0.6;
  check(params, expected, 20.5);
}
