#include "core/load/arrival/arrivals.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <optional>

#include "core/base/units.hpp"

namespace aictl::load {
namespace {

constexpr double kMaxRate = 1e6;

std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (wrong != std::errc() || end != text.data() + text.size() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

std::optional<double> rate(std::string_view text) {
  const auto value = number(text);
  return value && *value > 0 && *value <= kMaxRate ? value : std::nullopt;
}

Result<double> seconds(std::string_view text) {
  auto duration = parse_duration(text);
  if (!duration) return std::move(duration).error();
  return std::chrono::duration<double>(*duration).count();
}

// Requests due within the whole segment.
double area(const RateSegment& s) {
  if (s.from == s.to) return s.from * s.seconds;
  if (!s.exponential) return (s.from + s.to) / 2 * s.seconds;
  return s.seconds * (s.to - s.from) / std::log(s.to / s.from);
}

// The time within the segment by which `due` requests are due.
double inverse(const RateSegment& s, double due) {
  if (s.from == s.to) return due / s.from;
  if (!s.exponential)
    return 2 * due / (s.from + std::sqrt(s.from * s.from + 2 * (s.to - s.from) * due / s.seconds));
  const double k = std::log(s.to / s.from);
  return s.seconds / k * std::log1p(k * due / (s.from * s.seconds));
}

}  // namespace

double ArrivalProcess::gap(Random& random) const {
  switch (kind) {
    case Kind::kPoisson:
      return random.exponential();
    case Kind::kConstant:
      return 1;
    case Kind::kUniform:
      return 2 * random.uniform();
    case Kind::kGamma:
      return random.gamma(1 / (cv * cv)) * cv * cv;
  }
  return 1;
}

Result<ArrivalProcess> parse_arrival(std::string_view text) {
  using Kind = ArrivalProcess::Kind;
  if (text == "poisson") return ArrivalProcess{Kind::kPoisson};
  if (text == "constant") return ArrivalProcess{Kind::kConstant, 0};
  if (text == "uniform") return ArrivalProcess{Kind::kUniform, 1 / std::sqrt(3.0)};
  if (text.starts_with("gamma:"))
    if (const auto cv = number(text.substr(6)); cv && *cv >= 0.05 && *cv <= 20)
      return ArrivalProcess{Kind::kGamma, *cv};
  return Error{ErrorCode::kInvalidArgument, fmt::format("no arrival process '{}'", text),
               "write poisson, constant, uniform or gamma:CV with CV in 0.05..20"};
}

Result<RateCurve> parse_ramp(std::string_view text, double seconds) {
  const size_t colon = text.find(':'), dots = text.find("..");
  const std::string_view shape = text.substr(0, colon);
  if (colon != text.npos && dots != text.npos && dots > colon &&
      (shape == "linear" || shape == "exp")) {
    const auto from = rate(text.substr(colon + 1, dots - colon - 1));
    const auto to = rate(text.substr(dots + 2));
    if (from && to) return RateCurve{{seconds, *from, *to, shape == "exp"}};
  }
  return Error{ErrorCode::kInvalidArgument, fmt::format("no ramp '{}'", text),
               "write linear:1..20 or exp:1..20, in requests a second"};
}

Result<RateCurve> parse_steps(std::string_view text, double seconds) {
  RateCurve curve;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(',', at), text.size());
    const auto value = rate(text.substr(at, end - at));
    if (!value)
      return Error{
          ErrorCode::kInvalidArgument,
          fmt::format("'{}' in the steps '{}' is no rate", text.substr(at, end - at), text),
          "write requests a second with commas between: 1,2,4,8"};
    curve.push_back({seconds, *value, *value});
    at = end + 1;
  }
  return curve;
}

std::vector<Arrival> draw_arrivals(const ArrivalProcess& process, const RateCurve& curve,
                                   uint64_t count, double seconds, uint64_t seed) {
  Random random(seed, 0xa771);
  std::vector<Arrival> arrivals;
  // A constant stream begins at once; of the others the first gap is as random as the rest.
  const bool at_once = process.kind == ArrivalProcess::Kind::kConstant;
  double due = at_once ? 0 : process.gap(random);
  double begin = 0, passed = 0;
  for (size_t step = 0; step < curve.size(); ++step) {
    const RateSegment& segment = curve[step];
    const double whole = area(segment);
    for (; due - passed < whole; due += process.gap(random)) {
      const double at = begin + inverse(segment, due - passed);
      if (arrivals.size() >= count || at >= seconds) return arrivals;
      arrivals.push_back({at, static_cast<int>(step)});
    }
    passed += whole;
    begin += segment.seconds;
  }
  return arrivals;
}

double ThinkTime::draw(Random& random) const {
  switch (kind) {
    case Kind::kNone:
      return 0;
    case Kind::kConstant:
      return low;
    case Kind::kExponential:
      return low * random.exponential();
    case Kind::kUniform:
      return low + (high - low) * random.uniform();
  }
  return 0;
}

Result<ThinkTime> parse_think(std::string_view text) {
  using Kind = ThinkTime::Kind;
  if (text.empty()) return ThinkTime{};
  if (text.starts_with("exp:")) {
    if (auto mean = seconds(text.substr(4))) return ThinkTime{Kind::kExponential, *mean, *mean};
  } else if (text.starts_with("uniform:")) {
    const std::string_view range = text.substr(8);
    const size_t dash = std::min(range.find('-'), range.size());
    auto low = seconds(range.substr(0, dash));
    auto high = seconds(range.substr(std::min(dash + 1, range.size())));
    if (low && high && *low <= *high) return ThinkTime{Kind::kUniform, *low, *high};
  } else if (auto fixed = seconds(text)) {
    return ThinkTime{Kind::kConstant, *fixed, *fixed};
  }
  return Error{ErrorCode::kInvalidArgument, fmt::format("no think time '{}'", text),
               "write 2s, exp:2s or uniform:1s-3s"};
}

}  // namespace aictl::load
