// When requests are due: drawn in advance from a seed, so that no answer can delay the next
// question.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/load/arrival/random.hpp"

namespace aictl::load {

/// How the gaps between arrivals scatter around their mean.
struct ArrivalProcess {
  enum class Kind { kPoisson, kConstant, kGamma, kUniform };
  Kind kind = Kind::kPoisson;
  double cv = 1;  // kGamma: deviation of a gap over its mean

  /// A gap of mean 1.
  double gap(Random& random) const;
};

/// "poisson", "constant", "uniform", "gamma:CV". Errors: kInvalidArgument.
Result<ArrivalProcess> parse_arrival(std::string_view text);

/// A stretch of time in which the rate goes from one value to another, in requests a second.
struct RateSegment {
  double seconds = 0;  // infinite: goes on
  double from = 0, to = 0;
  bool exponential = false;  // between them; else linear
};

using RateCurve = std::vector<RateSegment>;

/// "linear:1..20" or "exp:1..20" over `seconds`. Errors: kInvalidArgument.
Result<RateCurve> parse_ramp(std::string_view text, double seconds);
/// "1,2,4,8", each for `seconds`. Errors: kInvalidArgument.
Result<RateCurve> parse_steps(std::string_view text, double seconds);

struct Arrival {
  double at = 0;  // seconds from the start
  int step = 0;   // the segment it belongs to
};

/// At most `count` arrivals within the curve and before `seconds`, in order. A process of unit rate
/// is stretched by the inverse of the summed rate, so that the gaps keep their scatter while the
/// rate changes.
std::vector<Arrival> draw_arrivals(const ArrivalProcess& process, const RateCurve& curve,
                                   uint64_t count, double seconds, uint64_t seed);

/// What a user does between an answer and the next question.
struct ThinkTime {
  enum class Kind { kNone, kConstant, kExponential, kUniform };
  Kind kind = Kind::kNone;
  double low = 0, high = 0;  // seconds; kConstant and kExponential: `low` is the mean

  double draw(Random& random) const;
};

/// "2s", "exp:2s", "uniform:1s-3s". Errors: kInvalidArgument.
Result<ThinkTime> parse_think(std::string_view text);

}  // namespace aictl::load
