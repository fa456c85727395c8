// Schema: one node of a structural schema, decoded once and then only read.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/value/json.hpp"

namespace aictl::manifest {

enum class Type : uint8_t { kAny, kString, kBoolean, kInteger, kNumber, kArray, kObject };

/// "string", "integer", ...
std::string_view word(Type type);

enum class ListType : uint8_t { kAtomic, kSet, kMap };

struct Schema;

struct Property {
  std::string name;
  const Schema* schema;
};

/// A node. Equal nodes of all schemas are one object, so a pointer may be a key. Nodes live as long
/// as the catalog.
struct Schema {
  Type type = Type::kAny;
  ListType list_type = ListType::kAtomic;
  bool nullable = false;
  bool int_or_string = false;      // x-kubernetes-int-or-string
  bool quantity = false;           // a resource.Quantity of the core API
  bool preserve_unknown = false;   // x-kubernetes-preserve-unknown-fields
  bool embedded_resource = false;  // x-kubernetes-embedded-resource
  bool unique_items = false;
  bool exclusive_minimum = false, exclusive_maximum = false;
  bool additional_open = false;  // additionalProperties: true

  std::vector<Property> properties;  // sorted by name
  std::vector<std::string> required;
  const Schema* additional = nullptr;  // of the values of a map
  const Schema* items = nullptr;       // of a list
  std::vector<const Schema*> all_of, any_of, one_of;
  const Schema* none_of = nullptr;  // `not`

  std::optional<double> minimum, maximum, multiple_of;
  size_t min_length = 0, max_length = kNoLimit;  // characters
  size_t min_items = 0, max_items = kNoLimit;
  size_t min_properties = 0, max_properties = kNoLimit;
  std::string pattern, format;  // empty: none
  Json allowed;                 // `enum`: an array, or null
  Json fallback;                // `default`, or null
  std::vector<std::string> list_map_keys;
  Json validations;  // x-kubernetes-validations: an array, or null

  static constexpr size_t kNoLimit = std::numeric_limits<size_t>::max();

  /// The schema of a property by name; nullptr without one.
  const Schema* property(std::string_view name) const;
  /// The schema of the value under `key`: the property's, else that of the map's values.
  const Schema* below(std::string_view key) const;
};

}  // namespace aictl::manifest
