#include "core/load/stats/tests.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/load/stats/distribution.hpp"

namespace aictl::load {
namespace {

constexpr size_t kMostExact = 900;  // products of the sizes for which U is counted out
constexpr size_t kBatch = 5;        // of MSER-5

// P(U <= u) by counting: the number of ways to get each U obeys f(u; n, m) = f(u - m; n - 1, m) +
// f(u; n, m - 1).
double exact_tail(size_t n, size_t m, size_t u) {
  std::vector<std::vector<double>> ways(m + 1, std::vector<double>(n * m + 1, 0));
  for (auto& row : ways) row[0] = 1;  // n = 0
  for (size_t i = 1; i <= n; ++i) {
    std::vector<std::vector<double>> next(m + 1, std::vector<double>(n * m + 1, 0));
    next[0][0] = 1;
    for (size_t j = 1; j <= m; ++j)
      for (size_t v = 0; v <= i * j; ++v)
        next[j][v] = next[j - 1][v] + (v >= j ? ways[j][v - j] : 0);
    ways = std::move(next);
  }
  const auto& row = ways[m];
  const auto end = row.begin() + static_cast<std::ptrdiff_t>(std::min(u, n * m)) + 1;
  return std::accumulate(row.begin(), end, 0.0) / std::accumulate(row.begin(), row.end(), 0.0);
}

}  // namespace

double mann_whitney(std::span<const double> a, std::span<const double> b) {
  if (a.empty() || b.empty()) return 1;
  struct Item {
    double value;
    bool of_a;
  };
  std::vector<Item> all;
  for (const double value : a) all.push_back({value, true});
  for (const double value : b) all.push_back({value, false});
  std::sort(all.begin(), all.end(), [](const Item& x, const Item& y) { return x.value < y.value; });
  double rank_sum = 0, ties = 0;  // of a; sum of t^3 - t
  for (size_t i = 0; i < all.size();) {
    size_t j = i;
    while (j < all.size() && all[j].value == all[i].value) ++j;
    const double rank = (static_cast<double>(i + j) + 1) / 2;
    for (size_t k = i; k < j; ++k) rank_sum += all[k].of_a ? rank : 0;
    const auto t = static_cast<double>(j - i);
    ties += t * t * t - t;
    i = j;
  }
  const auto n = static_cast<double>(a.size()), m = static_cast<double>(b.size()), s = n + m;
  const double u = rank_sum - n * (n + 1) / 2;
  const double greater = std::max(u, n * m - u);
  if (ties == 0 && a.size() * b.size() <= kMostExact)
    return std::min(1.0, 2 * exact_tail(a.size(), b.size(), static_cast<size_t>(n * m - greater)));
  const double variance = n * m / 12 * ((s + 1) - ties / (s * (s - 1)));
  if (!(variance > 0)) return 1;
  const double z = (greater - n * m / 2 - 0.5) / std::sqrt(variance);
  return std::min(1.0, 2 * normal_cdf(-z));
}

std::vector<double> holm(std::span<const double> p_values) {
  std::vector<size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(),
            [&](size_t x, size_t y) { return p_values[x] < p_values[y]; });
  std::vector<double> corrected(p_values.size());
  double highest = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    const double p = p_values[order[i]] * static_cast<double>(order.size() - i);
    highest = std::max(highest, std::min(1.0, p));
    corrected[order[i]] = highest;
  }
  return corrected;
}

std::optional<Trend> linear_trend(std::span<const double> x, std::span<const double> y) {
  const size_t n = std::min(x.size(), y.size());
  if (n < 3) return std::nullopt;
  const double x_mean = mean(x.first(n)), y_mean = mean(y.first(n));
  double xx = 0, xy = 0, yy = 0;
  for (size_t i = 0; i < n; ++i) {
    xx += (x[i] - x_mean) * (x[i] - x_mean);
    xy += (x[i] - x_mean) * (y[i] - y_mean);
    yy += (y[i] - y_mean) * (y[i] - y_mean);
  }
  if (!(xx > 0)) return std::nullopt;
  const double slope = xy / xx, freedom = static_cast<double>(n) - 2;
  const double residual = std::max(0.0, yy - slope * xy);
  const double half = student_quantile(0.975, freedom) * std::sqrt(residual / freedom / xx);
  return Trend{slope, {slope - half, slope + half}};
}

size_t warmup_length(std::span<const double> values) {
  std::vector<double> batches;
  for (size_t at = 0; at + kBatch <= values.size(); at += kBatch)
    batches.push_back(mean(values.subspan(at, kBatch)));
  if (batches.size() < 4) return 0;
  size_t best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (size_t drop = 0; drop <= batches.size() / 2; ++drop) {
    const std::span<const double> rest = std::span<const double>(batches).subspan(drop);
    const auto n = static_cast<double>(rest.size());
    const double spread = deviation(rest);
    const double error = spread * spread * (n - 1) / (n * n);
    if (error < least) {
      least = error;
      best = drop;
    }
  }
  return best * kBatch;
}

}  // namespace aictl::load
