// Operations on text that filters and methods share. Each keeps the origin of every byte.
#include "core/base/utf8.hpp"
#include "core/template/builtin/builtin.hpp"
#include "core/template/value/unicode.hpp"

#include <charconv>
#include <string>

#include <fmt/format.h>

namespace aictl::jinja {
namespace {

constexpr char32_t kSharpS = 0xDF;           // upper case: two letters
constexpr char32_t kCapitalSharpS = 0x1E9E;  // stands for them on the way

char32_t upper(char32_t c) { return c == kSharpS ? kCapitalSharpS : unicode::upper(c); }

// A case change walks the characters and keeps what it needs to know of those before.
class CaseWalk {
 public:
  explicit CaseWalk(CaseChange change) : change_(change) {}

  char32_t next(char32_t c) {
    switch (change_) {
      case CaseChange::kUpper:
        return upper(c);
      case CaseChange::kLower:
        return unicode::lower(c);
      case CaseChange::kSwap:
        return unicode::is_upper(c) ? unicode::lower(c) : upper(c);
      case CaseChange::kCapitalize: {
        const bool first = std::exchange(at_start_, false);
        return first ? upper(c) : unicode::lower(c);
      }
      case CaseChange::kTitle: {  // a letter after none starts a word
        const bool first = std::exchange(at_start_, !unicode::is_alpha(c));
        return first ? upper(c) : unicode::lower(c);
      }
      case CaseChange::kTitleWords: {  // words start after blanks, hyphens and open brackets
        const bool delimiter =
            unicode::is_space(c) || c == '-' || c == '(' || c == '{' || c == '[' || c == '<';
        const bool first = std::exchange(at_start_, delimiter);
        return first ? upper(c) : unicode::lower(c);
      }
    }
    return c;
  }

 private:
  CaseChange change_;
  bool at_start_ = true;
};

bool in_set(std::string_view set, std::string_view character) {
  for (size_t at = 0; at < set.size();) {
    const auto length = static_cast<size_t>(utf8::decode(set.substr(at)).length);
    if (set.substr(at, length) == character) return true;
    at += length;
  }
  return false;
}

// One conversion of a % format: flags, width, precision, and its letter at `at`.
struct Conversion {
  bool left = false;
  bool zero = false;
  bool plus = false;
  int width = 0;
  int precision = -1;
};

Conversion read_conversion(std::string_view format, size_t& at) {
  Conversion spec;
  for (; at < format.size(); ++at) {
    if (format[at] == '-')
      spec.left = true;
    else if (format[at] == '0')
      spec.zero = true;
    else if (format[at] == '+')
      spec.plus = true;
    else if (format[at] != ' ' && format[at] != '#')
      break;
  }
  auto number = [&] {
    int value = 0;
    for (; at < format.size() && format[at] >= '0' && format[at] <= '9' && value < 10000; ++at)
      value = value * 10 + (format[at] - '0');
    return value;
  };
  spec.width = number();
  if (at < format.size() && format[at] == '.') {
    ++at;
    spec.precision = number();
  }
  return spec;
}

// The text of one converted number, without padding; empty and an error if it is none.
std::string number_text(Runtime& rt, char letter, const Conversion& spec, const Value& value) {
  if (!value.is_number()) {
    rt.fail(fmt::format("%{} format: a real number is required, not {}", letter, type_name(value)));
    return {};
  }
  std::string text;
  const int precision = spec.precision < 0 ? 6 : std::min(spec.precision, 100);
  if (letter == 'f' || letter == 'F')
    text = fmt::format("{:.{}f}", value.as_real(), precision);
  else if (letter == 'e')
    text = fmt::format("{:.{}e}", value.as_real(), precision);
  else if (letter == 'g')
    text = fmt::format("{:.{}g}", value.as_real(), precision);
  else {
    const double real = value.as_real();
    if (!(real > -9.2e18 && real < 9.2e18)) {
      rt.fail("the number does not fit in 64 bits");
      return {};
    }
    const int64_t integer =
        value.is_integer() ? value.as_integer() : static_cast<int64_t>(value.real);
    if (letter == 'x')
      text = fmt::format("{:x}", integer);
    else if (letter == 'X')
      text = fmt::format("{:X}", integer);
    else if (letter == 'o')
      text = fmt::format("{:o}", integer);
    else
      text = fmt::format("{}", integer);
  }
  if (spec.plus && !text.starts_with('-')) text.insert(0, 1, '+');
  return text;
}

void append_padded(TextBuilder& out, const Conversion& spec, TextBuilder&& piece, bool number) {
  const size_t size = utf8::count(piece.bytes());
  const auto width = static_cast<size_t>(spec.width);
  const size_t padding = width > size ? width - size : 0;
  const bool trusted = piece.runs().empty() || piece.runs().front().trusted;
  Text text{piece.bytes(), trusted};
  if (piece.runs().size() > 1) text.runs = piece.runs();
  if (spec.left || padding == 0) {
    out.append(text);
    return out.append(std::string(padding, ' '), true);
  }
  size_t sign = 0;
  if (number && spec.zero && (text.bytes.starts_with('-') || text.bytes.starts_with('+'))) sign = 1;
  out.append(text, 0, sign);
  out.append(std::string(padding, number && spec.zero ? '0' : ' '), true);
  out.append(text, sign, text.bytes.size());
}

}  // namespace

Value strip(Call& call, bool left, bool right) {
  const Text& text = *call.self.text;
  if (!call.rt.spend(1 + text.bytes.size() / 64)) return {};
  size_t begin = 0;
  size_t end = text.bytes.size();
  if (!call.given_some(0)) {
    if (left) begin = unicode::leading_space(text.bytes);
    if (right) end -= unicode::trailing_space(text.bytes.substr(begin));
    return call.rt.slice(text, begin, end);
  }
  const Text* set = call.text(0);
  if (set == nullptr) return {};
  while (left && begin < end) {
    const auto length = static_cast<size_t>(utf8::decode(text.bytes.substr(begin)).length);
    if (!call.rt.spend(1 + set->bytes.size() / 32)) return {};
    if (!in_set(set->bytes, text.bytes.substr(begin, length))) break;
    begin += length;
  }
  while (right && begin < end) {
    const size_t last = unicode::last_character(text.bytes.substr(0, end));
    if (!call.rt.spend(1 + set->bytes.size() / 32)) return {};
    if (!in_set(set->bytes, text.bytes.substr(last, end - last))) break;
    end = last;
  }
  return call.rt.slice(text, begin, end);
}

Value change_case(Runtime& rt, const Text& text, CaseChange change) {
  if (!rt.spend_bytes(text.bytes.size())) return {};
  TextBuilder out;
  CaseWalk walk(change);
  OriginCursor origin(text);
  for (size_t at = 0; at < text.bytes.size();) {
    const utf8::Step step = utf8::decode(text.bytes.substr(at));
    const auto length = static_cast<size_t>(step.length);
    const char32_t changed = walk.next(step.code_point);
    const bool trusted = origin.trusted_at(at);
    if (step.code_point == kSharpS && changed == kCapitalSharpS) {
      const bool whole = change == CaseChange::kUpper || change == CaseChange::kSwap;
      out.append(whole ? "SS" : "Ss", trusted);
    } else if (!step.valid || changed == step.code_point) {
      out.append(text.bytes.substr(at, length), trusted);
    } else {
      std::string bytes;
      utf8::append(bytes, changed);
      out.append(bytes, trusted);
    }
    at += length;
  }
  return rt.text(std::move(out));
}

Value replace(Runtime& rt, const Text& text, const Text& from, const Text& to, int64_t limit) {
  if (!rt.spend_bytes(text.bytes.size())) return {};
  TextBuilder out;
  size_t at = 0;
  for (int64_t done = 0; limit < 0 || done < limit; ++done) {
    size_t found = 0;
    if (from.bytes.empty()) {  // before each character, and at the end
      found = at;
      if (done > 0) {
        if (at >= text.bytes.size()) break;
        found += static_cast<size_t>(utf8::decode(text.bytes.substr(at)).length);
      }
    } else {
      found = text.bytes.find(from.bytes, at);
    }
    if (found == std::string_view::npos) break;
    out.append(text, at, found);
    out.append(to);
    at = found + from.bytes.size();
    if (out.size() > rt.limits.max_output_bytes) return rt.spend_bytes(out.size()), Value{};
    if (!rt.spend()) return {};
  }
  out.append(text, at, text.bytes.size());
  return rt.text(std::move(out));
}

Value join(Runtime& rt, const std::vector<Value>& pieces, const Text& separator) {
  TextBuilder out;
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (i > 0) out.append(separator);
    print(rt, out, pieces[i]);
    if (rt.failed() || !rt.spend(1 + separator.bytes.size() / 32)) return {};
    if (out.size() > rt.limits.max_output_bytes) return rt.spend_bytes(out.size()), Value{};
  }
  return rt.text(std::move(out));
}

std::vector<Value> split_lines(Runtime& rt, const Text& text) {
  std::vector<Value> lines;
  size_t start = 0;
  for (size_t at = 0; at < text.bytes.size();) {
    const utf8::Step step = utf8::decode(text.bytes.substr(at));
    const size_t end = at;
    at += static_cast<size_t>(step.length);
    if (!unicode::is_line_end(step.code_point)) continue;
    if (step.code_point == '\r' && at < text.bytes.size() && text.bytes[at] == '\n') ++at;
    lines.push_back(rt.slice(text, start, end));
    if (rt.failed()) return {};
    start = at;
  }
  if (start < text.bytes.size()) lines.push_back(rt.slice(text, start, text.bytes.size()));
  rt.spend(text.bytes.size() / 32);
  return lines;
}

Value format_text(Runtime& rt, const Text& format, const std::vector<Value>& values,
                  bool spare_allowed) {
  TextBuilder out;
  size_t used = 0;
  const std::string_view bytes = format.bytes;
  size_t plain = 0;
  for (size_t at = bytes.find('%'); at != std::string_view::npos; at = bytes.find('%', plain)) {
    out.append(format, plain, at);
    ++at;
    const Conversion spec = read_conversion(bytes, at);
    if (at >= bytes.size()) return rt.fail("incomplete format");
    const char letter = bytes[at];
    plain = at + 1;
    if (letter == '%') {
      out.append("%", true);
      continue;
    }
    if (used >= values.size()) return rt.fail("not enough arguments for format string");
    const Value& value = values[used++];
    TextBuilder piece;
    const bool number = std::string_view("dixXofFeg").find(letter) != std::string_view::npos;
    if (letter == 's')
      print(rt, piece, value);
    else if (letter == 'r')
      print_repr(rt, piece, value);
    else if (number)
      piece.append(number_text(rt, letter, spec, value), !value.untrusted);
    else
      return rt.fail(fmt::format("unsupported format character '{}'", letter));
    if (rt.failed() || !rt.spend_bytes(piece.size())) return {};
    append_padded(out, spec, std::move(piece), number);
    if (!rt.spend_bytes(out.size() / 1024)) return {};
  }
  if (used < values.size() && !spare_allowed)
    return rt.fail("not all arguments converted during string formatting");
  out.append(format, plain, bytes.size());
  return rt.text(std::move(out));
}

}  // namespace aictl::jinja
