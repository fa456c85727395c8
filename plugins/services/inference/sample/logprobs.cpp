#include "plugins/services/inference/sample/logprobs.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace aictl::inference {
namespace {

constexpr float kLowest = -std::numeric_limits<float>::infinity();
constexpr float kLargest = std::numeric_limits<float>::max();

float defined(float logit) { return logit > kLowest ? std::min(logit, kLargest) : kLowest; }

}  // namespace

double log_sum_exp(std::span<const float> logits) {
  float largest = kLowest;
  for (const float logit : logits) largest = std::max(largest, defined(logit));
  if (largest == kLowest) return kLowest;
  double sum = 0;
  for (const float logit : logits) sum += std::exp(defined(logit) - largest);
  return largest + std::log(sum);
}

float token_logprob(float logit, double log_sum) {
  return logit > kLowest ? static_cast<float>(defined(logit) - log_sum) : kLowest;
}

std::vector<float> log_softmax(std::span<const float> logits) {
  const double log_sum = log_sum_exp(logits);
  std::vector<float> out;
  out.reserve(logits.size());
  for (const float logit : logits) out.push_back(token_logprob(logit, log_sum));
  return out;
}

std::vector<TokenLogprob> top_logprobs(std::span<const float> logits, double log_sum, int count) {
  const auto limit = static_cast<size_t>(std::max(0, count));
  const auto in_order = [](const TokenLogprob& a, const TokenLogprob& b) {
    return a.logprob != b.logprob ? a.logprob > b.logprob : a.id < b.id;
  };
  std::vector<TokenLogprob> heap;  // of logits until the end; the last in order on top
  heap.reserve(limit);
  if (limit == 0) return heap;
  for (size_t id = 0; id < logits.size(); ++id) {
    const float logit = defined(logits[id]);
    if (logit == kLowest || (heap.size() == limit && !(logit > heap.front().logprob))) continue;
    if (heap.size() == limit) {
      std::pop_heap(heap.begin(), heap.end(), in_order);
      heap.pop_back();
    }
    heap.push_back({static_cast<int32_t>(id), logit});
    std::push_heap(heap.begin(), heap.end(), in_order);
  }
  std::sort_heap(heap.begin(), heap.end(), in_order);
  for (TokenLogprob& t : heap) t.logprob = static_cast<float>(t.logprob - log_sum);
  return heap;
}

}  // namespace aictl::inference
