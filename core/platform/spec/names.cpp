#include "core/platform/spec/names.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/platform/spec/digest.hpp"

namespace aictl::platform {
namespace {

constexpr size_t kHashDigits = 8;

bool is_letter(char c) { return c >= 'a' && c <= 'z'; }
bool is_alphanumeric(char c) { return is_letter(c) || (c >= '0' && c <= '9'); }

std::string short_hash(std::string_view text) { return sha256(text).substr(0, kHashDigits); }

void trim_dashes(std::string& text) {
  while (!text.empty() && text.back() == '-') text.pop_back();
}

// Lower case, each run of what a label has no room for one dash, none at the ends.
std::string dashed(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const char low = c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c;
    if (is_alphanumeric(low))
      out += low;
    else if (!out.empty() && out.back() != '-')
      out += '-';
  }
  trim_dashes(out);
  return out;
}

// `text` cut to `limit` characters; `whole` is what the hash tells apart.
std::string cut(std::string text, std::string_view whole, size_t limit) {
  if (text.size() <= limit) return text;
  text.resize(limit - kHashDigits - 1);
  trim_dashes(text);
  return text + "-" + short_hash(whole);
}

}  // namespace

std::string slug(std::string_view text, size_t limit, std::string_view prefix) {
  std::string out = dashed(text);
  if (out.empty()) out = short_hash(text);
  if (!is_letter(out.front())) out = fmt::format("{}-{}", prefix, out);
  return cut(std::move(out), text, limit);
}

std::string derived_name(std::string_view base, std::string_view suffix, size_t limit) {
  if (suffix.empty()) return cut(std::string(base), base, limit);
  const std::string whole = fmt::format("{}-{}", base, suffix);
  if (whole.size() <= limit) return whole;
  return cut(std::string(base), whole, limit - suffix.size() - 1) + "-" + std::string(suffix);
}

bool is_label(std::string_view text, size_t limit) {
  return !text.empty() && text.size() <= limit && is_alphanumeric(text.front()) &&
         is_alphanumeric(text.back()) &&
         std::ranges::all_of(text, [](char c) { return is_alphanumeric(c) || c == '-'; });
}

bool is_service_label(std::string_view text, size_t limit) {
  return is_label(text, limit) && is_letter(text.front());
}

bool is_subdomain(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  for (size_t from = 0; from <= text.size();) {
    const size_t dot = std::min(text.find('.', from), text.size());
    if (!is_label(text.substr(from, dot - from), 253)) return false;
    from = dot + 1;
  }
  return true;
}

}  // namespace aictl::platform
