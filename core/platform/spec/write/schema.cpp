// The published JSON schema of a spec, for editors: draft 2020-12.
#include <algorithm>

#include <fmt/format.h>

#include "core/platform/spec/fields/platform_fields.hpp"
#include "core/platform/spec/read.hpp"

namespace aictl::platform {
namespace {

constexpr std::string_view kDuration = "^([0-9]+(\\.[0-9]*)?(ns|us|ms|s|m|h|d))+$";
constexpr std::string_view kBytes = "^[0-9]+(\\.[0-9]*)?(B|[kKMGT]B?|[KMGT]iB?)?$";

Json text_schema(const Field& field, bool may_be_empty) {
  Json out = {{"type", "string"}};
  const Rule* rule = field.text_rule;
  if (!rule) return out;
  if (!rule->pattern.empty())
    out["pattern"] = (may_be_empty ? "^$|" : "") + std::string(rule->pattern);
  if (rule->longest > 0) out["maxLength"] = rule->longest;
  return out;
}

void add_bounds(const Field& field, Json& out) {
  if (!field.bounds) return;
  const auto number = [](double value) {
    return value == double(int64_t(value)) ? Json(int64_t(value)) : Json(value);
  };
  out["minimum"] = number(field.bounds->first);
  out["maximum"] = number(field.bounds->second);
}

Json kind_schema(const Field& field, const Row& row) {
  switch (row.kind()) {
    case FieldKind::kBool:
      return {{"type", "boolean"}};
    case FieldKind::kInteger: {
      Json out = {{"type", "integer"}};
      add_bounds(field, out);
      return out;
    }
    case FieldKind::kReal: {
      Json out = {{"type", "number"}};
      add_bounds(field, out);
      return out;
    }
    case FieldKind::kDuration:
      return {{"type", "string"}, {"pattern", kDuration}};
    case FieldKind::kBytes: {
      Json number = {{"type", "integer"}};
      add_bounds(field, number);
      Json out;
      out["anyOf"] = Json::array();
      out["anyOf"].push_back(std::move(number));
      out["anyOf"].push_back({{"type", "string"}, {"pattern", kBytes}});
      return out;
    }
    case FieldKind::kList:
      return {{"type", "array"}, {"items", text_schema(field, false)}};
    case FieldKind::kText:
    case FieldKind::kChoice:
      if (row.words().empty()) return text_schema(field, !field.is_required);
      return {{"type", "string"}, {"enum", row.words()}};
  }
  return Json::object();
}

std::string description(const Field& field) {
  if (field.default_words.empty()) return field.help;
  return fmt::format("{}; by default {}", field.help, field.default_words);
}

Json value_schema(const Field& field) {
  Json out = {{"description", description(field)}};
  const Json kind = kind_schema(field, *field.row);
  for (const auto& [key, value] : kind.items()) out[key] = value;
  const Json& value = field.row->default_value();
  if (!field.is_required && field.default_words.empty() && !value.is_null() &&
      !(value.is_string() && value.get_ref<const std::string&>().empty()) &&
      !(value.is_array() && value.empty()))
    out["default"] = value;
  return out;
}

Json mapping_schema(const Fields& fields, const Plugins* plugins);

Json knobs_schema(std::vector<Row> rows) {
  Json properties = Json::object();
  for (Row& row : rows) {
    Field field;
    field.name = row.name();
    std::ranges::replace(field.name, '-', '_');
    field.help = row.help();
    field.row = std::move(row);
    properties[field.name] = value_schema(field);
  }
  return {{"type", Json::array({"object", "null"})},
          {"additionalProperties", false},
          {"properties", properties}};
}

Json trees_schema(const Plugins* plugins) {
  if (!plugins)
    return {{"type", "object"},
            {"additionalProperties", {{"type", Json::array({"object", "null"})}}}};
  Json properties = Json::object();
  for (const auto& row : plugins->renderers.rows()) {
    const auto renderer = row.make();  // owns what the rows are bound to
    Json one = {{"description", row.description}};
    const Json knobs = knobs_schema(renderer->rows());
    for (const auto& [key, value] : knobs.items()) one[key] = value;
    properties[row.name] = std::move(one);
  }
  return {{"type", "object"}, {"additionalProperties", false}, {"properties", properties}};
}

// A section may stand there with nothing in it.
Json section_schema(const Fields& fields, const Plugins* plugins) {
  Json out = mapping_schema(fields, plugins);
  if (out.value("type", "") == "object" && !out.contains("required"))
    out["type"] = Json::array({"object", "null"});
  return out;
}

Json field_schema(const Field& field, const Plugins* plugins) {
  if (field.kind == Field::Kind::kValue) return value_schema(field);
  Json out = {{"description", description(field)}}, kind;
  if (field.kind == Field::Kind::kTree) {
    kind = trees_schema(plugins);
  } else if (field.kind == Field::Kind::kSection) {
    kind = section_schema(field.sample(), plugins);
  } else if (field.kind == Field::Kind::kList) {
    kind = {{"type", "array"}, {"items", mapping_schema(field.sample(), plugins)}};
  } else {
    kind = {{"type", "object"}};
    if (field.text_rule) kind["propertyNames"] = {{"pattern", field.text_rule->pattern}};
    kind["additionalProperties"] = mapping_schema(field.sample(), plugins);
  }
  for (const auto& [key, value] : kind.items()) out[key] = value;
  return out;
}

Json mapping_schema(const Fields& fields, const Plugins* plugins) {
  Json properties = Json::object(), required = Json::array(), bare;
  for (const Field& field : fields.all()) {
    properties[field.name] = field_schema(field, plugins);
    if (field.is_required) required.push_back(field.name);
    if (field.name == fields.shorthand()) bare = value_schema(field);
  }
  if (fields.only_shorthand()) return bare;
  Json object = {{"type", "object"}, {"additionalProperties", false}, {"properties", properties}};
  if (!required.empty()) object["required"] = required;
  if (bare.is_null()) return object;
  Json out;
  out["anyOf"] = Json::array();
  out["anyOf"].push_back(std::move(object));
  out["anyOf"].push_back(std::move(bare));
  return out;
}

}  // namespace

Json platform_schema(const Plugins* plugins) {
  Platform platform;
  const Json top = mapping_schema(platform_fields(platform), plugins);
  Json out = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
              {"$id", "https://aictl.dev/v1/platform.json"},
              {"title", "aictl.yaml"},
              {"description",
               "a platform for AI applications: one spec, run here by `aictl up` "
               "and written for clusters by `aictl generate`"}};
  for (const auto& [key, value] : top.items()) {
    if (key != "properties") {
      out[key] = value;
      continue;
    }
    Json properties = {
        {"apiVersion", {{"const", "aictl.dev/v1"}, {"description", "the version of this form"}}},
        {"kind", {{"const", "Platform"}, {"description", "what this file is"}}}};
    for (const auto& [name, schema] : value.items()) properties[name] = schema;
    out[key] = std::move(properties);
  }
  return out;
}

}  // namespace aictl::platform
