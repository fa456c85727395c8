// Whether a difference, a trend or a beginning is more than chance.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "core/load/stats/sample.hpp"

namespace aictl::load {

/// The two-sided p-value of Mann and Whitney's U: exact for small samples without ties, else normal
/// with corrections for ties and continuity. 1 for an empty sample.
double mann_whitney(std::span<const double> a, std::span<const double> b);

/// Holm's correction over a family of p-values, in the order given.
std::vector<double> holm(std::span<const double> p_values);

/// The slope of a line through (x, y) by least squares with its 95 % interval; nullopt for fewer
/// than three points or one x.
struct Trend {
  double slope = 0;
  Interval ci;
};
std::optional<Trend> linear_trend(std::span<const double> x, std::span<const double> y);

/// How many values at the beginning are warm-up: the prefix whose removal makes the mean surest
/// (MSER-5, White 1997), at most half of them.
size_t warmup_length(std::span<const double> values);

}  // namespace aictl::load
