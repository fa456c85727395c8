// The ranges of the sampling parameters.
#include "core/openai/sampling.hpp"

#include <limits>

#include <fmt/format.h>

#include "core/base/check.hpp"

namespace aictl {
namespace {

using P = SamplingParams;

constexpr double kMaxInt = std::numeric_limits<int32_t>::max();
constexpr double kMaxFloat = 1e6;

// -1 is how clients switch top_k, top_n_sigma and the windows off, or to all there is.
constexpr SamplingRange kRanges[] = {
    {"temperature", &P::temperature, 0, 2},
    {"dynatemp_range", &P::dynatemp_range, 0, 10},
    {"dynatemp_exponent", &P::dynatemp_exponent, 0, 100},
    {"top_k", &P::top_k, -1, kMaxInt},
    {"top_p", &P::top_p, 0, 1},
    {"min_p", &P::min_p, 0, 1},
    {"typical_p", &P::typical_p, 0, 1},
    {"top_n_sigma", &P::top_n_sigma, -1, kMaxFloat},
    {"repetition_penalty", &P::repetition_penalty, 0.01, 100},
    {"frequency_penalty", &P::frequency_penalty, -2, 2},
    {"presence_penalty", &P::presence_penalty, -2, 2},
    {"repeat_last_n", &P::repeat_last_n, -1, kMaxInt},
    {"dry_multiplier", &P::dry_multiplier, 0, 100},
    {"dry_base", &P::dry_base, 1, 100},
    {"dry_allowed_length", &P::dry_allowed_length, 1, kMaxInt},
    {"dry_penalty_last_n", &P::dry_penalty_last_n, -1, kMaxInt},
    {"xtc_probability", &P::xtc_probability, 0, 1},
    {"xtc_threshold", &P::xtc_threshold, 0, 1},
    {"mirostat", &P::mirostat, 0, 2},
    {"mirostat_tau", &P::mirostat_tau, 0, kMaxFloat},
    {"mirostat_eta", &P::mirostat_eta, 0, kMaxFloat},
};

}  // namespace

double SamplingRange::value(const SamplingParams& params) const {
  return std::visit([&](auto member) { return static_cast<double>(params.*member); }, field);
}

std::span<const SamplingRange> sampling_ranges() { return kRanges; }

const SamplingRange& sampling_range(std::string_view name) {
  const SamplingRange* found = nullptr;
  for (const SamplingRange& range : kRanges)
    if (range.name == name) found = &range;
  CHECK(found != nullptr);
  return *found;
}

std::optional<std::string> out_of_range(const SamplingParams& params) {
  for (const SamplingRange& range : kRanges) {
    const double value = range.value(params);
    // The ends as the field holds them: 0.01 as a float is a little less. A NaN is refused too.
    const bool real = std::holds_alternative<float SamplingParams::*>(range.field);
    const double least = real ? static_cast<double>(static_cast<float>(range.least)) : range.least;
    if (!(value >= least && value <= range.most))
      return fmt::format("{} {} is not in {}..{}", range.name, value, range.least, range.most);
  }
  return std::nullopt;
}

}  // namespace aictl
