// The objective: which of two ways to place a model is better, and by which term.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/placement/plan/plan.hpp"

namespace aictl::placement {

/// Where one option beats another.
struct Decision {
  int order = 0;          // -1: the first is better; 1: the second; 0: equal
  std::string_view term;  // a word of kTerms
  std::string why;        // the loser's number and the winner's: "16.0 tokens/s < 33.1 tokens/s"
};

/// Compares by the terms in order.
Decision compare(const Option& a, const Option& b);

/// What a group of GPUs lost on to another, of the terms after links: "fragmentation 14 > 12".
std::string score_why(const GroupScore& loser, const GroupScore& winner, GroupTerm term);

/// Index of the best: by the terms in order, or by the weighted sum of normalised terms. `options`
/// is not empty.
size_t best_of(std::span<const Option> options, const std::optional<TermWeights>& weights);

/// J of each option: the sum of weight * term scaled to 0..1, less is better.
std::vector<double> weighed(std::span<const Option> options, const TermWeights& weights);

/// "TTFT 252 ms, TPOT 12.9 ms"; from ten seconds on in seconds.
std::string slo_words(const Option& option);

/// A line for each term of a chosen option: what it is.
std::vector<std::string> reasons(const Option& option, const Slo& slo, const Loading& loading);

}  // namespace aictl::placement
