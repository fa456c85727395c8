#include "core/manifest/check/formats.hpp"

#include <arpa/inet.h>

#include <array>
#include <string>

#include "core/manifest/check/pattern.hpp"

namespace aictl::manifest {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Base 64 with its padding; white space between does not count.
bool is_base64(std::string_view text) {
  size_t letters = 0, padding = 0;
  for (const char c : text) {
    if (is_space(c)) continue;
    if (c == '=') {
      ++padding;
      continue;
    }
    const bool letter =
        is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '+' || c == '/';
    if (!letter || padding > 0) return false;
    ++letters;
  }
  return padding <= 2 && (letters + padding) % 4 == 0 && letters % 4 != 1 &&
         (padding == 0 || letters > 0);
}

// Reads `count` digits off the text; -1 when they are not there.
int take_number(std::string_view& text, size_t count) {
  if (text.size() < count) return -1;
  int value = 0;
  for (size_t i = 0; i < count; ++i) {
    if (!is_digit(text[i])) return -1;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, std::string_view letters) {
  if (text.empty() || letters.find(text.front()) == letters.npos) return false;
  text.remove_prefix(1);
  return true;
}

bool take_date(std::string_view& text) {
  constexpr std::array kDays = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const int year = take_number(text, 4);
  if (year < 1 || !take(text, "-")) return false;
  const int month = take_number(text, 2);
  if (month < 1 || month > 12 || !take(text, "-")) return false;
  const int day = take_number(text, 2);
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return day >= 1 && day <= kDays[size_t(month - 1)] && (month != 2 || day < 29 || leap);
}

bool take_clock(std::string_view& text) {
  const int hour = take_number(text, 2);
  if (hour < 0 || hour > 23 || !take(text, ":")) return false;
  const int minute = take_number(text, 2);
  return minute >= 0 && minute <= 59;
}

bool is_date(std::string_view text) { return take_date(text) && text.empty(); }

// RFC 3339; the time and the zone may be absent, as in ISO 8601.
bool is_date_time(std::string_view text) {
  if (!take_date(text)) return false;
  if (text.empty()) return true;
  if (!take(text, "Tt ") || !take_clock(text)) return false;
  if (take(text, ":")) {
    const int second = take_number(text, 2);
    if (second < 0 || second > 59) return false;
    if (take(text, ".,")) {
      const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
      if (digits == 0) return false;
      text.remove_prefix(digits);
    }
  }
  if (text.empty() || text == "Z" || text == "z") return true;
  return take(text, "+-") && take_clock(text) && text.empty();
}

bool is_address(int family, const std::string& text) {
  std::array<unsigned char, 16> bytes{};
  return inet_pton(family, text.c_str(), bytes.data()) == 1 && text.find('\0') == text.npos;
}

bool is_cidr(const std::string& text) {
  const size_t slash = text.find('/');
  if (slash == text.npos) return false;
  const std::string address = text.substr(0, slash);
  const bool v4 = is_address(AF_INET, address);
  if (!v4 && !is_address(AF_INET6, address)) return false;
  std::string_view length = std::string_view(text).substr(slash + 1);
  if (length.empty() || length.size() > 3 || (length.size() > 1 && length[0] == '0')) return false;
  const int bits = take_number(length, length.size());
  return bits >= 0 && bits <= (v4 ? 32 : 128);
}

bool matches(const char* pattern, std::string_view text) { return pattern_matches(pattern, text); }

bool is_duration(std::string_view text) {
  return matches(
      "^([+-]?(([0-9]+\\.?[0-9]*|\\.[0-9]+)(ns|us|\xC2\xB5s|ms|s|m|h))+|[+-]?0"
      "|[0-9]+ *(d|days?|w|weeks?|h|hours?|m|minutes?|s|seconds?))$",
      text);
}

}  // namespace

bool fits_int32(const Json& value) {
  if (!value.is_number()) return true;
  const double number = value.get<double>();
  return number >= -2147483648.0 && number < 2147483648.0;
}

bool has_format(const Json& value, std::string_view format) {
  if (format == "int32") return fits_int32(value);
  if (format == "int64")
    return !value.is_number() ||
           (value.is_number_unsigned()
                ? value.get<uint64_t>() <= uint64_t(INT64_MAX)
                : value.is_number_integer() || (value.get<double>() >= -9223372036854775808.0 &&
                                                value.get<double>() < 9223372036854775808.0));
  if (!value.is_string()) return true;
  const auto& text = value.get_ref<const std::string&>();
  if (format == "byte") return is_base64(text);
  if (format == "date-time") return is_date_time(text);
  if (format == "date") return is_date(text);
  if (format == "duration") return is_duration(text);
  if (format == "ipv4") return is_address(AF_INET, text);
  if (format == "ipv6") return is_address(AF_INET6, text);
  if (format == "cidr") return is_cidr(text);
  if (format == "uuid") return matches("(?i)^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$", text);
  if (format == "uri") return matches("^[A-Za-z][A-Za-z0-9+.-]*:|^/", text);
  if (format == "hostname")
    return matches("^(?!-)[A-Za-z0-9-]{1,63}(\\.[A-Za-z0-9-]{1,63})*\\.?$", text);
  return true;
}

}  // namespace aictl::manifest
