// Penalties touch few of the logits: the tokens that occurred.
#include "plugins/services/inference/sample/penalties.hpp"

#include <algorithm>
#include <cmath>

namespace aictl::inference {
namespace {

// The last `n` of tokens; all when n is negative.
std::span<const int32_t> last(std::span<const int32_t> tokens, int n) {
  return n < 0 ? tokens : tokens.last(std::min(tokens.size(), static_cast<size_t>(n)));
}

}  // namespace

LogitPatch::LogitPatch(int vocab) : touched_in_(static_cast<size_t>(vocab), 0) {
  saved_.reserve(touched_in_.size());
}

void LogitPatch::begin(std::span<float> logits) {
  logits_ = logits;
  saved_.clear();
  if (++round_ == 0) {  // wrapped: old rounds would look like this one
    std::fill(touched_in_.begin(), touched_in_.end(), 0);
    round_ = 1;
  }
}

float& LogitPatch::at(int32_t id) {
  const auto i = static_cast<size_t>(id);
  if (touched_in_[i] != round_) {
    touched_in_[i] = round_;
    saved_.emplace_back(id, logits_[i]);
  }
  return logits_[i];
}

void LogitPatch::restore() {
  for (const auto& [id, logit] : saved_) logits_[static_cast<size_t>(id)] = logit;
}

TokenCounts::TokenCounts(int vocab) : counts_(static_cast<size_t>(vocab), 0) {
  tokens_.reserve(counts_.size());
}

void TokenCounts::clear() {
  for (const int32_t id : tokens_) counts_[static_cast<size_t>(id)] = 0;
  tokens_.clear();
}

void TokenCounts::set(int32_t id, int count) {
  int32_t& slot = counts_[static_cast<size_t>(id)];
  if (slot == 0) tokens_.push_back(id);
  slot = count;
}

void Penalties::count(std::span<const int32_t> tokens) {
  counts_.clear();
  for (const int32_t id : tokens) counts_.set(id, counts_.of(id) + 1);
}

void Penalties::apply(LogitPatch& logits, const SamplingParams& params, const History& history,
                      std::span<const int32_t> dry_breakers) {
  if (params.repetition_penalty != 1 && params.repeat_last_n != 0)
    repetition(logits, params, history);
  if (params.frequency_penalty != 0 || params.presence_penalty != 0)
    frequency(logits, params, history);
  if (params.dry_multiplier != 0 && params.dry_penalty_last_n != 0)
    dry(logits, params, history, dry_breakers);
}

void Penalties::repetition(LogitPatch& logits, const SamplingParams& params,
                           const History& history) {
  count(last(history.tokens, params.repeat_last_n));
  for (const int32_t id : counts_.tokens()) {
    float& logit = logits.at(id);
    logit = logit > 0 ? logit / params.repetition_penalty : logit * params.repetition_penalty;
  }
}

void Penalties::frequency(LogitPatch& logits, const SamplingParams& params,
                          const History& history) {
  count(history.tokens.subspan(static_cast<size_t>(history.prompt)));
  for (const int32_t id : counts_.tokens())
    logits.at(id) -=
        params.frequency_penalty * static_cast<float>(counts_.of(id)) + params.presence_penalty;
}

void Penalties::dry(LogitPatch& logits, const SamplingParams& params, const History& history,
                    std::span<const int32_t> breakers) {
  const auto window = last(history.tokens, params.dry_penalty_last_n);
  reversed_.assign(window.rbegin(), window.rend());
  const int n = static_cast<int>(reversed_.size());
  int longest = 0;  // a match ends at the breaker nearest to the end
  while (longest < n && !std::binary_search(breakers.begin(), breakers.end(),
                                            reversed_[static_cast<size_t>(longest)]))
    ++longest;

  // matches_[j]: how many tokens before j's successor equal the last ones. The Z algorithm.
  matches_.assign(reversed_.size(), 0);
  for (int j = 1, left = 0, right = 0; j < n; ++j) {
    int& z = matches_[static_cast<size_t>(j)];
    if (j < right) z = std::min(right - j, matches_[static_cast<size_t>(j - left)]);
    while (j + z < n && reversed_[static_cast<size_t>(z)] == reversed_[static_cast<size_t>(j + z)])
      ++z;
    if (j + z > right) left = j, right = j + z;
  }
  counts_.clear();  // of each successor: the longest match before it
  for (int j = 1; j < n; ++j) {
    const int length = std::min(matches_[static_cast<size_t>(j)], longest);
    const int32_t successor = reversed_[static_cast<size_t>(j - 1)];
    if (length > counts_.of(successor)) counts_.set(successor, length);
  }
  for (const int32_t id : counts_.tokens()) {
    const int excess = counts_.of(id) - params.dry_allowed_length;
    if (excess >= 0)
      logits.at(id) -=
          params.dry_multiplier * std::pow(params.dry_base, static_cast<float>(excess));
  }
}

}  // namespace aictl::inference
