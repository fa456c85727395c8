// UTF-8, once: decoding with replacement, validation, lengths. Used by tokenizers, templates, JSON
// and terminals.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace aictl::utf8 {

inline constexpr char32_t kReplacement = 0xFFFD;

/// One decoded step: the code point and how many bytes it took. A byte that starts no valid
/// sequence (overlong, surrogate, above U+10FFFF, cut short) yields `valid == false`, kReplacement
/// and length 1.
struct Step {
  char32_t code_point;
  int length;
  bool valid;
};

/// Decodes at the start of `text`, which must not be empty.
Step decode(std::string_view text);

/// Bytes a sequence with this first byte claims: 1..4; 1 for a byte that cannot start one.
int claimed_length(unsigned char first);

bool is_valid(std::string_view text);

/// Number of code points; each invalid byte counts as one.
size_t count(std::string_view text);

void append(std::string& out, char32_t code_point);

/// `text` with every invalid byte replaced by U+FFFD.
std::string sanitize(std::string_view text);

/// Length of the longest prefix of `text` that does not end inside a sequence which later bytes
/// could complete.
size_t complete_prefix(std::string_view text);

}  // namespace aictl::utf8
