// Byte-level BPE spells every byte as a printable code point: 33..126, 161..172 and 174..255 as
// themselves, the others in rising order from 256 (so a space is U+0120).
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "core/base/utf8.hpp"

namespace aictl {

struct ByteMap {
  /// One past the highest code point that spells a byte.
  static constexpr char32_t kEnd = 0x144;

  std::array<char16_t, 256> code_point{};  // of a byte
  std::array<int16_t, kEnd> byte{};        // of a code point; -1: none

  constexpr ByteMap() {
    byte.fill(-1);
    char16_t next = 256;
    for (int b = 0; b < 256; ++b) {
      const bool itself = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
      const char16_t code = itself ? static_cast<char16_t>(b) : next++;
      code_point[static_cast<size_t>(b)] = code;
      byte[code] = static_cast<int16_t>(b);
    }
  }
};

inline constexpr ByteMap kByteMap;

/// Appends the spelling of `bytes` to `out`.
inline void append_mapped(std::string& out, std::string_view bytes) {
  for (const char c : bytes) utf8::append(out, kByteMap.code_point[static_cast<unsigned char>(c)]);
}

/// Appends the bytes that `spelling` stands for; what spells no byte stays as it is.
inline void append_unmapped(std::string& out, std::string_view spelling) {
  while (!spelling.empty()) {
    const auto first = static_cast<unsigned char>(spelling[0]);
    const utf8::Step step = first < 0x80 ? utf8::Step{first, 1, true} : utf8::decode(spelling);
    const auto length = static_cast<size_t>(step.length);
    if (step.valid && step.code_point < ByteMap::kEnd && kByteMap.byte[step.code_point] >= 0)
      out.push_back(static_cast<char>(kByteMap.byte[step.code_point]));
    else
      out += spelling.substr(0, length);
    spelling.remove_prefix(length);
  }
}

}  // namespace aictl
