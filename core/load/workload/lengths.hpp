// How many tokens prompts and answers have.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/result.hpp"
#include "core/load/arrival/random.hpp"

namespace aictl::load {

struct Lengths {
  enum class Kind { kFixed, kUniform, kNormal, kLognormal };
  Kind kind = Kind::kFixed;
  double a = 512, b = 0;  // kUniform: ends; kNormal: mean, deviation; kLognormal: mu, sigma

  /// At least 1.
  int64_t draw(Random& random) const;
};

/// "512", "uniform:256-1024", "normal:512,128", "lognormal:MEAN,P99". Errors: kInvalidArgument.
Result<Lengths> parse_lengths(std::string_view text);

}  // namespace aictl::load
