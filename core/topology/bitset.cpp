#include "core/topology/bitset.hpp"

#include <algorithm>
#include <bit>
#include <charconv>

#include <fmt/format.h>

namespace aictl::topology {
namespace {

std::optional<int> parse_index(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string_view trimmed(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

/// Calls `visit` with each part of `text` between commas, until it returns false.
template <typename Visit>
void each_part(std::string_view text, Visit visit) {
  while (true) {
    const size_t comma = text.find(',');
    if (!visit(trimmed(text.substr(0, comma))) || comma == std::string_view::npos) return;
    text.remove_prefix(comma + 1);
  }
}

/// The start of a text that may be very long.
std::string shown(std::string_view text) {
  constexpr size_t kMost = 60;
  return text.size() <= kMost ? std::string(text) : std::string(text.substr(0, kMost)) + "...";
}

Error unreadable(std::string_view part, std::string_view text) {
  return {ErrorCode::kInvalidArgument,
          fmt::format("'{}' in '{}' is not a set", shown(part), shown(text)),
          "such as 0-3,8 or 0x0000010f"};
}

}  // namespace

void Bitset::set(int index) {
  const size_t word = index / 64;
  if (word >= words_.size()) words_.resize(word + 1);
  words_[word] |= uint64_t{1} << (index % 64);
}

void Bitset::clear(int index) {
  const size_t word = index / 64;
  if (word < words_.size()) words_[word] &= ~(uint64_t{1} << (index % 64));
  trim();
}

bool Bitset::test(int index) const {
  const size_t word = index / 64;
  return index >= 0 && word < words_.size() && (words_[word] >> (index % 64) & 1) != 0;
}

int Bitset::count() const {
  int sum = 0;
  for (uint64_t word : words_) sum += std::popcount(word);
  return sum;
}

int Bitset::first() const {
  for (size_t i = 0; i < words_.size(); ++i)
    if (words_[i] != 0) return int(i * 64) + std::countr_zero(words_[i]);
  return -1;
}

int Bitset::last() const {
  if (words_.empty()) return -1;
  return int(words_.size() * 64) - 1 - std::countl_zero(words_.back());
}

std::vector<int> Bitset::indexes() const {
  std::vector<int> found;
  for (size_t i = 0; i < words_.size(); ++i)
    for (uint64_t rest = words_[i]; rest != 0; rest &= rest - 1)
      found.push_back(int(i * 64) + std::countr_zero(rest));
  return found;
}

Bitset Bitset::operator|(const Bitset& other) const {
  Bitset sum = *this;
  if (sum.words_.size() < other.words_.size()) sum.words_.resize(other.words_.size());
  for (size_t i = 0; i < other.words_.size(); ++i) sum.words_[i] |= other.words_[i];
  return sum;
}

Bitset Bitset::operator&(const Bitset& other) const {
  Bitset both;
  both.words_.resize(std::min(words_.size(), other.words_.size()));
  for (size_t i = 0; i < both.words_.size(); ++i) both.words_[i] = words_[i] & other.words_[i];
  both.trim();
  return both;
}

Bitset Bitset::operator-(const Bitset& other) const {
  Bitset rest = *this;
  const size_t shared = std::min(words_.size(), other.words_.size());
  for (size_t i = 0; i < shared; ++i) rest.words_[i] &= ~other.words_[i];
  rest.trim();
  return rest;
}

void Bitset::trim() {
  while (!words_.empty() && words_.back() == 0) words_.pop_back();
}

std::string Bitset::list() const {
  std::string text;
  const std::vector<int> all = indexes();
  for (size_t i = 0; i < all.size();) {
    size_t end = i;
    while (end + 1 < all.size() && all[end + 1] == all[end] + 1) ++end;
    if (!text.empty()) text += ',';
    text += end == i ? fmt::format("{}", all[i]) : fmt::format("{}-{}", all[i], all[end]);
    i = end + 1;
  }
  return text;
}

std::string Bitset::taskset() const {
  std::string text = "0x";
  for (size_t i = words_.size(); i-- > 0;)
    text += fmt::format(fmt::runtime(text.size() == 2 ? "{:x}" : "{:016x}"), words_[i]);
  return text.size() == 2 ? "0x0" : text;
}

std::string Bitset::hex() const {
  std::string text;
  for (size_t i = words_.size() * 2; i-- > 0;) {
    const uint32_t word = uint32_t(words_[i / 2] >> (i % 2 * 32));
    if (text.empty() && word == 0) continue;
    text += fmt::format("{}0x{:08x}", text.empty() ? "" : ",", word);
  }
  return text.empty() ? "0x0" : text;
}

Result<Bitset> Bitset::parse_list(std::string_view text) {
  Bitset set;
  if (trimmed(text).empty()) return set;
  std::string_view bad;
  bool failed = false;
  each_part(text, [&](std::string_view part) {
    std::string_view range = part;
    std::optional<int> stride = 1;
    if (const size_t colon = range.find(':'); colon != std::string_view::npos) {
      stride = parse_index(range.substr(colon + 1));
      range = range.substr(0, colon);
    }
    const size_t dash = range.find('-', 1);
    const auto low = parse_index(range.substr(0, dash));
    const auto high = dash == std::string_view::npos ? low : parse_index(range.substr(dash + 1));
    if (!low || !high || !stride || *low < 0 || *high < *low || *high > kMaxIndex || *stride < 1 ||
        *stride > kMaxIndex) {
      bad = part;
      failed = true;
      return false;
    }
    for (int i = *low; i <= *high; i += *stride) set.set(i);
    return true;
  });
  if (failed) return unreadable(bad, text);
  return set;
}

Result<Bitset> Bitset::parse_hex(std::string_view text) {
  std::string digits;
  const bool in_words = text.find(',') != std::string_view::npos;
  bool failed = false;
  each_part(text, [&](std::string_view part) {
    if (part.starts_with("0x") || part.starts_with("0X")) part.remove_prefix(2);
    const bool first = digits.empty();
    if (in_words && part.empty() && !first) part = "0";  // hwloc leaves words of zeroes out
    failed = part.empty() || part.find_first_not_of("0123456789abcdefABCDEF") != part.npos ||
             (in_words && part.size() > 8) || digits.size() > kMaxIndex / 4;
    if (failed) return false;
    if (in_words && !first) digits.append(8 - part.size(), '0');
    digits += part;
    return true;
  });
  if (failed || digits.size() > (kMaxIndex + 1) / 4) return unreadable(text, text);
  Bitset set;
  for (size_t i = 0; i < digits.size(); ++i) {
    const char digit = digits[digits.size() - 1 - i];
    const int value = digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
    for (int bit = 0; bit < 4; ++bit)
      if (value >> bit & 1) set.set(int(i * 4) + bit);
  }
  return set;
}

Result<Bitset> Bitset::parse(std::string_view text) {
  text = trimmed(text);
  const size_t letter = text.find_first_not_of("0123456789");
  if (letter != text.npos && letter > 0 && (text[letter] | 0x20) == 'e' &&
      parse_index(text.substr(letter + 1)))
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("'{}' reads as a number with an exponent, too", shown(text)),
                 fmt::format("as hexadecimal it is 0x{}", shown(text))};
  const bool prefixed = text.starts_with("0x") || text.starts_with("0X");
  const bool word = text.find(',') == 8 || text.find_first_of("abcdefABCDEF") != text.npos;
  return prefixed || word ? parse_hex(text) : parse_list(text);
}

}  // namespace aictl::topology
