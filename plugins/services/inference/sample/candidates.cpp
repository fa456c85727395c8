// Selection without sorting 128k tokens: a growing sorted front is enough for nearly every draw.
#include "plugins/services/inference/sample/candidates.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/check.hpp"

namespace aictl::inference {
namespace {

constexpr float kLowest = -std::numeric_limits<float>::infinity();
constexpr float kLargest = std::numeric_limits<float>::max();

bool in_order(const Candidate& a, const Candidate& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
}

float cooled(float logit, float largest, float t) {
  return std::max((logit - largest) / t, -kLargest);
}

float largest_of(std::span<const float> logits) {
  float largest = kLowest;
  for (const float logit : logits)
    if (logit > largest) largest = logit;
  return std::min(largest, kLargest);
}

}  // namespace

Candidates::Candidates(int vocab) { items_.reserve(static_cast<size_t>(vocab)); }

void Candidates::assign(std::span<const float> logits) {
  items_.clear();
  const float largest = largest_of(logits);
  for (size_t id = 0; id < logits.size(); ++id)
    if (logits[id] > kLowest)
      items_.push_back(
          {cooled(std::min(logits[id], kLargest), largest, 1), static_cast<int32_t>(id)});
  largest_ = 0;
  sorted_ = 0;
  changed();
}

void Candidates::assign_top(std::span<const float> logits, float t, int k) {
  items_.clear();
  const float largest = largest_of(logits);
  const auto limit = static_cast<size_t>(k);
  // A heap with the last in order on top. Ids ascend: what is not above the bar comes too late.
  float bar = kLowest;
  for (size_t id = 0; id < logits.size(); ++id) {
    if (!(logits[id] > bar)) continue;
    const Candidate candidate{cooled(std::min(logits[id], kLargest), largest, t),
                              static_cast<int32_t>(id)};
    if (items_.size() == limit) {
      if (!in_order(candidate, items_.front())) {
        bar = logits[id];
        continue;
      }
      std::pop_heap(items_.begin(), items_.end(), in_order);
      items_.back() = candidate;
    } else {
      items_.push_back(candidate);
    }
    std::push_heap(items_.begin(), items_.end(), in_order);
  }
  std::sort_heap(items_.begin(), items_.end(), in_order);
  sorted_ = items_.size();
  largest_ = 0;
  changed();
}

std::span<const Candidate> Candidates::sorted(size_t count) {
  count = std::min(count, items_.size());
  if (count > sorted_) {
    constexpr size_t kHeapLimit = 512;  // up to here a heap over one pass beats a partition
    const auto from = items_.begin() + static_cast<std::ptrdiff_t>(sorted_);
    const auto to = items_.begin() + static_cast<std::ptrdiff_t>(count);
    if (count - sorted_ <= kHeapLimit) {
      std::partial_sort(from, to, items_.end(), in_order);
    } else {
      if (to != items_.end()) std::nth_element(from, to - 1, items_.end(), in_order);
      std::sort(from, to, in_order);
    }
    sorted_ = count;
  }
  return std::span(items_).first(count);
}

double Candidates::weight(const Candidate& c) const { return std::exp(c.logit - largest_); }

double Candidates::total() {
  if (total_ < 0) {
    total_ = 0;
    for (const Candidate& c : items_) total_ += weight(c);
  }
  return total_;
}

double Candidates::entropy() {
  const double log_total = std::log(total());
  double entropy = 0;
  for (const Candidate& c : items_) {
    const double w = weight(c);
    if (w > 0) entropy += w * (log_total - (static_cast<double>(c.logit) - largest_));
  }
  return entropy / total();
}

void Candidates::temperature(float t) {
  for (Candidate& c : items_) c.logit = cooled(c.logit, largest_, t);
  largest_ = 0;
  sorted_ = 0;  // logits that differed may be equal now, which puts the lower id first
  changed();
}

void Candidates::keep_first(size_t count) {
  if (count >= items_.size()) return;
  (void)sorted(count);
  items_.resize(count);
  changed();
}

void Candidates::top_k(int k) { keep_first(static_cast<size_t>(k)); }

size_t Candidates::reach(double target, bool strictly) {
  double sum = 0;
  for (size_t i = 0; i < items_.size(); ++i) {
    if (i >= sorted_) (void)sorted(std::max<size_t>(256, 4 * sorted_));
    sum += weight(items_[i]);
    if (strictly ? sum > target : sum >= target) return i + 1;
  }
  return items_.size();
}

void Candidates::top_p(float p) { keep_first(reach(static_cast<double>(p) * total(), false)); }

void Candidates::keep_at_least(float threshold) {
  // Relative order stays, so the sorted front stays sorted, as far as it is kept.
  const auto front = items_.begin() + static_cast<std::ptrdiff_t>(sorted_);
  const auto kept_front = std::find_if(items_.begin(), front,
                                       [&](const Candidate& c) { return !(c.logit >= threshold); });
  const size_t sorted = static_cast<size_t>(kept_front - items_.begin());
  std::erase_if(items_, [&](const Candidate& c) { return !(c.logit >= threshold); });
  sorted_ = sorted;
  changed();
}

void Candidates::min_p(float p) { keep_at_least(largest_ + std::log(p)); }

void Candidates::top_n_sigma(float n) {
  double sum = 0, squares = 0;
  for (const Candidate& c : items_) sum += c.logit;
  const double mean = sum / static_cast<double>(items_.size());
  for (const Candidate& c : items_) squares += (c.logit - mean) * (c.logit - mean);
  const double sigma = std::sqrt(squares / static_cast<double>(items_.size()));
  keep_at_least(static_cast<float>(largest_ - n * sigma));
}

void Candidates::typical(float p) {
  const double log_total = std::log(total()), expected = entropy();
  typical_.clear();
  for (const Candidate& c : items_) {
    const double surprise = log_total - (static_cast<double>(c.logit) - largest_);
    typical_.push_back({std::abs(surprise - expected), weight(c), c});
  }
  std::sort(typical_.begin(), typical_.end(), [](const Typical& a, const Typical& b) {
    return a.distance != b.distance ? a.distance < b.distance : in_order(a.candidate, b.candidate);
  });
  const double target = static_cast<double>(p) * total();
  double sum = 0;
  items_.clear();
  largest_ = kLowest;
  for (const Typical& t : typical_) {
    items_.push_back(t.candidate);
    largest_ = std::max(largest_, t.candidate.logit);
    sum += t.weight;
    if (sum >= target) break;
  }
  sorted_ = 0;
  changed();
}

void Candidates::exclude_top(float threshold) {
  const double least = static_cast<double>(threshold) * total();
  size_t count = 0;
  while (count < items_.size()) {
    if (count >= sorted_) (void)sorted(std::max<size_t>(16, 4 * sorted_));
    if (weight(items_[count]) < least) break;
    ++count;
  }
  if (count < 2) return;
  items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(count - 1));
  sorted_ -= count - 1;
  largest_ = items_[0].logit;
  changed();
}

void Candidates::keep_surprise(float bits) {
  // -log2(w / total) <= bits  <=>  logit >= largest + ln(total) - bits ln 2
  const double bar = largest_ + std::log(total()) - bits * std::log(2.0);
  keep_at_least(std::min(static_cast<float>(bar), largest_));
}

Candidate Candidates::draw(double u) {
  CHECK(!items_.empty());
  return items_[reach(u * total(), true) - 1];
}

}  // namespace aictl::inference
