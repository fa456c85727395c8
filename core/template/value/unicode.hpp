// Characters as Python's str methods see them: what is a blank, a letter, printable; case.
#pragma once

#include <string_view>

namespace aictl::jinja::unicode {

/// What str.strip() removes and str.split() splits at.
bool is_space(char32_t c);
/// What str.splitlines() ends a line at (carriage return and line feed together count as one).
bool is_line_end(char32_t c);
bool is_alpha(char32_t c);
bool is_digit(char32_t c);
bool is_upper(char32_t c);
bool is_lower(char32_t c);
/// What repr() shows as it is.
bool is_printable(char32_t c);
/// Simple case mapping of one character; those that become several letters stay as they are.
char32_t upper(char32_t c);
char32_t lower(char32_t c);

/// Bytes of blanks (is_space) at the start and at the end of `text`.
size_t leading_space(std::string_view text);
size_t trailing_space(std::string_view text);

/// Byte offset of the last character's start; `text` must not be empty.
size_t last_character(std::string_view text);

}  // namespace aictl::jinja::unicode
