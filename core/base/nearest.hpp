// "did you mean": the nearest of the words that would have been right.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace aictl {

/// The candidate with the smallest edit distance to `word`, if it is near enough to be a slip of
/// the fingers (at most a third of the letters, at least one); empty otherwise. Ties: the first.
std::string nearest(std::string_view word, std::span<const std::string_view> candidates);

/// "did you mean 'x'?" or an empty string; ready to be an Error's hint.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace aictl
