#include "plugins/services/inference/text/encode/special_matcher.hpp"

#include <algorithm>

namespace aictl {

SpecialMatcher::SpecialMatcher(const Vocab& vocab) : vocab_(vocab) {
  for (int32_t id = 0; id < vocab.size(); ++id) {
    const bool special = vocab.is_control(id) || vocab.type(id) == TokenType::kUserDefined;
    if (special && !vocab.text(id).empty()) ids_.push_back(id);
  }
  const auto spelling = [&](int32_t id) { return vocab.text(id); };
  std::ranges::stable_sort(ids_, {}, spelling);
  const auto same = [&](int32_t a, int32_t b) { return spelling(a) == spelling(b); };
  ids_.erase(std::unique(ids_.begin(), ids_.end(), same), ids_.end());
  uint32_t at = 0;
  for (size_t byte = 0; byte < 256; ++byte) {
    first_[byte] = at;
    while (at < ids_.size() && static_cast<unsigned char>(vocab.text(ids_[at])[0]) == byte) ++at;
  }
  first_[256] = at;
}

// Among spellings that agree on the first `length` bytes, one that ends there sorts first.
SpecialMatcher::Match SpecialMatcher::longest(std::string_view text, size_t trusted) const {
  Match best;
  if (text.empty()) return best;
  const auto byte_at = [](std::string_view s, size_t i) {
    return static_cast<unsigned char>(s[i]);
  };
  auto low = ids_.begin() + first_[byte_at(text, 0)];
  auto high = ids_.begin() + first_[byte_at(text, 0) + 1u];
  for (size_t length = 1; low != high; ++length) {
    if (vocab_.text(*low).size() == length) {
      if (!vocab_.is_control(*low) || length <= trusted) best = {*low, length};
      ++low;
    }
    if (length == text.size()) break;
    const unsigned char wanted = byte_at(text, length);
    const auto byte = [&](int32_t id) { return byte_at(vocab_.text(id), length); };
    low = std::partition_point(low, high, [&](int32_t id) { return byte(id) < wanted; });
    high = std::partition_point(low, high, [&](int32_t id) { return byte(id) == wanted; });
  }
  return best;
}

}  // namespace aictl
