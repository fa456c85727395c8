#include "core/value/yaml_scalar.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace aictl {
namespace {

template <typename T>
std::optional<T> integer_from(std::string_view digits, int base) {
  T value = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

std::optional<double> real_from(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || text.empty()) return std::nullopt;
  if (error == std::errc::result_out_of_range) return std::abs(value) > 1 ? HUGE_VAL : 0.0;
  if (error != std::errc()) return std::nullopt;
  return value;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool is_null(std::string_view text) {
  return text.empty() || is_one_of(text, {"~", "null", "Null", "NULL"});
}

// YAML 1.2 core schema.
Json core_value(std::string_view text) {
  if (is_one_of(text, {"true", "True", "TRUE"})) return true;
  if (is_one_of(text, {"false", "False", "FALSE"})) return false;
  std::string_view digits = text;
  if (digits.front() == '+') digits.remove_prefix(1);
  if (digits.empty()) return text;
  if (const auto integer = integer_from<int64_t>(digits, 10)) return *integer;
  if (digits.starts_with("0x"))
    if (const auto integer = integer_from<int64_t>(digits.substr(2), 16)) return *integer;
  if (digits.starts_with("0o"))
    if (const auto integer = integer_from<int64_t>(digits.substr(2), 8)) return *integer;
  const char first = digits.front() == '-' && digits.size() > 1 ? digits[1] : digits.front();
  if ((is_digit(first) || first == '.') && digits != ".")
    if (const auto real = real_from(digits); real && std::isfinite(*real)) return *real;
  return text;
}

// [-+]? then digits, or a fraction, or an exponent; underscores only after the first digit.
bool looks_decimal(std::string_view text) {
  size_t i = 0;
  const auto digits = [&](bool underscores) {
    const size_t start = i;
    while (i < text.size() && (is_digit(text[i]) || (underscores && text[i] == '_' && i > start)))
      ++i;
    return i > start;
  };
  const bool whole = digits(true);
  if (i < text.size() && text[i] == '.') {
    ++i;
    const bool fraction =
        whole ? (i < text.size() && text[i] == '_') || digits(true) || true : digits(false);
    if (!fraction) return false;
  } else if (!whole) {
    return false;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    if (!digits(false)) return false;
  }
  return i == text.size();
}

// An integer beyond int64 is an unsigned one, beyond that a float: as Go's reader takes them.
Json signed_value(std::string_view digits, int base, bool negative) {
  if (const auto magnitude = integer_from<uint64_t>(digits, base)) {
    if (!negative) {
      if (*magnitude <= uint64_t(INT64_MAX)) return int64_t(*magnitude);
      return *magnitude;
    }
    if (*magnitude <= uint64_t(INT64_MAX) + 1) return int64_t(~*magnitude + 1);
  }
  double value = 0;
  for (const char c : digits) {
    const int digit = is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10;
    value = value * base + digit;
  }
  return negative ? -value : value;
}

// YAML 1.1's numbers without base 60; a leading 0 is octal.
std::optional<Json> kubernetes_number(std::string_view text) {
  const bool negative = text.front() == '-';
  std::string_view unsigned_text = text;
  if (negative || text.front() == '+') unsigned_text.remove_prefix(1);
  if (unsigned_text.empty()) return Json(text);
  std::string digits;
  std::copy_if(unsigned_text.begin(), unsigned_text.end(), std::back_inserter(digits),
               [](char c) { return c != '_'; });
  const auto all = [&digits](size_t from, auto&& accepts) {
    return digits.size() > from && std::all_of(digits.begin() + long(from), digits.end(), accepts);
  };
  const auto is_octal = [](char c) { return c >= '0' && c <= '7'; };
  if (digits.size() > 1 && digits[0] == '0' && unsigned_text[0] == '0') {
    const char base = char(digits[1] | 0x20);
    const std::string_view rest = std::string_view(digits).substr(2);
    if (base == 'x' &&
        all(2, [](char c) { return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f'); }))
      return signed_value(rest, 16, negative);
    if (base == 'b' && all(2, [](char c) { return c == '0' || c == '1'; }))
      return signed_value(rest, 2, negative);
    if (base == 'o' && all(2, is_octal)) return signed_value(rest, 8, negative);
    if (all(1, is_octal) && looks_decimal(unsigned_text))
      return signed_value(std::string_view(digits).substr(1), 8, negative);
  }
  if (!looks_decimal(unsigned_text)) return Json(text);
  if (all(0, is_digit) && (digits.size() == 1 || digits[0] != '0'))
    return signed_value(digits, 10, negative);
  const auto real = real_from(digits);
  if (!real) return Json(text);
  if (!std::isfinite(*real)) return std::nullopt;
  return Json(negative ? -*real : *real);
}

std::optional<Json> kubernetes_value(std::string_view text) {
  if (is_one_of(text, {"y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE"}))
    return true;
  if (is_one_of(text, {"n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE"}))
    return false;
  const std::string_view magnitude =
      text.front() == '-' || text.front() == '+' ? text.substr(1) : text;
  if (is_one_of(magnitude, {".inf", ".Inf", ".INF"}) || is_one_of(text, {".nan", ".NaN", ".NAN"}))
    return std::nullopt;
  if (!magnitude.empty() && (is_digit(magnitude.front()) || magnitude.front() == '.'))
    return kubernetes_number(text);
  return Json(text);
}

}  // namespace

std::optional<Json> plain_value(std::string_view text, YamlDialect dialect) {
  if (is_null(text)) return Json(nullptr);
  return dialect == YamlDialect::kCore ? core_value(text) : kubernetes_value(text);
}

bool means_itself(std::string_view text) {
  if (is_null(text) || text == "=" || text == "<<") return false;
  for (const YamlDialect dialect : {YamlDialect::kCore, YamlDialect::kKubernetes})
    if (const auto value = plain_value(text, dialect); !value || !value->is_string()) return false;
  // Other readers know more numbers than ours (base 60, dates, 1e3, 0o7, 1_000), so what begins as
  // a number and has nothing but a number's letters is quoted; a version (1.2.3) is, too.
  const std::string_view rest = text.front() == '-' || text.front() == '+' ? text.substr(1) : text;
  if (rest.empty() || !(is_digit(rest.front()) || rest.front() == '.')) return true;
  if (rest.starts_with("0x") || rest.starts_with("0X")) return false;
  return !std::all_of(rest.begin(), rest.end(), [](char c) {
    return is_digit(c) || is_one_of(std::string_view(&c, 1), {".", "_", ":", "-", "+", "e", "E",
                                                              "o", "T", "t", "Z", "z", " ", "b"});
  });
}

}  // namespace aictl
