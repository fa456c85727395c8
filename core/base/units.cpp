#include "core/base/units.hpp"

#include <charconv>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace aictl {
namespace {

struct Unit {
  std::string_view name;
  double scale;
};

constexpr double kKi = 1024.0;
constexpr Unit kByteUnits[] = {
    {"", 1},
    {"B", 1},
    {"k", 1e3},
    {"K", 1e3},
    {"M", 1e6},
    {"G", 1e9},
    {"T", 1e12},
    {"kB", 1e3},
    {"KB", 1e3},
    {"MB", 1e6},
    {"GB", 1e9},
    {"TB", 1e12},
    {"Ki", kKi},
    {"Mi", kKi* kKi},
    {"Gi", kKi* kKi* kKi},
    {"Ti", kKi* kKi* kKi* kKi},
    {"KiB", kKi},
    {"MiB", kKi* kKi},
    {"GiB", kKi* kKi* kKi},
    {"TiB", kKi* kKi* kKi* kKi},
};
constexpr Unit kTimeUnits[] = {{"ns", 1},   {"us", 1e3},   {"ms", 1e6},   {"s", 1e9},
                               {"m", 60e9}, {"h", 3600e9}, {"d", 86400e9}};

// Splits "<number><unit>" off the front of `text`. Returns false when there is no number.
bool take_number(std::string_view& text, double& number) {
  const auto [end, status] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (status != std::errc() || end == text.data()) return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return std::isfinite(number) && number >= 0;
}

template <size_t N>
const Unit* find_unit(const Unit (&units)[N], std::string_view name) {
  for (const Unit& unit : units)
    if (unit.name == name) return &unit;
  return nullptr;
}

}  // namespace

Result<uint64_t> parse_bytes(std::string_view text) {
  std::string_view rest = text;
  double number = 0;
  const Unit* unit = take_number(rest, number) ? find_unit(kByteUnits, rest) : nullptr;
  if (!unit)
    return Error{ErrorCode::kInvalidArgument, fmt::format("'{}' is not a size", text),
                 "write a number and a unit, such as 16Gi or 500MB"};
  const double bytes = number * unit->scale;
  if (bytes >= 18446744073709551616.0)
    return Error{ErrorCode::kInvalidArgument, fmt::format("size '{}' is over 2^64 bytes", text),
                 ""};
  return static_cast<uint64_t>(bytes);
}

Result<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  const Error bad{ErrorCode::kInvalidArgument, fmt::format("'{}' is not a duration", text),
                  "write a number and a unit, such as 250ms, 30s or 1h30m"};
  std::string_view rest = text;
  double total = 0;
  if (rest.empty()) return bad;
  while (!rest.empty()) {
    double number = 0;
    if (!take_number(rest, number)) return bad;
    const size_t length = std::min(rest.find_first_of("0123456789."), rest.size());
    const Unit* unit = find_unit(kTimeUnits, rest.substr(0, length));
    if (!unit) return bad;
    rest.remove_prefix(length);
    total += number * unit->scale;
  }
  if (total >= static_cast<double>(std::numeric_limits<int64_t>::max())) return bad;
  return std::chrono::nanoseconds(static_cast<int64_t>(total));
}

std::string format_bytes(uint64_t bytes) {
  constexpr std::string_view kNames[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  for (; value >= 999.5 && unit + 1 < std::size(kNames); ++unit) value /= 1024;
  if (unit == 0) return fmt::format("{} B", bytes);
  return fmt::format("{:.{}f} {}", value, value < 9.995 ? 2 : value < 99.95 ? 1 : 0, kNames[unit]);
}

std::string format_duration(std::chrono::nanoseconds duration) {
  const double s = static_cast<double>(duration.count()) / 1e9;
  if (s < 0) return "-" + format_duration(-duration);
  if (s < 1e-3) return fmt::format("{:.0f}us", s * 1e6);
  if (s < 1) return fmt::format("{:.1f}ms", s * 1e3);
  if (s < 60) return fmt::format("{:.2f}s", s);
  const auto total = static_cast<int64_t>(s);
  if (total < 3600) return fmt::format("{}m{:02}s", total / 60, total % 60);
  return fmt::format("{}h{:02}m", total / 3600, total / 60 % 60);
}

}  // namespace aictl
