// Finds special tokens in a text: the longest one at a place, in a sorted list narrowed byte by
// byte.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "plugins/services/inference/text/vocab.hpp"

namespace aictl {

class SpecialMatcher {
 public:
  struct Match {
    int32_t id = Vocab::kNoToken;
    size_t length = 0;
  };

  /// Takes the control, unknown and user-defined tokens. `vocab` must outlive it and not move.
  explicit SpecialMatcher(const Vocab& vocab);

  /// Whether a special token may begin with this byte.
  bool may_start(char first) const {
    const auto byte = static_cast<unsigned char>(first);
    return first_[byte] != first_[byte + 1u];
  }

  /// The longest special token `text` begins with. Control and unknown tokens count up to
  /// `trusted` bytes long. `length` 0: none.
  Match longest(std::string_view text, size_t trusted) const;

 private:
  const Vocab& vocab_;
  std::vector<int32_t> ids_;           // by spelling
  std::array<uint32_t, 257> first_{};  // where the ids with this first byte begin
};

}  // namespace aictl
