#include "core/platform/generate/import.hpp"

#include <fmt/format.h>

#include "core/value/yaml.hpp"

namespace aictl::platform {
namespace {

// What stands at a pointer; nullptr where it, or a part of the way, is absent.
const Json* at(const Json& object, const char* pointer) {
  const Json::json_pointer place(pointer);
  return object.is_structured() && object.contains(place) ? &object[place] : nullptr;
}

std::string text_at(const Json& object, const char* pointer) {
  const Json* found = at(object, pointer);
  return found && found->is_string() ? found->get<std::string>() : std::string();
}

Json* model_of(Json& spec, const std::string& name, const std::string& source) {
  if (!spec.contains("models") || !spec["models"].is_array()) return nullptr;
  for (Json& model : spec["models"])
    if (model.is_object() &&
        (text_at(model, "/name") == name ||
         (text_at(model, "/name").empty() && text_at(model, "/source") == source)))
      return &model;
  return nullptr;
}

// Takes over what was changed by hand. An autoscaled workload has no replicas of its own.
void take_over(Json& spec, const Json& object) {
  const std::string name = text_at(object, "/metadata/annotations/aictl.dev~1model");
  if (name.empty()) return;
  Json* model = model_of(spec, name, text_at(object, "/metadata/annotations/aictl.dev~1source"));
  if (!model) return;
  const Json* scaled = at(object, "/spec/predictor/minReplicas");
  const Json* replicas = scaled ? scaled : at(object, "/spec/replicas");
  if (replicas && replicas->is_number_integer() && *replicas != model->value("replicas", Json(1)))
    (*model)["replicas"] = *replicas;
  const std::string image = text_at(object, "/spec/template/spec/containers/0/image");
  const std::string made = text_at(object, "/metadata/annotations/aictl.dev~1image");
  if (!image.empty() && !made.empty() && image != made) (*model)["image"] = image;
}

}  // namespace

Result<Json> import_spec(std::span<const Json> objects) {
  const Json* carrier = nullptr;
  for (const Json& object : objects) {
    if (text_at(object, "/kind") != "ConfigMap" || !at(object, "/metadata/labels/aictl.dev~1spec"))
      continue;
    if (carrier)
      return Error{
          ErrorCode::kDataRefused,
          fmt::format("two specs: in ConfigMap {} and in {}", text_at(*carrier, "/metadata/name"),
                      text_at(object, "/metadata/name")),
          "import the manifests of one platform at a time"};
    carrier = &object;
  }
  if (!carrier)
    return Error{ErrorCode::kNotFound, "no spec in these manifests",
                 "aictl generate writes it into the ConfigMap NAME-spec; give that one, too"};
  auto spec = parse_yaml(text_at(*carrier, "/data/aictl.yaml"));
  if (!spec)
    return std::move(spec).error().within(
        fmt::format("ConfigMap {}", text_at(*carrier, "/metadata/name")));
  if (!spec->tree.is_object())
    return Error{ErrorCode::kDataRefused, "the ConfigMap of the spec holds none", ""};
  for (const Json& object : objects) take_over(spec->tree, object);
  return std::move(spec->tree);
}

}  // namespace aictl::platform
