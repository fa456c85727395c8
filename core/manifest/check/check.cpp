#include "core/manifest/check/check.hpp"

#include <filesystem>

#include <fmt/format.h>

#include "core/manifest/check/walk.hpp"

namespace aictl::manifest {
namespace {

std::string text_of(const Json& object, const char* name, std::string_view otherwise = "") {
  const auto found = object.find(name);
  if (found == object.end()) return std::string(otherwise);
  return found->is_string() ? found->get<std::string>() : "";
}

Json complete_map(const Json& object, const Schema& schema) {
  Json::object_t out;
  out.reserve(object.size() + 4);
  for (const auto& [name, item] : object.items()) {
    const Schema* below = schema.below(name);
    if (below == nullptr)
      out.emplace_back(name, item);
    else if (!item.is_null() || below->nullable)
      out.emplace_back(name, complete(item, *below));
  }
  for (const Property& property : schema.properties)
    if (!property.schema->fallback.is_null() && out.find(property.name) == out.end())
      out.emplace_back(property.name, complete(property.schema->fallback, *property.schema));
  return out;
}

}  // namespace

std::pair<std::string, std::string> identify(const Document& document) {
  if (!document.object.is_object()) return {};
  const std::string file = std::filesystem::path(document.file).filename().string();
  if (file == "kustomization.yaml" || file == "kustomization.yml")
    return {text_of(document.object, "apiVersion", "kustomize.config.k8s.io/v1beta1"),
            text_of(document.object, "kind", "Kustomization")};
  const bool job_file = !document.object.contains("apiVersion") &&
                        document.object.contains("queue") && document.object.contains("jobSetId");
  if (job_file) return {"armadactl/submit", "JobSubmit"};
  return {text_of(document.object, "apiVersion"), text_of(document.object, "kind")};
}

Json complete(const Json& object, const Schema& schema) {
  if (object.is_object()) return complete_map(object, schema);
  if (!object.is_array() || schema.items == nullptr) return object;
  Json::array_t out;
  out.reserve(object.size());
  for (const Json& item : object) out.push_back(complete(item, *schema.items));
  return out;
}

void check_structure(const Catalog& catalog, Document& document, Report& report) {
  document.known = nullptr;
  if (!document.object.is_object())
    return report.error(document, ".", "schema/type",
                        fmt::format("not a mapping but {}", type_name(document.object)));
  const auto [api_version, kind] = identify(document);
  if (api_version.empty())
    return report.error(document, "apiVersion", "schema/kind", "missing or not a string");
  if (kind.empty()) return report.error(document, "kind", "schema/kind", "missing or not a string");
  const Kind* known = catalog.find(api_version, kind);
  if (known == nullptr)
    return report.error(document, "apiVersion", "schema/kind",
                        fmt::format("no schema for {} {}", api_version, kind),
                        catalog.nearest(kind));
  const WalkOptions options{known->custom, catalog.object_meta()};
  const Say say = [&](const std::string& path, std::string_view rule, std::string message,
                      std::string hint) {
    report.error(document, path, rule, std::move(message), std::move(hint));
  };
  if (known->custom)
    walk(complete(document.object, *known->schema), *known->schema, options, say);
  else
    walk(document.object, *known->schema, options, say);
  if (known->deprecated)
    report.warning(document, "apiVersion", "schema/deprecated",
                   fmt::format("{} is deprecated", api_version), catalog.nearest(kind));
  document.known = known;
}

}  // namespace aictl::manifest
