// Statistics against values from numpy, scipy and by hand.
#include <doctest/doctest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "core/load/arrival/random.hpp"
#include "core/load/stats/distribution.hpp"
#include "core/load/stats/sample.hpp"
#include "core/load/stats/tests.hpp"

namespace aictl::load {
namespace {

using doctest::Approx;

TEST_CASE("percentiles are linear between order statistics, as numpy's are") {
  const std::vector<double> four{1, 2, 3, 4};
  CHECK(percentile(four, 0.5) == Approx(2.5));
  CHECK(percentile(four, 0.9) == Approx(3.7));
  CHECK(percentile(four, 0.99) == Approx(3.97));
  CHECK(percentile(four, 0) == 1);
  CHECK(percentile(four, 1) == 4);
  CHECK(percentile(std::vector<double>{7}, 0.99) == 7);
  CHECK(percentile(std::vector<double>{15, 20, 35, 40, 50}, 0.4) == Approx(29));
}

TEST_CASE("a percentile needs five values beyond it") {
  CHECK(enough_for(10, 0.5));
  CHECK_FALSE(enough_for(9, 0.5));
  CHECK(enough_for(500, 0.99));
  CHECK_FALSE(enough_for(499, 0.99));
  CHECK(enough_for(5000, 0.999));
  CHECK_FALSE(enough_for(4999, 0.999));
}

TEST_CASE("quantiles of the normal and of Student's distribution are those of the tables") {
  CHECK(normal_quantile(0.975) == Approx(1.959963985).epsilon(1e-8));
  CHECK(normal_quantile(0.5) == Approx(0).epsilon(1e-8));
  CHECK(student_quantile(0.975, 1) == Approx(12.7062047).epsilon(1e-7));
  CHECK(student_quantile(0.975, 9) == Approx(2.262157163).epsilon(1e-8));
  CHECK(student_quantile(0.025, 9) == Approx(-2.262157163).epsilon(1e-8));
  CHECK(student_quantile(0.975, 1e6) == Approx(1.959966).epsilon(1e-5));
  CHECK(student_cdf(2, 10) == Approx(0.963306).epsilon(1e-5));
}

TEST_CASE("the mean's interval is Student's") {
  const std::vector<double> values{10, 12, 9, 11, 13};
  const auto ci = mean_interval(values);
  REQUIRE(ci.has_value());
  const double half = 2.776445105 * std::sqrt(2.5 / 5);  // t(0.975, 4) s / sqrt(n)
  CHECK(ci->low == Approx(11 - half));
  CHECK(ci->high == Approx(11 + half));
  CHECK_FALSE(mean_interval(std::vector<double>{1}).has_value());
}

TEST_CASE("Mann and Whitney: exact for small samples, corrected for ties") {
  const std::vector<double> low{1, 2, 3}, high{4, 5, 6};
  CHECK(mann_whitney(low, high) == Approx(0.1));  // 2 of the 20 orders
  CHECK(mann_whitney(high, low) == Approx(0.1));
  CHECK(mann_whitney(std::vector<double>{1, 2, 3, 4, 5}, std::vector<double>{6, 7, 8, 9, 10}) ==
        Approx(2.0 / 252));
  CHECK(mann_whitney(std::vector<double>{1, 4, 6}, std::vector<double>{2, 3, 5}) == Approx(1.0));
  // U = 13.5, ties of 3 and 2: z = 5 / sqrt(11.2857).
  CHECK(mann_whitney(std::vector<double>{1, 2, 2, 3}, std::vector<double>{2, 3, 4, 5}) ==
        Approx(0.13666).epsilon(1e-3));
  CHECK(mann_whitney(low, low) == Approx(1.0));
  CHECK(mann_whitney(std::vector<double>(20, 5.0), std::vector<double>(20, 5.0)) == 1);
  CHECK(mann_whitney({}, low) == 1);
}

TEST_CASE("Mann and Whitney: equal samples look different 5 times in 100, other ones always") {
  int different = 0;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Random random(seed);
    std::vector<double> a, b, c;
    for (int i = 0; i < 100; ++i) {
      a.push_back(random.normal());
      b.push_back(random.normal());
      c.push_back(random.normal() + 1);
    }
    different += mann_whitney(a, b) < 0.05;
    CHECK(mann_whitney(a, c) < 0.001);
  }
  CHECK(different >= 3);
  CHECK(different <= 20);
}

TEST_CASE("Holm's correction goes up with the rank and never down") {
  const auto corrected = holm(std::vector<double>{0.01, 0.04, 0.03});
  CHECK(corrected[0] == Approx(0.03));
  CHECK(corrected[1] == Approx(0.06));
  CHECK(corrected[2] == Approx(0.06));
  CHECK(holm(std::vector<double>{0.9, 0.8})[0] == Approx(1.0));
  CHECK(holm({}).empty());
}

TEST_CASE("a line's slope and its interval") {
  const std::vector<double> x{1, 2, 3, 4, 5}, y{2.1, 3.9, 6.2, 7.8, 10.1};
  const auto trend = linear_trend(x, y);
  REQUIRE(trend.has_value());
  CHECK(trend->slope == Approx(1.99));
  // residual variance 0.107 / 3, over sum of squares 10, t(0.975, 3) = 3.182446
  CHECK(trend->ci.high - trend->slope ==
        Approx(3.182446 * std::sqrt(0.107 / 3 / 10)).epsilon(1e-4));
  CHECK_FALSE(linear_trend(std::vector<double>{1, 1, 1}, y).has_value());
}

TEST_CASE("warm-up is the prefix whose removal makes the mean surest, at most half") {
  Random random(1);
  std::vector<double> values;
  for (int i = 0; i < 20; ++i) values.push_back(100 - 4 * i);
  for (int i = 0; i < 180; ++i) values.push_back(10 + random.normal());
  const size_t drop = warmup_length(values);
  CHECK(drop >= 20);
  CHECK(drop <= 60);
  CHECK(warmup_length(std::vector<double>(100, 3.0)) == 0);
  CHECK(warmup_length(std::vector<double>{9, 1, 1}) == 0);
  std::vector<double> falling(100);
  std::iota(falling.rbegin(), falling.rend(), 0.0);
  CHECK(warmup_length(falling) <= 50);
}

TEST_CASE("bootstrap intervals hold the true median about 95 times in 100") {
  int held = 0;
  const double half = 0.5;
  for (uint64_t round = 0; round < 200; ++round) {
    Random random(round, 99);
    std::vector<double> values;
    std::vector<int64_t> blocks;
    for (int i = 0; i < 60; ++i) {
      values.push_back(random.exponential());
      blocks.push_back(i);
    }
    const auto ci = bootstrap_percentiles(values, blocks, {&half, 1}, 200, round);
    REQUIRE(ci.has_value());
    held += ci->front().low <= std::log(2) && std::log(2) <= ci->front().high;
  }
  CHECK(held >= 178);
  CHECK(held <= 200);
}

TEST_CASE("a bootstrap of blocks is wider than one of values when neighbours are alike") {
  std::vector<double> values;
  std::vector<int64_t> blocks, each;
  Random random(4);
  for (int block = 0; block < 20; ++block) {
    const double level = random.normal();
    for (int i = 0; i < 20; ++i) {
      values.push_back(level + 0.01 * random.normal());
      blocks.push_back(block);
      each.push_back(block * 20 + i);
    }
  }
  const double half = 0.5;
  const auto wide = bootstrap_percentiles(values, blocks, {&half, 1}, 500, 1);
  const auto narrow = bootstrap_percentiles(values, each, {&half, 1}, 500, 1);
  REQUIRE((wide && narrow));
  CHECK(wide->front().high - wide->front().low >
        1.5 * (narrow->front().high - narrow->front().low));
  CHECK_FALSE(bootstrap_percentiles(values, std::vector<int64_t>(400, 0), {&half, 1}, 500, 1));
}

TEST_CASE("order statistics give a percentile's interval without drawing") {
  std::vector<double> values(1000);
  std::iota(values.begin(), values.end(), 1.0);
  const Interval ci = order_interval(values, 0.5);
  CHECK(ci.low == Approx(500 - 31).epsilon(0.01));
  CHECK(ci.high == Approx(500 + 31).epsilon(0.01));
}

TEST_CASE("the ratio of medians: its interval holds 2 for twice, and its p-value knows") {
  int held = 0, different = 0;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    std::vector<double> a, twice, same;
    Random random(seed);
    for (int i = 0; i < 100; ++i) {
      a.push_back(10 + random.normal());
      twice.push_back(2 * (10 + random.normal()));
      same.push_back(10 + random.normal());
    }
    const Ratio ratio = bootstrap_ratio(a, twice, 0.5, 300, 1);
    held += ratio.ci.low <= 2 && 2 <= ratio.ci.high;
    CHECK(ratio.p_value < 0.01);
    different += bootstrap_ratio(a, same, 0.5, 300, 1).p_value < 0.05;
  }
  CHECK(held >= 52);
  CHECK(different <= 9);
}

}  // namespace
}  // namespace aictl::load
