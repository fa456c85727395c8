#include "core/manifest/quantity.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace aictl::manifest {
namespace {

using Wide = Quantity::Wide;
using Form = Quantity::Form;

constexpr Wide kNano = 1'000'000'000;
// The server caps magnitudes at 2^63-1.
constexpr Wide kMost = Wide(INT64_MAX) * kNano;

struct Suffix {
  std::string_view text;
  Form form;
  int power;  // of 10 or of 2, by form
};

constexpr std::array kSuffixes = {Suffix{"", Form::kDecimal, 0},   Suffix{"n", Form::kDecimal, -9},
                                  Suffix{"u", Form::kDecimal, -6}, Suffix{"m", Form::kDecimal, -3},
                                  Suffix{"k", Form::kDecimal, 3},  Suffix{"M", Form::kDecimal, 6},
                                  Suffix{"G", Form::kDecimal, 9},  Suffix{"T", Form::kDecimal, 12},
                                  Suffix{"P", Form::kDecimal, 15}, Suffix{"E", Form::kDecimal, 18},
                                  Suffix{"Ki", Form::kBinary, 10}, Suffix{"Mi", Form::kBinary, 20},
                                  Suffix{"Gi", Form::kBinary, 30}, Suffix{"Ti", Form::kBinary, 40},
                                  Suffix{"Pi", Form::kBinary, 50}, Suffix{"Ei", Form::kBinary, 60}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// [+-]?digits after e or E; nothing when it is no exponent. Beyond any magnitude it is cut.
std::optional<int> exponent_of(std::string_view text) {
  bool negative = false;
  if (!text.empty() && (text.front() == '+' || text.front() == '-')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit)) return std::nullopt;
  int value = 0;
  for (const char c : text) value = std::min(value * 10 + (c - '0'), 1000);
  return negative ? -value : value;
}

// digits * 10^ten * 2^two in nano-units, rounded up, capped.
Wide scaled(std::string_view digits, int ten, int two) {
  constexpr int kDigits = 28;  // more make no difference within the cap and a nano
  Wide value = 0;
  int used = 0;
  bool rest = false;
  for (const char c : digits) {
    if (value == 0 && c == '0') continue;
    if (used < kDigits) {
      value = value * 10 + (c - '0');
      ++used;
    } else {
      rest = rest || c != '0';
      ++ten;
    }
  }
  if (value == 0) return 0;
  ten += 9;  // nano
  for (; ten > 0 && value < kMost; --ten) value *= 10;
  if (ten > 0) return kMost;
  // Powers of two and of ten in turns, so that neither overflows nor loses what the other restores.
  while (two > 0 || ten < 0) {
    if (two > 0 && value < (Wide(1) << 120)) {
      value *= 2, --two;
    } else if (ten < 0) {
      rest = rest || value % 10 != 0;
      value /= 10, ++ten;
      if (value == 0 && two == 0) break;
    } else {
      return kMost;
    }
  }
  if (rest) ++value;
  return std::min(value, kMost);
}

}  // namespace

int64_t Quantity::rounded_up() const {
  const Wide whole = nano / kNano;
  return int64_t(nano > 0 && nano % kNano != 0 ? whole + 1 : whole);
}

std::optional<Quantity> parse_quantity(std::string_view text) {
  bool negative = false;
  if (!text.empty() && (text.front() == '+' || text.front() == '-')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  std::string digits;
  int ten = 0;
  size_t at = 0;
  while (at < text.size() && is_digit(text[at])) digits += text[at++];
  if (at < text.size() && text[at] == '.')
    for (++at; at < text.size() && is_digit(text[at]); ++at) digits += text[at], --ten;
  if (digits.empty()) return std::nullopt;
  std::string_view unit = text.substr(at);
  Quantity quantity;
  int two = 0;
  const auto found = std::find_if(kSuffixes.begin(), kSuffixes.end(),
                                  [unit](const Suffix& suffix) { return suffix.text == unit; });
  if (found != kSuffixes.end()) {
    quantity.form = found->form;
    (found->form == Form::kBinary ? two : ten) += found->power;
  } else if (unit.starts_with('e') || unit.starts_with('E')) {
    const auto exponent = exponent_of(unit.substr(1));
    if (!exponent) return std::nullopt;
    quantity.form = Form::kExponent;
    ten += *exponent;
  } else {
    return std::nullopt;
  }
  quantity.nano = scaled(digits, ten, two);
  if (negative) quantity.nano = -quantity.nano;
  return quantity;
}

std::optional<Quantity> quantity_of(const Json& value) {
  if (value.is_string()) return parse_quantity(value.get_ref<const std::string&>());
  return value.is_number() ? parse_quantity(dump_json(value)) : std::nullopt;
}

std::string format_quantity(const Quantity& quantity) {
  const bool negative = quantity.nano < 0;
  Wide value = negative ? -quantity.nano : quantity.nano;
  if (value == 0) return "0";
  std::string_view unit;
  if (quantity.form == Form::kBinary && value % kNano == 0 && value / kNano >= 1024) {
    value /= kNano;
    for (const Suffix& suffix : kSuffixes)
      if (suffix.form == Form::kBinary && value % (Wide(1) << suffix.power) == 0)
        unit = suffix.text;
    for (const Suffix& suffix : kSuffixes)
      if (suffix.text == unit && !unit.empty()) value >>= suffix.power;
  } else {
    int power = -9;
    while (value % 1000 == 0 && power < 18) value /= 1000, power += 3;
    for (const Suffix& suffix : kSuffixes)
      if (suffix.form == Form::kDecimal && suffix.power == power) unit = suffix.text;
  }
  std::string digits;
  for (; value > 0; value /= 10) digits += char('0' + int(value % 10));
  std::reverse(digits.begin(), digits.end());
  return fmt::format("{}{}{}", negative ? "-" : "", digits, unit);
}

}  // namespace aictl::manifest
