// Quantities of Kubernetes ("500m", "16Gi", "1e3"), exactly: compared and written as the API server
// does.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "core/value/json.hpp"

namespace aictl::manifest {

/// A number in nano-units: 10^-9 of the unit. What is finer is rounded up, as the server does.
struct Quantity {
  __extension__ using Wide = __int128;
  Wide nano = 0;
  enum class Form : uint8_t { kDecimal, kBinary, kExponent } form = Form::kDecimal;

  std::strong_ordering operator<=>(const Quantity& other) const { return nano <=> other.nano; }
  bool operator==(const Quantity& other) const { return nano == other.nano; }
  bool is_whole() const { return nano % 1'000'000'000 == 0; }
  /// The unit rounded up; saturates at the ends of int64.
  int64_t rounded_up() const;
};

/// Errors: nothing when `text` is no quantity. Magnitudes above 2^63-1 are capped, as by the
/// server.
std::optional<Quantity> parse_quantity(std::string_view text);
/// Also of a number, as YAML allows it.
std::optional<Quantity> quantity_of(const Json& value);
/// The one way to write it: "1500m", "16Gi", "1k".
std::string format_quantity(const Quantity& quantity);

}  // namespace aictl::manifest
