#include "core/base/utf8.hpp"

namespace aictl::utf8 {
namespace {

constexpr bool is_continuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

}  // namespace

int claimed_length(unsigned char first) {
  if (first >= 0xC2 && first <= 0xDF) return 2;
  if (first >= 0xE0 && first <= 0xEF) return 3;
  if (first >= 0xF0 && first <= 0xF4) return 4;
  return 1;
}

Step decode(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1, true};
  const int length = claimed_length(first);
  const Step bad{kReplacement, 1, false};
  if (length == 1 || text.size() < static_cast<size_t>(length)) return bad;
  char32_t code = first & (0xFF >> (length + 1));
  for (int i = 1; i < length; ++i) {
    if (!is_continuation(byte(static_cast<size_t>(i)))) return bad;
    code = code << 6 | (byte(static_cast<size_t>(i)) & 0x3F);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (overlong || surrogate || code > 0x10FFFF) return bad;
  return {code, length, true};
}

bool is_valid(std::string_view text) {
  while (!text.empty()) {
    const Step step = decode(text);
    if (!step.valid) return false;
    text.remove_prefix(static_cast<size_t>(step.length));
  }
  return true;
}

size_t count(std::string_view text) {
  size_t n = 0;
  for (; !text.empty(); ++n) text.remove_prefix(static_cast<size_t>(decode(text).length));
  return n;
}

void append(std::string& out, char32_t code) {
  const auto put = [&](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6), put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12), put(0x80 | (code >> 6 & 0x3F)), put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18), put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F)), put(0x80 | (code & 0x3F));
  }
}

std::string sanitize(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Step step = decode(text);
    append(out, step.code_point);
    text.remove_prefix(static_cast<size_t>(step.length));
  }
  return out;
}

size_t complete_prefix(std::string_view text) {
  // Only the last three bytes can belong to an unfinished sequence.
  for (size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if (is_continuation(byte)) continue;
    return static_cast<size_t>(claimed_length(byte)) > back ? text.size() - back : text.size();
  }
  return text.size();
}

}  // namespace aictl::utf8
