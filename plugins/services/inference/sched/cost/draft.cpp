#include "plugins/services/inference/sched/cost/draft.hpp"

#include <algorithm>

namespace aictl::inference {
namespace {

constexpr size_t kLookBack = 16384;
constexpr int kLeastMatch = 2, kLongMatch = 8;  // tokens
constexpr double kMargin = 1.25;  // a guess has to be worth that much more than it costs
constexpr int kTryAgain = 32;     // steps
constexpr int kPlain = 32;        // one step in so many makes no guesses

}  // namespace

int propose_draft(std::span<const int32_t> tokens, std::span<int32_t> out) {
  const size_t length = tokens.size();
  if (length < kLeastMatch + 1 || out.empty()) return 0;
  const size_t from = length > kLookBack ? length - kLookBack : 0;
  const int32_t last = tokens[length - 1];
  size_t best = 0;  // where what is proposed begins
  int longest = kLeastMatch - 1;
  for (size_t end = length - 1; end > from; --end) {  // tokens[end - 1] against the last one
    if (tokens[end - 1] != last) continue;
    int match = 1;
    while (match < kLongMatch && end - from > static_cast<size_t>(match) &&
           tokens[end - 1 - static_cast<size_t>(match)] ==
               tokens[length - 1 - static_cast<size_t>(match)])
      ++match;
    if (match <= longest) continue;
    longest = match, best = end;
    if (match == kLongMatch) break;
  }
  if (best == 0) return 0;
  // What follows may be the end itself, which repeats: then so does the guess.
  const size_t period = length - best;
  for (size_t i = 0; i < out.size(); ++i) out[i] = tokens[best + i % period];
  return static_cast<int>(out.size());
}

void DraftRecord::count(int drafted, int accepted) {
  constexpr float kWeight = 0.15f;
  for (int i = 0; i < accepted; ++i) hits_ += kWeight * (1 - hits_);
  if (accepted < drafted) hits_ -= kWeight * hits_;
}

bool DraftRecord::try_again() {
  if (++passed_ < kTryAgain) return false;
  passed_ = 0;
  return true;
}

void DraftPolicy::begin(const StepCost& cost, const StepShape& shape, int decoding) {
  token_seconds_ = decoding > 0 ? cost.predict(shape) / decoding : 0;
  plain_ = ++steps_ % kPlain == 0;
}

double DraftPolicy::row(const StepCost& cost, int context) const {
  return price_ * cost.row(context, true);
}

int DraftPolicy::most(const StepCost& cost, const DraftRecord& record, int context) const {
  if (plain_) return 0;
  const double worth = kMargin * row(cost, context);
  double right = record.hits();
  int count = 0;
  while (count < kMaxDraft && right * token_seconds_ >= worth) {
    right *= record.hits();
    ++count;
  }
  return count;
}

bool DraftPolicy::could_pay(const StepCost& cost, int context) const {
  return !plain_ && token_seconds_ >= kMargin * row(cost, context);
}

void DraftPolicy::observe(double seconds, double plain, double predicted_rows) {
  if (!(predicted_rows > 0)) return;
  const double seen = std::clamp((seconds - plain) / predicted_rows, 0.0, 8.0);
  price_ += 0.1 * (seen - price_);
  price_ = std::max(price_, 0.5);
}

}  // namespace aictl::inference
