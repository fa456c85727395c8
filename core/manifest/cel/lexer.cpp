#include "core/manifest/cel/lexer.hpp"

#include <array>
#include <charconv>

#include <fmt/format.h>

#include "core/base/utf8.hpp"

namespace aictl::cel {
namespace {

constexpr std::array<std::string_view, 6> kPairs = {"&&", "||", "==", "!=", "<=", ">="};
constexpr std::string_view kSingles = "()[]{}.,?:!<>+-*/%";

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

Error Lexer::refuse(std::string why) const {
  return {ErrorCode::kDataRefused, fmt::format("column {}: {}", at_ + 1, why), ""};
}

Result<Lexeme> Lexer::next() {
  while (at_ < text_.size() && std::string_view(" \t\r\n\f").find(text_[at_]) != text_.npos) ++at_;
  Lexeme lexeme;
  lexeme.column = at_ + 1;
  if (at_ == text_.size()) return lexeme;
  const char first = text_[at_];
  const char second = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
  if (first == '"' || first == '\'') return quoted(std::move(lexeme), false);
  if ((first == 'r' || first == 'R') && (second == '"' || second == '\'')) {
    ++at_;
    return quoted(std::move(lexeme), true);
  }
  if (is_digit(first) || (first == '.' && is_digit(second))) return number(std::move(lexeme));
  if (is_letter(first)) {
    const size_t start = at_;
    while (at_ < text_.size() && (is_letter(text_[at_]) || is_digit(text_[at_]))) ++at_;
    lexeme.token = Token::kIdentifier;
    lexeme.text = text_.substr(start, at_ - start);
    return lexeme;
  }
  lexeme.token = Token::kSymbol;
  for (const std::string_view pair : kPairs)
    if (text_.substr(at_).starts_with(pair)) {
      lexeme.text = pair;
      at_ += pair.size();
      return lexeme;
    }
  if (kSingles.find(first) == kSingles.npos)
    return refuse(fmt::format("unexpected byte 0x{:02x}", static_cast<unsigned char>(first)));
  lexeme.text = first;
  ++at_;
  return lexeme;
}

// 12, 0x1f, 3u, 1.5, .5, 1e9.
Result<Lexeme> Lexer::number(Lexeme lexeme) {
  lexeme.token = Token::kLiteral;
  const char* begin = text_.data() + at_;
  const char* end = text_.data() + text_.size();
  const bool hex = text_.substr(at_).starts_with("0x") || text_.substr(at_).starts_with("0X");
  int64_t whole = 0;
  auto read = hex ? std::from_chars(begin + 2, end, whole, 16) : std::from_chars(begin, end, whole);
  const bool fraction =
      !hex && (*begin == '.' ||
               (read.ptr != end && (*read.ptr == '.' || *read.ptr == 'e' || *read.ptr == 'E')));
  if (fraction) {
    double real = 0;
    read = std::from_chars(begin, end, real);
    lexeme.literal = real;
  } else {
    lexeme.literal = whole;
  }
  if (read.ec != std::errc()) return refuse("a number that cannot be read");
  if (!fraction && read.ptr != end && (*read.ptr == 'u' || *read.ptr == 'U')) ++read.ptr;
  at_ += static_cast<size_t>(read.ptr - begin);
  return lexeme;
}

// '...', "...", and three of either around a text with line ends in it.
Result<Lexeme> Lexer::quoted(Lexeme lexeme, bool raw) {
  const char quote = text_[at_];
  const std::string triple(3, quote);
  const std::string_view closing =
      text_.substr(at_).starts_with(triple) ? std::string_view(triple) : text_.substr(at_, 1);
  const size_t width = closing.size();
  at_ += width;
  std::string value;
  for (;;) {
    if (at_ >= text_.size()) return refuse("a text without its closing quote");
    if (text_.substr(at_).starts_with(closing)) break;
    if (text_[at_] == '\n' && width == 1) return refuse("a line end inside a text");
    if (text_[at_] == '\\' && !raw) {
      if (auto done = escape(value); !done) return std::move(done).error();
    } else {
      value += text_[at_++];
    }
  }
  at_ += width;
  lexeme.token = Token::kLiteral;
  lexeme.literal = std::move(value);
  return lexeme;
}

Result<void> Lexer::escape(std::string& into) {
  const char kind = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
  constexpr std::string_view kNames = "abfnrtv\\'\"`?";
  constexpr std::string_view kBytes = "\a\b\f\n\r\t\v\\'\"`?";
  if (const size_t place = kNames.find(kind); kind != '\0' && place != kNames.npos) {
    into += kBytes[place];
    at_ += 2;
    return {};
  }
  const bool octal = kind >= '0' && kind <= '3';
  const size_t digits = octal ? 3 : kind == 'x' || kind == 'X' ? 2 : kind == 'u' ? 4 : 8;
  const size_t start = at_ + (octal ? 1 : 2);
  uint32_t code = 0;
  const bool known = octal || kind == 'x' || kind == 'X' || kind == 'u' || kind == 'U';
  if (!known || start + digits > text_.size()) return refuse("an escape that CEL does not have");
  const char* begin = text_.data() + start;
  const auto read = std::from_chars(begin, begin + digits, code, octal ? 8 : 16);
  if (read.ec != std::errc() || read.ptr != begin + digits || code > 0x10ffff ||
      (code >= 0xd800 && code <= 0xdfff))
    return refuse("an escape that is not a code point");
  utf8::append(into, static_cast<char32_t>(code));
  at_ = start + digits;
  return {};
}

}  // namespace aictl::cel
