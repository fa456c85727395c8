// Selection without sorting 128k tokens: what is summed in order is summed by buckets of near
// logits first, and only the bucket in which the sum is reached gets sorted.
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

Candidates::Candidates(int vocab) : mass_(kBuckets) { items_.reserve(static_cast<size_t>(vocab)); }

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

size_t Candidates::bucket(const Candidate& c) const {
  constexpr float kPerNat = kBuckets / 32.0f;  // the last one takes all below e^-32
  const float place = (largest_ - c.logit) * kPerNat;
  return place < kBuckets - 1 ? static_cast<size_t>(place) : kBuckets - 1;
}

double Candidates::total() {
  if (total_ < 0) {
    std::fill(mass_.begin(), mass_.end(), 0.0);
    for (const Candidate& c : items_) mass_[bucket(c)] += weight(c);
    total_ = 0;
    for (const double mass : mass_) total_ += mass;
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
  const auto reached = [&](double sum) { return strictly ? sum > target : sum >= target; };
  double sum = 0;
  size_t begin = 0, end = items_.size();
  constexpr size_t kSortAll = 512;
  if (end <= kSortAll) {
    (void)sorted(end);
  } else {
    (void)total();
    size_t b = 0;
    while (b + 1 < kBuckets && !reached(sum + mass_[b])) sum += mass_[b++];
    const auto first = std::partition(items_.begin(), items_.end(),
                                      [&](const Candidate& c) { return bucket(c) < b; });
    const auto last =
        std::partition(first, items_.end(), [&](const Candidate& c) { return bucket(c) == b; });
    std::sort(first, last, in_order);
    begin = static_cast<size_t>(first - items_.begin());
    end = static_cast<size_t>(last - items_.begin());
    sorted_ = 0;
  }
  for (size_t i = begin; i < end; ++i)
    if (reached(sum += weight(items_[i]))) return i + 1;
  return std::max<size_t>(end, 1);
}

void Candidates::top_p(float p) {
  items_.resize(reach(static_cast<double>(p) * total(), false));
  sorted_ = std::min(sorted_, items_.size());
  changed();
}

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
