#include "core/manifest/compare/normal.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "core/base/units.hpp"
#include "core/manifest/check/check.hpp"
#include "core/manifest/compare/server.hpp"
#include "core/manifest/quantity.hpp"

namespace aictl::manifest {
namespace {

// A quantity of the core API, or the pattern that custom resources describe one with.
bool is_quantity(const Schema& schema) {
  return schema.quantity ||
         (schema.int_or_string && schema.pattern.find("[KMGTPE]i") != std::string::npos);
}

bool is_duration(const Schema& schema) {
  return schema.format == "duration" || schema.pattern.find("(h|m|s|ms)") != std::string::npos ||
         schema.pattern.find("(ms|s|m|h)") != std::string::npos;
}

// "1h30m": the largest units first, zeros left out.
std::string duration_text(std::chrono::nanoseconds duration) {
  constexpr std::pair<int64_t, std::string_view> kUnits[] = {
      {3'600'000'000'000, "h"}, {60'000'000'000, "m"}, {1'000'000'000, "s"},
      {1'000'000, "ms"},        {1'000, "us"},         {1, "ns"}};
  int64_t left = duration.count();
  std::string text;
  for (const auto& [size, unit] : kUnits) {
    if (left >= size) text += fmt::format("{}{}", left / size, unit);
    left %= size;
  }
  return text.empty() ? "0s" : text;
}

Json scalar(const Json& value, const Schema& schema) {
  if (is_quantity(schema)) {
    if (const auto quantity = quantity_of(value)) return format_quantity(*quantity);
  } else if (value.is_string() && is_duration(schema)) {
    if (const auto duration = parse_duration(value.get_ref<const std::string&>()))
      return duration_text(*duration);
  } else if (value.is_number_float() && schema.type == Type::kInteger) {
    return value.get<int64_t>();
  }
  return value;
}

class Normaliser {
 public:
  explicit Normaliser(const Schema* object_meta) : object_meta_(object_meta) {}

  Json value(const Json& value, const Schema* schema, std::string_view name) const {
    if (value.is_object()) return map(value, schema);
    if (value.is_array()) return list(value, schema, name);
    return schema == nullptr ? value : scalar(value, *schema);
  }

 private:
  Json map(const Json& object, const Schema* schema) const {
    Fields fields;
    for (const auto& [name, item] : object.items()) {
      if (item.is_null()) continue;
      const Schema* below = schema == nullptr ? nullptr : schema->below(name);
      if (below == nullptr && name == "metadata") below = object_meta_;
      Json normal = value(item, below, name);
      if (below != nullptr && is_default(normal, *below, name)) continue;
      if (below != nullptr && below == object_meta_ && normal.empty()) continue;
      if (below != nullptr && normal.empty() && normal.is_structured() && is_collection(*below))
        continue;
      fields.emplace(name, std::move(normal));
    }
    if (schema != nullptr) drop_derived(fields, *schema);
    if (schema == object_meta_) drop_server_metadata(fields);
    Json::object_t out;
    out.reserve(fields.size());
    for (auto& field : fields) out.emplace_back(field.first, std::move(field.second));
    return out;
  }

  bool is_default(const Json& normal, const Schema& schema, std::string_view name) const {
    return !schema.fallback.is_null() && normal == value(schema.fallback, &schema, name);
  }

  // Whether being empty means the same as not being there: lists, and maps of values.
  static bool is_collection(const Schema& schema) {
    return schema.type == Type::kArray || schema.additional != nullptr;
  }

  Json list(const Json& items, const Schema* schema, std::string_view name) const {
    const Schema* below = schema == nullptr ? nullptr : schema->items;
    Json::array_t out;
    out.reserve(items.size());
    for (const Json& item : items) out.push_back(value(item, below, ""));
    const bool ordered = name == "initContainers" || name == "env";
    if (schema == nullptr || ordered || schema->list_type == ListType::kAtomic) return out;
    std::vector<std::pair<std::string, Json>> keyed;
    for (Json& item : out) keyed.emplace_back(key_of(item, *schema), std::move(item));
    std::stable_sort(keyed.begin(), keyed.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    Json::array_t sorted;
    for (auto& pair : keyed) sorted.push_back(std::move(pair.second));
    return sorted;
  }

  static std::string key_of(const Json& item, const Schema& schema) {
    if (!item.is_object() || schema.list_map_keys.empty()) return dump_json(item);
    std::string key;
    for (const std::string& name : schema.list_map_keys)
      key += dump_json(item.value(name, Json())) + '\n';
    return key;
  }

  const Schema* object_meta_;
};

}  // namespace

Json normal_form(const Json& object, const Catalog& catalog) {
  if (!object.is_object()) return object;
  const Document document{object, "", 1, {}, nullptr};
  const auto [api_version, kind] = identify(document);
  const Kind* known = catalog.find(api_version, kind);
  const Schema* schema = known == nullptr ? nullptr : known->schema;
  Json copy = object;
  const bool is_file = known != nullptr && known->scope == Scope::kFile;
  if (!is_file) drop_kind_fields(copy, api_version, kind);
  return Normaliser(is_file ? nullptr : catalog.object_meta()).value(copy, schema, "");
}

}  // namespace aictl::manifest
