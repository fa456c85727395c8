#include "core/manifest/catalog/decode.hpp"

#include <algorithm>
#include <string_view>

#include "core/base/check.hpp"

namespace aictl::manifest {
namespace {

using Below = std::function<const Schema*(size_t)>;

constexpr std::pair<std::string_view, Type> kTypes[] = {
    {"string", Type::kString}, {"boolean", Type::kBoolean}, {"integer", Type::kInteger},
    {"number", Type::kNumber}, {"array", Type::kArray},     {"object", Type::kObject}};

Type type_of(std::string_view text) {
  for (const auto& [name, type] : kTypes)
    if (name == text) return type;
  check_failed("a type of OpenAPI", __FILE__, __LINE__);
}

std::vector<const Schema*> list_of(const Json& value, const Below& below) {
  std::vector<const Schema*> list;
  for (const Json& number : value) list.push_back(below(number.get<size_t>()));
  return list;
}

void add_properties(Schema& schema, const Json& value, const Below& below) {
  schema.properties.reserve(value.size());
  for (const auto& [name, number] : value.items())
    schema.properties.push_back({name, below(number.get<size_t>())});
  std::sort(schema.properties.begin(), schema.properties.end(),
            [](const Property& a, const Property& b) { return a.name < b.name; });
}

// What says where values are and of which shape.
bool read_shape(Schema& schema, const std::string& key, const Json& value, const Below& below) {
  if (key == "type")
    schema.type = type_of(value.get<std::string>());
  else if (key == "properties")
    add_properties(schema, value, below);
  else if (key == "items")
    schema.items = below(value.get<size_t>());
  else if (key == "additionalProperties" && value.is_boolean())
    schema.additional_open = value.get<bool>();
  else if (key == "additionalProperties")
    schema.additional = below(value.get<size_t>());
  else if (key == "allOf")
    schema.all_of = list_of(value, below);
  else if (key == "anyOf")
    schema.any_of = list_of(value, below);
  else if (key == "oneOf")
    schema.one_of = list_of(value, below);
  else if (key == "not")
    schema.none_of = below(value.get<size_t>());
  else
    return false;
  return true;
}

// What bounds a value.
bool read_bound(Schema& schema, const std::string& key, const Json& value) {
  if (key == "minimum")
    schema.minimum = value.get<double>();
  else if (key == "maximum")
    schema.maximum = value.get<double>();
  else if (key == "exclusiveMinimum")
    schema.exclusive_minimum = value.get<bool>();
  else if (key == "exclusiveMaximum")
    schema.exclusive_maximum = value.get<bool>();
  else if (key == "multipleOf")
    schema.multiple_of = value.get<double>();
  else if (key == "minLength")
    schema.min_length = value.get<size_t>();
  else if (key == "maxLength")
    schema.max_length = value.get<size_t>();
  else if (key == "minItems")
    schema.min_items = value.get<size_t>();
  else if (key == "maxItems")
    schema.max_items = value.get<size_t>();
  else if (key == "minProperties")
    schema.min_properties = value.get<size_t>();
  else if (key == "maxProperties")
    schema.max_properties = value.get<size_t>();
  else if (key == "pattern")
    schema.pattern = value.get<std::string>();
  else if (key == "format")
    schema.format = value.get<std::string>();
  else if (key == "enum")
    schema.allowed = value;
  else
    return false;
  return true;
}

void read_extension(Schema& schema, const std::string& key, const Json& value) {
  if (key == "required")
    schema.required = value.get<std::vector<std::string>>();
  else if (key == "default")
    schema.fallback = value;
  else if (key == "nullable")
    schema.nullable = value.get<bool>();
  else if (key == "uniqueItems")
    schema.unique_items = value.get<bool>();
  else if (key == "x-kubernetes-int-or-string")
    schema.int_or_string = value.get<bool>();
  else if (key == "x-aictl-quantity")
    schema.quantity = value.get<bool>();
  else if (key == "x-kubernetes-preserve-unknown-fields")
    schema.preserve_unknown = value.get<bool>();
  else if (key == "x-kubernetes-embedded-resource")
    schema.embedded_resource = value.get<bool>();
  else if (key == "x-kubernetes-list-type")
    schema.list_type = value == "map"   ? ListType::kMap
                       : value == "set" ? ListType::kSet
                                        : ListType::kAtomic;
  else if (key == "x-kubernetes-list-map-keys")
    schema.list_map_keys = value.get<std::vector<std::string>>();
  else if (key == "x-kubernetes-validations")
    schema.validations = value;
  else
    check_failed("a keyword of a schema that is known", __FILE__, __LINE__);
}

}  // namespace

std::string_view word(Type type) {
  for (const auto& [name, known] : kTypes)
    if (known == type) return name;
  return "any";
}

const Schema* Schema::property(std::string_view name) const {
  const auto found =
      std::lower_bound(properties.begin(), properties.end(), name,
                       [](const Property& p, std::string_view wanted) { return p.name < wanted; });
  return found != properties.end() && found->name == name ? found->schema : nullptr;
}

const Schema* Schema::below(std::string_view key) const {
  const Schema* own = property(key);
  return own != nullptr ? own : additional;
}

Schema decode_schema(const Json& node, const Below& below) {
  Schema schema;
  for (const auto& [key, value] : node.items())
    if (!read_shape(schema, key, value, below) && !read_bound(schema, key, value))
      read_extension(schema, key, value);
  return schema;
}

}  // namespace aictl::manifest
