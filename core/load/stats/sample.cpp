#include "core/load/stats/sample.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "core/load/arrival/random.hpp"
#include "core/load/stats/distribution.hpp"

namespace aictl::load {
namespace {

constexpr double kTwoSided = 0.975;
constexpr double kMostWork = 2e8;  // values touched by a bootstrap: about a second

// Percentiles of a sorted sample in which value i stands counts[i] times; `total` in all.
void weighted_percentiles(std::span<const double> sorted, std::span<const int32_t> counts,
                          int64_t total, std::span<const double> ps, std::vector<double>& out) {
  out.clear();
  size_t at = 0;
  int64_t passed = 0;  // values up to and including `at`, less its own
  const auto value_of_rank = [&](int64_t rank) {
    while (at + 1 < sorted.size() && passed + counts[at] <= rank) passed += counts[at++];
    return sorted[at];
  };
  for (const double p : ps) {
    const double rank = p * static_cast<double>(total - 1);
    const auto below = static_cast<int64_t>(rank);
    const double low = value_of_rank(below);
    const size_t kept_at = at;
    const int64_t kept_passed = passed;
    const double high = value_of_rank(std::min(below + 1, total - 1));
    at = kept_at;
    passed = kept_passed;
    out.push_back(low + (high - low) * (rank - static_cast<double>(below)));
  }
}

Interval middle_95(std::vector<double>& draws) {
  std::sort(draws.begin(), draws.end());
  return {percentile(draws, 1 - kTwoSided), percentile(draws, kTwoSided)};
}

std::vector<double> sorted_copy(std::span<const double> values) {
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

// Percentile p of a draw with replacement from a sorted sample.
double drawn_percentile(std::span<const double> sorted, double p, Random& random,
                        std::vector<int32_t>& counts, std::vector<double>& out) {
  counts.assign(sorted.size(), 0);
  for (size_t i = 0; i < sorted.size(); ++i) ++counts[random.below(sorted.size())];
  weighted_percentiles(sorted, counts, static_cast<int64_t>(sorted.size()), {&p, 1}, out);
  return out.front();
}

}  // namespace

double percentile(std::span<const double> sorted, double p) {
  const double rank = p * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(rank);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (rank - static_cast<double>(below));
}

bool enough_for(size_t n, double p) { return static_cast<double>(n) * (1 - p) >= 5 - 1e-9; }

double mean(std::span<const double> values) {
  if (values.empty()) return 0;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double deviation(std::span<const double> values) {
  if (values.size() < 2) return 0;
  const double middle = mean(values);
  double squares = 0;
  for (const double value : values) squares += (value - middle) * (value - middle);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

std::optional<Interval> mean_interval(std::span<const double> batches) {
  if (batches.size() < 2) return std::nullopt;
  const auto n = static_cast<double>(batches.size());
  const double half = student_quantile(kTwoSided, n - 1) * deviation(batches) / std::sqrt(n);
  const double middle = mean(batches);
  return Interval{middle - half, middle + half};
}

std::optional<std::vector<Interval>> bootstrap_percentiles(std::span<const double> values,
                                                           std::span<const int64_t> blocks,
                                                           std::span<const double> ps, int folds,
                                                           uint64_t seed) {
  if (static_cast<double>(values.size()) * folds > kMostWork) return std::nullopt;
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] < values[b]; });
  std::vector<double> sorted;
  std::map<int64_t, std::vector<uint32_t>> members;  // of a block, as ranks
  for (size_t rank = 0; rank < order.size(); ++rank) {
    sorted.push_back(values[order[rank]]);
    members[blocks[order[rank]]].push_back(static_cast<uint32_t>(rank));
  }
  if (members.size() < 10) return std::nullopt;
  std::vector<const std::vector<uint32_t>*> all;
  for (const auto& [block, ranks] : members) all.push_back(&ranks);

  Random random(seed, 0xb007);
  std::vector<std::vector<double>> draws(ps.size());
  std::vector<int32_t> counts;
  std::vector<double> found;
  for (int fold = 0; fold < folds; ++fold) {
    counts.assign(sorted.size(), 0);
    int64_t total = 0;
    for (size_t i = 0; i < all.size(); ++i) {
      const std::vector<uint32_t>& ranks = *all[random.below(all.size())];
      for (const uint32_t rank : ranks) ++counts[rank];
      total += static_cast<int64_t>(ranks.size());
    }
    weighted_percentiles(sorted, counts, total, ps, found);
    for (size_t i = 0; i < ps.size(); ++i) draws[i].push_back(found[i]);
  }
  std::vector<Interval> intervals;
  for (auto& one : draws) intervals.push_back(middle_95(one));
  return intervals;
}

Interval order_interval(std::span<const double> sorted, double p) {
  const auto n = static_cast<double>(sorted.size());
  const double half = normal_quantile(kTwoSided) * std::sqrt(n * p * (1 - p));
  const double low = std::floor(n * p - half), high = std::ceil(n * p + half);
  const auto at = [&](double rank) {
    return sorted[static_cast<size_t>(std::clamp(rank, 0.0, n - 1))];
  };
  return {at(low), at(high)};
}

Ratio bootstrap_ratio(std::span<const double> a, std::span<const double> b, double p, int folds,
                      uint64_t seed) {
  const std::vector<double> old_values = sorted_copy(a), new_values = sorted_copy(b);
  Random random(seed, 0x4a70);
  std::vector<int32_t> counts;
  std::vector<double> found, ratios;
  int lower = 0, higher = 0;
  for (int fold = 0; fold < folds; ++fold) {
    const double before = drawn_percentile(old_values, p, random, counts, found);
    const double after = drawn_percentile(new_values, p, random, counts, found);
    if (!(before > 0)) continue;
    ratios.push_back(after / before);
    lower += after <= before;
    higher += after >= before;
  }
  if (ratios.empty()) return {};
  // A draw that never happened is not impossible: one more is counted.
  const double p_value =
      2.0 * (std::min(lower, higher) + 1) / (static_cast<double>(ratios.size()) + 1);
  return {middle_95(ratios), std::min(1.0, p_value)};
}

}  // namespace aictl::load
