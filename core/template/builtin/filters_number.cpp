// Filters that make or change numbers, and `default`.
#include "core/base/utf8.hpp"
#include "core/template/builtin/builtin.hpp"
#include "core/template/value/unicode.hpp"

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include <fmt/format.h>

namespace aictl::jinja {
namespace {

// The digits of a Python number: blanks around it gone, single underscores between digits too.
std::optional<std::string> number_digits(std::string_view text) {
  text.remove_prefix(unicode::leading_space(text));
  text.remove_suffix(unicode::trailing_space(text));
  std::string digits;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      digits += text[i];
      continue;
    }
    auto alnum = [&](size_t at) {
      return at < text.size() && std::isxdigit(static_cast<unsigned char>(text[at])) != 0;
    };
    if (i == 0 || !alnum(i - 1) || !alnum(i + 1)) return std::nullopt;
  }
  if (digits.starts_with('+') && digits.size() > 1 && digits[1] != '-') digits.erase(0, 1);
  return digits;
}

std::optional<double> read_real(std::string_view text) {
  const auto digits = number_digits(text);
  if (!digits || digits->empty() || digits->find_first_of("xXpP(") != std::string::npos)
    return std::nullopt;
  double real = 0;
  const auto [end, bad] = std::from_chars(digits->data(), digits->data() + digits->size(), real);
  if (end != digits->data() + digits->size()) return std::nullopt;
  if (bad == std::errc::result_out_of_range) {
    const bool huge = digits->find("e-") == std::string::npos;
    real = huge ? std::numeric_limits<double>::infinity() : 0.0;
    return digits->starts_with('-') ? -real : real;
  }
  return bad == std::errc{} ? std::optional<double>(real) : std::nullopt;
}

std::optional<int64_t> read_integer(std::string_view text, int64_t base) {
  auto digits = number_digits(text);
  if (!digits || digits->empty() || base < 0 || base == 1 || base > 36) return std::nullopt;
  const bool negative = digits->starts_with('-');
  if (negative) digits->erase(0, 1);
  if (digits->starts_with('-') || digits->empty()) return std::nullopt;
  if (digits->size() > 2 && (*digits)[0] == '0') {
    const char letter = static_cast<char>((*digits)[1] | 0x20);
    const int prefix = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 0;
    if (prefix != 0 && (base == prefix || base == 0)) {
      digits->erase(0, 2);
      base = prefix;
    }
  }
  if (base == 0) base = 10;
  if (negative) digits->insert(0, 1, '-');
  int64_t value = 0;
  const auto [end, bad] = std::from_chars(digits->data(), digits->data() + digits->size(), value,
                                          static_cast<int>(base));
  if (bad != std::errc{} || end != digits->data() + digits->size()) return std::nullopt;
  return value;
}

std::optional<int64_t> whole(double real) {
  if (!(real > -9.2e18 && real < 9.2e18)) return std::nullopt;
  return static_cast<int64_t>(real);
}

bool is_user_data(const Value& value) {
  return value.is_text() ? value.text->has_untrusted() : value.untrusted;
}

Value filter_int(Call& call) {
  const Value& self = call.self;
  const Value fallback = call.has(0) ? call.at(0) : Value::of(int64_t{0});
  const int64_t base = call.integer(1, 10);
  if (self.is_undefined()) return call.rt.fail_undefined(self);
  if (call.rt.failed()) return {};
  std::optional<int64_t> integer;
  if (self.is_text()) {
    integer = read_integer(self.text->bytes, base);
    if (!integer)
      if (const auto real = read_real(self.text->bytes)) integer = whole(*real);
  } else if (self.is_integer()) {
    integer = self.as_integer();
  } else if (self.is(Kind::kFloat)) {
    integer = whole(self.real);
  }
  return integer ? Value::of(*integer, is_user_data(self)) : fallback;
}

Value filter_float(Call& call) {
  const Value& self = call.self;
  if (self.is_undefined()) return call.rt.fail_undefined(self);
  if (self.is_number()) return Value::of(self.as_real(), self.untrusted);
  if (self.is_text())
    if (const auto real = read_real(self.text->bytes)) return Value::of(*real, is_user_data(self));
  return call.has(0) ? call.at(0) : Value::of(0.0);
}

Value filter_abs(Call& call) {
  const Value& self = call.self;
  if (self.is_undefined()) return call.rt.fail_undefined(self);
  if (self.is(Kind::kFloat)) return Value::of(std::fabs(self.real), self.untrusted);
  if (!self.is_integer())
    return call.rt.fail(fmt::format("bad operand type for abs(): '{}'", type_name(self)));
  return self.as_integer() < 0 ? arithmetic(call.rt, "-", Value::of(int64_t{0}), self)
                               : Value::of(self.as_integer(), self.untrusted);
}

// Rounds to `precision` decimals, halves by the exact binary value, as Python's round().
Value round_half_even(const Value& value, int64_t precision) {
  if (value.is_integer() && precision >= 0) return Value::of(value.as_integer(), value.untrusted);
  const double real = value.as_real();
  if (!std::isfinite(real) || precision > 300) return value;
  if (precision >= 0) {
    const std::string text = fmt::format("{:.{}f}", real, static_cast<int>(precision));
    double rounded = real;
    std::from_chars(text.data(), text.data() + text.size(), rounded);
    return Value::of(rounded, value.untrusted);
  }
  const double scale = std::pow(10.0, static_cast<double>(-std::max<int64_t>(precision, -308)));
  const double rounded = std::nearbyint(real / scale) * scale;
  if (value.is_integer() && whole(rounded)) return Value::of(*whole(rounded), value.untrusted);
  return Value::of(rounded, value.untrusted);
}

Value filter_round(Call& call) {
  const Value& self = call.self;
  const int64_t precision = call.integer(0, 0);
  static const Text kCommon{"common"};
  const Text* method = call.has(1) ? call.text(1) : &kCommon;
  if (self.is_undefined()) return call.rt.fail_undefined(self);
  if (call.rt.failed()) return {};
  if (method->bytes != "common" && method->bytes != "ceil" && method->bytes != "floor")
    return call.rt.fail("method must be common, ceil or floor");
  if (!self.is_number())
    return call.rt.fail(fmt::format("type {} doesn't define __round__ method", type_name(self)));
  if (method->bytes == "common") return round_half_even(self, precision);
  const double scale = std::pow(10.0, static_cast<double>(std::min<int64_t>(precision, 308)));
  const double scaled = self.as_real() * scale;
  if (!std::isfinite(scaled)) return call.rt.fail("cannot round this number");
  const double rounded = method->bytes == "ceil" ? std::ceil(scaled) : std::floor(scaled);
  return Value::of(rounded / scale + 0.0, self.untrusted);  // never a negative zero
}

Value filter_default(Call& call) {
  const bool replaced = call.self.is_undefined() || (call.flag(1) && !truth(call.rt, call.self));
  if (!replaced) return call.self;
  return call.has(0) ? call.at(0) : call.rt.literal("");
}

constexpr Builtin kFilters[] = {
    {"int", filter_int, "default base"},
    {"float", filter_float, "default"},
    {"abs", filter_abs, ""},
    {"round", filter_round, "precision method"},
    {"default", filter_default, "default_value boolean"},
    {"d", filter_default, "default_value boolean"},
};

}  // namespace

std::pair<const Builtin*, size_t> number_filters() { return {kFilters, std::size(kFilters)}; }

}  // namespace aictl::jinja
