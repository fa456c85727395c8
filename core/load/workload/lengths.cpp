#include "core/load/workload/lengths.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

namespace aictl::load {
namespace {

constexpr double kMost = 1 << 24;
constexpr double kNormal99 = 2.3263478740408408;  // the 99th percentile of the normal distribution

std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (wrong != std::errc() || end != text.data() + text.size() || !(value >= 0) || value > kMost)
    return std::nullopt;
  return value;
}

// mu and sigma of the lognormal with this mean and 99th percentile: sigma^2/2 - z sigma + ln(p99 /
// mean) = 0, the smaller root.
std::optional<Lengths> lognormal(double mean, double p99) {
  const double log_ratio = std::log(p99 / mean);
  const double square = kNormal99 * kNormal99 - 2 * log_ratio;
  if (!(mean >= 1) || !(log_ratio >= 0) || square < 0) return std::nullopt;
  const double sigma = kNormal99 - std::sqrt(square);
  return Lengths{Lengths::Kind::kLognormal, std::log(mean) - sigma * sigma / 2, sigma};
}

}  // namespace

int64_t Lengths::draw(Random& random) const {
  double value = a;
  if (kind == Kind::kUniform) value = a + std::floor((b - a + 1) * random.uniform());
  if (kind == Kind::kNormal) value = a + b * random.normal();
  if (kind == Kind::kLognormal) value = std::exp(a + b * random.normal());
  return static_cast<int64_t>(std::clamp(std::round(value), 1.0, kMost));
}

Result<Lengths> parse_lengths(std::string_view text) {
  using Kind = Lengths::Kind;
  const size_t colon = text.find(':');
  if (colon == text.npos)
    if (const auto n = number(text); n && *n >= 1 && *n == std::floor(*n))
      return Lengths{Kind::kFixed, *n};
  if (colon != text.npos) {
    const std::string_view kind = text.substr(0, colon), rest = text.substr(colon + 1);
    const size_t between = rest.find(kind == "uniform" ? '-' : ',');
    if (between != rest.npos) {
      const auto first = number(rest.substr(0, between)), second = number(rest.substr(between + 1));
      if (first && second && kind == "uniform" && *first >= 1 && *first <= *second)
        return Lengths{Kind::kUniform, *first, *second};
      if (first && second && kind == "normal" && *first >= 1)
        return Lengths{Kind::kNormal, *first, *second};
      if (first && second && kind == "lognormal")
        if (const auto made = lognormal(*first, *second)) return *made;
    }
  }
  return Error{ErrorCode::kInvalidArgument, fmt::format("no distribution of lengths '{}'", text),
               "write 512, uniform:256-1024, normal:MEAN,DEVIATION or lognormal:MEAN,P99 (with a "
               "p99 of at most 14.9 times the mean)"};
}

}  // namespace aictl::load
