// Samples and what is said of them: percentiles as numpy counts them, and how sure they are.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace aictl::load {

/// The percentiles every result has.
inline constexpr double kPercentiles[] = {0.5, 0.9, 0.95, 0.99, 0.999};

struct Interval {
  double low = 0, high = 0;
};

/// Linear between order statistics: numpy's default. `sorted` is ascending and not empty, 0 <= p <=
/// 1.
double percentile(std::span<const double> sorted, double p);

/// Whether `n` values tell anything of percentile `p`: n (1 - p) >= 5.
bool enough_for(size_t n, double p);

double mean(std::span<const double> values);
/// With n - 1; 0 for fewer than two.
double deviation(std::span<const double> values);

/// 95 % of the mean by Student's t over batches that are taken as independent; nullopt for fewer
/// than two.
std::optional<Interval> mean_interval(std::span<const double> batches);

/// 95 % of each of `ps` by `folds` bootstrap draws of whole blocks (the requests of a second, or
/// each alone): `values[i]` belongs to `blocks[i]`. nullopt for fewer than 10 blocks, or when the
/// work would be out of proportion.
std::optional<std::vector<Interval>> bootstrap_percentiles(std::span<const double> values,
                                                           std::span<const int64_t> blocks,
                                                           std::span<const double> ps, int folds,
                                                           uint64_t seed);

/// 95 % of percentile `p` by order statistics, from the binomial distribution of how many values
/// are below it. `sorted` is ascending and not empty.
Interval order_interval(std::span<const double> sorted, double p);

/// A ratio by bootstrap: its 95 % interval, and how probable a draw on the other side of 1 is, both
/// sides taken together.
struct Ratio {
  Interval ci{1, 1};
  double p_value = 1;
};

/// Percentile p of `b` over that of `a`. Both not empty.
Ratio bootstrap_ratio(std::span<const double> a, std::span<const double> b, double p, int folds,
                      uint64_t seed);

}  // namespace aictl::load
