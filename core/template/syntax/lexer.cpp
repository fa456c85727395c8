// The lexer walks the source once: data up to a tag's start, then the tag's tokens up to its end.
#include "core/template/syntax/lexer.hpp"

#include "core/base/utf8.hpp"
#include "core/template/value/unicode.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

namespace aictl::jinja {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// Every line end becomes "\n", and the last one goes unless it is to be kept.
std::string normalize(std::string_view source, const Options& options) {
  std::string out;
  out.reserve(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r') {
      out += '\n';
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
    } else {
      out += source[i];
    }
  }
  if (!options.keep_trailing_newline && out.ends_with('\n')) out.pop_back();
  return out;
}

class Lexer {
 public:
  Lexer(std::string_view source, const Options& options)
      : options_(options), source_(normalize(source, options)) {}

  Result<std::vector<Token>> run() {
    while (at_ < source_.size() && !error_) data();
    if (error_) return *error_;
    push(TokenType::kEnd, "");
    return std::move(tokens_);
  }

 private:
  char peek(size_t ahead = 0) const {
    return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0';
  }
  bool looking_at(std::string_view text) const {
    return std::string_view(source_).substr(at_).starts_with(text);
  }
  void advance(size_t count) {
    line_ += static_cast<int>(std::count(source_.begin() + static_cast<std::ptrdiff_t>(at_),
                                         source_.begin() + static_cast<std::ptrdiff_t>(at_ + count),
                                         '\n'));
    at_ += count;
  }
  void push(TokenType type, std::string text) { tokens_.push_back({type, std::move(text), line_}); }
  void fail(std::string message) {
    if (!error_)
      error_ = Error{ErrorCode::kDataRefused, fmt::format("line {}: {}", line_, message), {}};
  }
  size_t space_from(size_t at) const {
    return unicode::leading_space(std::string_view(source_).substr(at));
  }

  void data();
  void emit_data(size_t end, char sign, bool is_variable);
  void comment(size_t begin);
  bool raw(size_t tag);
  size_t tag_end(std::string_view close, size_t at) const;
  void tag(bool is_variable);
  bool end_of_tag(bool is_variable);
  void string();
  void number();
  void name();
  void op();
  void escape(std::string& out, char quote);

  const Options& options_;
  std::string source_;
  size_t at_ = 0;
  int line_ = 1;
  bool line_starting_ = true;  // the last tag took its line's end with it
  std::string open_;           // brackets open in the present tag
  std::vector<Token> tokens_;
  std::optional<Error> error_;
};

// From at_: text up to the next tag, then that tag.
void Lexer::data() {
  size_t start = at_;
  while (true) {
    start = source_.find('{', start);
    if (start == std::string::npos || start + 1 >= source_.size()) {
      push(TokenType::kData, source_.substr(at_));
      at_ = source_.size();
      return;
    }
    const char next = source_[start + 1];
    if (next == '{' || next == '%' || next == '#') break;
    ++start;
  }
  const char kind = source_[start + 1];
  char sign = start + 2 < source_.size() ? source_[start + 2] : '\0';
  if (sign != '-' && sign != '+') sign = '\0';
  emit_data(start, sign, kind == '{');
  const size_t content = start + 2 + (sign != '\0' ? 1 : 0);
  if (kind == '#') return comment(content);
  if (kind == '%' && raw(content)) return;
  push(kind == '{' ? TokenType::kVariableBegin : TokenType::kBlockBegin, "");
  advance(content - at_);
  tag(kind == '{');
}

void Lexer::emit_data(size_t end, char sign, bool is_variable) {
  std::string_view text = std::string_view(source_).substr(at_, end - at_);
  std::string_view kept = text;
  if (sign == '-') {
    kept.remove_suffix(unicode::trailing_space(kept));
  } else if (sign != '+' && options_.lstrip_blocks && !is_variable) {
    const size_t line_start = text.rfind('\n') + 1;  // npos + 1 is 0
    if ((line_start > 0 || line_starting_) &&
        unicode::leading_space(text.substr(line_start)) == text.size() - line_start)
      kept = text.substr(0, line_start);
  }
  if (!kept.empty()) push(TokenType::kData, std::string(kept));
  advance(text.size());
}

void Lexer::comment(size_t begin) {
  const size_t close = source_.find("#}", begin);
  if (close == std::string::npos) return fail("missing end of comment tag");
  size_t end = close + 2;
  const char sign = close > begin ? source_[close - 1] : '\0';
  if (sign == '-')
    end += space_from(end);
  else if (sign != '+' && options_.trim_blocks && end < source_.size() && source_[end] == '\n')
    ++end;
  advance(end - at_);
  line_starting_ = source_[end - 1] == '\n';
}

// Where a tag that closes with `close` at `at` ends, blanks it takes with it included; 0 if none.
size_t Lexer::tag_end(std::string_view close, size_t at) const {
  const std::string_view rest = std::string_view(source_).substr(at);
  const bool block = close == "%}";
  if (rest.starts_with('-') && rest.substr(1).starts_with(close))
    return at + 3 + space_from(at + 3);
  if (block && rest.starts_with('+') && rest.substr(1).starts_with(close)) return at + 3;
  if (!rest.starts_with(close)) return 0;
  return at + 2 + (block && options_.trim_blocks && rest.substr(2).starts_with('\n') ? 1 : 0);
}

// A raw block, whose tag's content starts at `content`: its body becomes data.
bool Lexer::raw(size_t content) {
  size_t at = content + space_from(content);
  if (!std::string_view(source_).substr(at).starts_with("raw")) return false;
  at += 3;
  at += space_from(at);
  const std::string_view rest = std::string_view(source_).substr(at);
  if (rest.starts_with("-%}"))
    at += 3 + space_from(at + 3);
  else if (rest.starts_with("%}"))
    at += 2;
  else
    return false;
  advance(at - at_);
  line_starting_ = source_[at - 1] == '\n';
  for (size_t tag = source_.find("{%", at); tag != std::string::npos;
       tag = source_.find("{%", tag + 1)) {
    size_t inner = tag + 2;
    char sign = inner < source_.size() ? source_[inner] : '\0';
    if (sign != '-' && sign != '+') sign = '\0';
    if (sign != '\0') ++inner;
    inner += space_from(inner);
    if (!std::string_view(source_).substr(inner).starts_with("endraw")) continue;
    inner += 6;
    inner += space_from(inner);
    const size_t end = tag_end("%}", inner);
    if (end == 0) continue;
    emit_data(tag, sign, false);
    advance(end - at_);
    line_starting_ = source_[end - 1] == '\n';
    return true;
  }
  fail("missing end of raw directive");
  return true;
}

bool Lexer::end_of_tag(bool is_variable) {
  const size_t end = tag_end(is_variable ? "}}" : "%}", at_);
  if (end == 0 || !open_.empty()) return false;
  push(is_variable ? TokenType::kVariableEnd : TokenType::kBlockEnd, "");
  advance(end - at_);
  line_starting_ = source_[end - 1] == '\n';
  return true;
}

void Lexer::tag(bool is_variable) {
  open_.clear();
  while (!error_) {
    if (end_of_tag(is_variable)) return;
    if (at_ >= source_.size()) return;  // the parser tells what is missing
    if (const size_t space = space_from(at_); space > 0)
      advance(space);
    else if (is_name_start(peek()))
      name();
    else if (is_digit(peek()))
      number();
    else if (peek() == '\'' || peek() == '"')
      string();
    else
      op();
  }
}

void Lexer::name() {
  size_t end = at_;
  while (end < source_.size() && (is_name_start(source_[end]) || is_digit(source_[end]))) ++end;
  push(TokenType::kName, source_.substr(at_, end - at_));
  at_ = end;
}

void Lexer::number() {
  size_t end = at_;
  auto take = [&](auto accepted) {
    while (end < source_.size() &&
           (accepted(source_[end]) ||
            (source_[end] == '_' && end + 1 < source_.size() && accepted(source_[end + 1]))))
      ++end;
  };
  auto digit_at = [&](size_t at) { return at < source_.size() && is_digit(source_[at]); };
  const char base = static_cast<char>(peek(1) | 0x20);
  if (peek() == '0' && (base == 'x' || base == 'o' || base == 'b')) {
    end += 2;
    take([](char c) { return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f'); });
    push(TokenType::kInteger, source_.substr(at_, end - at_));
    at_ = end;
    return;
  }
  take(is_digit);
  bool real = false;
  const bool after_dot = at_ > 0 && source_[at_ - 1] == '.';  // x.1.2 is two subscripts
  if (!after_dot && end < source_.size() && source_[end] == '.' && digit_at(end + 1)) {
    real = true;
    ++end;
    take(is_digit);
  }
  if (!after_dot && end < source_.size() && (source_[end] | 0x20) == 'e') {
    const bool sign =
        end + 1 < source_.size() && (source_[end + 1] == '+' || source_[end + 1] == '-');
    if (digit_at(end + (sign ? 2 : 1))) {
      real = true;
      end += sign ? 2 : 1;
      take(is_digit);
    }
  }
  std::string text = source_.substr(at_, end - at_);
  std::erase(text, '_');
  if (!real && text.size() > 1 && text[0] == '0' &&
      text.find_first_not_of('0') != std::string::npos)
    return fail(fmt::format("the number {} starts with a zero", text));
  push(real ? TokenType::kFloat : TokenType::kInteger, std::move(text));
  at_ = end;
}

// A backslash at at_ and what it stands for.
void Lexer::escape(std::string& out, char quote) {
  static constexpr std::string_view kLetters = "ntrabfv\\'\"";
  static constexpr std::string_view kMeaning = "\n\t\r\a\b\f\v\\'\"";
  const char c = peek(1);
  if (const size_t known = kLetters.find(c); c != '\0' && known != std::string_view::npos) {
    out += kMeaning[known];
    return advance(2);
  }
  if (c == '\n') return advance(2);
  size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
  unsigned base = 16;
  size_t from = 2;
  if (c >= '0' && c <= '7') {
    base = 8;
    from = 1;
    digits = 1;
    while (digits < 3 && peek(from + digits) >= '0' && peek(from + digits) <= '7') ++digits;
  }
  if (digits == 0) {  // not an escape: both stay
    out += '\\';
    at_ += 1;
    return;
  }
  uint64_t code = 0;
  for (size_t i = from; i < from + digits; ++i) {
    const char d = peek(i);
    const char letter = static_cast<char>(d | 0x20);
    if (d == quote || !(is_digit(d) || (letter >= 'a' && letter <= 'f')))
      return fail(fmt::format("truncated \\{} escape", c));
    code = code * base + static_cast<uint64_t>(is_digit(d) ? d - '0' : letter - 'a' + 10);
  }
  if (code > 0x10FFFF) return fail("an escape is above U+10FFFF");
  utf8::append(out, static_cast<char32_t>(code));
  advance(from + digits);
}

void Lexer::string() {
  const char quote = peek();
  const int line = line_;
  std::string text;
  advance(1);
  while (at_ < source_.size() && peek() != quote && !error_) {
    if (peek() == '\\' && at_ + 1 < source_.size()) {
      escape(text, quote);
    } else {
      text += peek();
      advance(1);
    }
  }
  if (error_) return;
  if (at_ >= source_.size()) {
    line_ = line;
    return fail("unclosed string");
  }
  advance(1);
  tokens_.push_back({TokenType::kString, std::move(text), line});
}

void Lexer::op() {
  static constexpr std::array<std::string_view, 6> kDouble = {"**", "//", "==", "!=", ">=", "<="};
  static constexpr std::string_view kSingle = "+-*/%~[](){}><=.:|,;";
  for (std::string_view two : kDouble) {
    if (!looking_at(two)) continue;
    push(TokenType::kOperator, std::string(two));
    at_ += 2;
    return;
  }
  const char c = peek();
  if (c == '\0' || kSingle.find(c) == std::string_view::npos)
    return fail(fmt::format("unexpected character 0x{:02x}", static_cast<unsigned char>(c)));
  if (c == '(' || c == '[' || c == '{') open_ += c;
  if (c == ')' || c == ']' || c == '}') {
    const char expected = c == ')' ? '(' : c == ']' ? '[' : '{';
    if (open_.empty() || open_.back() != expected) return fail(fmt::format("unexpected '{}'", c));
    open_.pop_back();
  }
  push(TokenType::kOperator, std::string(1, c));
  ++at_;
}

}  // namespace

Result<std::vector<Token>> tokenize(std::string_view source, const Options& options) {
  return Lexer(source, options).run();
}

}  // namespace aictl::jinja
