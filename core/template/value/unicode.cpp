// Character classes come from the C library's UTF-8 locale, opened once and never made current, so
// the program's own locale stays untouched.
#include "core/template/value/unicode.hpp"

#include "core/base/utf8.hpp"

#include <locale.h>
#include <wctype.h>

namespace aictl::jinja::unicode {
namespace {

locale_t utf8_locale() {
  static const locale_t locale = [] {
    locale_t opened = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return opened != nullptr ? opened : newlocale(LC_CTYPE_MASK, "C", nullptr);
  }();
  return locale;
}

bool is_ascii_letter(char32_t c) { return (c | 32U) >= 'a' && (c | 32U) <= 'z'; }

}  // namespace

bool is_space(char32_t c) {
  if (c < 0x80) return c == ' ' || (c >= 9 && c <= 13) || (c >= 0x1C && c <= 0x1F);
  return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

bool is_line_end(char32_t c) {
  return (c >= 10 && c <= 13) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 ||
         c == 0x2029;
}

bool is_alpha(char32_t c) {
  if (c < 0x80) return is_ascii_letter(c);
  return iswalpha_l(static_cast<wint_t>(c), utf8_locale()) != 0;
}

bool is_digit(char32_t c) {
  if (c < 0x80) return c >= '0' && c <= '9';
  return c == 0xB2 || c == 0xB3 || c == 0xB9 || (c >= 0x660 && c <= 0x669) ||
         (c >= 0x966 && c <= 0x96F) || (c >= 0xFF10 && c <= 0xFF19);
}

bool is_upper(char32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z';
  return iswupper_l(static_cast<wint_t>(c), utf8_locale()) != 0;
}

bool is_lower(char32_t c) {
  if (c < 0x80) return c >= 'a' && c <= 'z';
  return iswlower_l(static_cast<wint_t>(c), utf8_locale()) != 0;
}

bool is_printable(char32_t c) {
  if (c < 0x80) return c >= 0x20 && c != 0x7F;
  if (is_space(c) || c == 0xAD || (c >= 0x200B && c <= 0x200F) || (c >= 0x2060 && c <= 0x206F) ||
      c == 0xFEFF || (c >= 0xE000 && c <= 0xF8FF) || (c >= 0x202A && c <= 0x202E))
    return false;
  return iswprint_l(static_cast<wint_t>(c), utf8_locale()) != 0;
}

char32_t upper(char32_t c) {
  if (c < 0x80) return c >= 'a' && c <= 'z' ? c - 32 : c;
  return static_cast<char32_t>(towupper_l(static_cast<wint_t>(c), utf8_locale()));
}

char32_t lower(char32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
  return static_cast<char32_t>(towlower_l(static_cast<wint_t>(c), utf8_locale()));
}

size_t leading_space(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    const utf8::Step step = utf8::decode(text.substr(at));
    if (!is_space(step.code_point)) break;
    at += static_cast<size_t>(step.length);
  }
  return at;
}

size_t last_character(std::string_view text) {
  size_t at = text.size() - 1;
  for (int back = 0; back < 3 && at > 0; ++back) {
    if ((static_cast<unsigned char>(text[at]) & 0xC0U) != 0x80) break;
    --at;
  }
  const utf8::Step step = utf8::decode(text.substr(at));
  return at + static_cast<size_t>(step.length) == text.size() ? at : text.size() - 1;
}

size_t trailing_space(std::string_view text) {
  size_t end = text.size();
  while (end > 0) {
    const size_t start = last_character(text.substr(0, end));
    if (!is_space(utf8::decode(text.substr(start, end - start)).code_point)) break;
    end = start;
  }
  return text.size() - end;
}

}  // namespace aictl::jinja::unicode
