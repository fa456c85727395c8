// Whether a pin helps, measured: the same benchmark bound as the plan says and left alone, in
// turns. Users saw a pin bring 2 % on one host and cost 43 % on another, so it is kept only when
// the difference is no chance.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/placement/plan/plan.hpp"

namespace aictl::placement {

/// Means over the rounds, in tokens a second.
struct PinComparison {
  double pinned = 0, left_alone = 0;
  double chance = 1;  // that runs without a difference would differ so much in the pin's favour
  bool keep = false;

  double change() const { return left_alone > 0 ? pinned / left_alone - 1 : 0; }
};

/// Compares by an exact permutation test of the means; keeps the pin when chance is below 0.05.
PinComparison compare_pins(std::span<const double> pinned, std::span<const double> left_alone);

/// The words of `aictl bench model` for a placed model on CPUs: what it measures is the median
/// of `decode_tokens` steps as the plan has them, at most 8 sequences of 256 tokens at the start.
/// Errors: kInvalidArgument for a model on GPUs, and for a shape that the benchmark has no weights
/// for.
Result<std::vector<std::string>> bench_words(const ModelPlan& plan, int decode_tokens);

/// The decode tokens of a round that lasts half a second or more, 16 to 4096: a shorter one
/// measures the noise of the machine. Asks `bench` (tokens a second of `sequences` sequences
/// together, for so many tokens) until it lasts so long. Errors: those of `bench`.
Result<int> round_tokens(int sequences, const std::function<Result<double>(int)>& bench);

/// Measures replica 0 of each placed model on this machine by running `program` (aictl itself) and
/// fills `verified`; pins that are not kept are taken off all of its replicas. `progress` gets a
/// line a round. Errors: as bench_words; kUnavailable with the benchmark's own words when it fails.
Result<void> verify_pins(Plan& plan, const PlanRequest& request, const std::string& program,
                         const std::function<void(std::string_view)>& progress);

}  // namespace aictl::placement
