// Penalties on hand-made histories.
#include <doctest/doctest.h>

#include "plugins/services/inference/sample/penalties.hpp"

using namespace aictl;
using namespace aictl::inference;

namespace {

std::vector<float> apply(const SamplingParams& params, std::vector<int32_t> tokens, int prompt,
                         std::vector<int32_t> breakers = {}) {
  std::vector<float> logits{1, -1, 2, 0, 4, 5, 6, 7};
  LogitPatch patch(8);
  Penalties penalties(8);
  patch.begin(logits);
  penalties.apply(patch, params, {tokens, prompt}, breakers);
  auto out = logits;
  patch.restore();
  CHECK(logits == std::vector<float>{1, -1, 2, 0, 4, 5, 6, 7});
  return out;
}

}  // namespace

TEST_CASE(
    "penalties: repetition divides what is positive and multiplies what is not, in its window") {
  SamplingParams p;
  p.repetition_penalty = 2;
  p.repeat_last_n = 3;
  CHECK(apply(p, {7, 0, 0, 1}, 4) == std::vector<float>{0.5f, -2, 2, 0, 4, 5, 6, 7});
  p.repeat_last_n = -1;
  CHECK(apply(p, {7, 0, 0, 1}, 4) == std::vector<float>{0.5f, -2, 2, 0, 4, 5, 6, 3.5f});
  p.repeat_last_n = 0;
  CHECK(apply(p, {7, 0, 0, 1}, 4) == std::vector<float>{1, -1, 2, 0, 4, 5, 6, 7});
}

TEST_CASE("penalties: frequency and presence count generated tokens only") {
  SamplingParams p;
  p.frequency_penalty = 1;
  p.presence_penalty = 0.5f;
  CHECK(apply(p, {4, 4, 4, 5, 5, 6}, 3) == std::vector<float>{1, -1, 2, 0, 4, 2.5f, 4.5f, 7});
}

TEST_CASE("penalties: DRY grows with the length of the sequence a token would repeat") {
  SamplingParams p;
  p.dry_multiplier = 1;
  p.dry_base = 2;
  p.dry_allowed_length = 2;
  // 1 2 3 [4] ... 1 2 3: token 4 would repeat three; 1 * 2^(3-2).
  CHECK(apply(p, {1, 2, 3, 4, 0, 1, 2, 3}, 4) == std::vector<float>{1, -1, 2, 0, 2, 5, 6, 7});
  // A breaker within the match shortens it to two: 1 * 2^0. At its end there is none.
  CHECK(apply(p, {1, 2, 3, 4, 0, 1, 2, 3}, 4, {1}) == std::vector<float>{1, -1, 2, 0, 3, 5, 6, 7});
  CHECK(apply(p, {1, 2, 3, 4, 0, 1, 2, 3}, 4, {3}) == std::vector<float>{1, -1, 2, 0, 4, 5, 6, 7});
  // Shorter than allowed: nothing.
  CHECK(apply(p, {3, 4, 0, 1, 3}, 4) == std::vector<float>{1, -1, 2, 0, 4, 5, 6, 7});
}
