// Requests and limits of containers.
#include <set>

#include "core/manifest/quantity.hpp"
#include "core/manifest/rules/names.hpp"
#include "core/manifest/rules/tables.hpp"
#include "core/manifest/rules/walk.hpp"

namespace aictl::manifest {
namespace {

bool is_standard(std::string_view name) {
  return name == "cpu" || name == "memory" || name == "ephemeral-storage" ||
         (name.starts_with("hugepages-") && name.size() > 10);
}
// Of a device plugin: whole numbers, and the same request as limit.
bool is_extended(std::string_view name) {
  return name.find('/') != name.npos && !name.starts_with("kubernetes.io/");
}

// null is zero.
std::optional<Quantity> amount_of(const Json& value) {
  return quantity_of(value.is_null() ? Json(0) : value);
}

std::string shown(const Json& value) {
  return value.is_string() ? value.get<std::string>() : dump_json(value);
}

void check_extended(const Document& document, const std::string& path, const std::string& name,
                    const Json* request, const Json* limit, Report& report) {
  const auto amount = amount_of(limit != nullptr ? *limit : *request);
  const std::string at_limit = fmt::format("{}.limits.{}", path, name);
  if (amount && !amount->is_whole())
    refuse(report, document, at_limit, "server/extended-resource",
           "extended resources are whole numbers");
  if (limit == nullptr) {
    refuse(report, document, at_limit, "server/extended-resource",
           "extended resources need a limit");
    return;
  }
  const auto wanted = request == nullptr ? amount : amount_of(*request);
  if (amount.has_value() != wanted.has_value() || (amount && *amount != *wanted))
    refuse(report, document, fmt::format("{}.requests.{}", path, name), "server/extended-resource",
           "must equal the limit");
}

void check_one(const Document& document, const std::string& path, const std::string& name,
               const Json* request, const Json* limit, Report& report) {
  if (!is_standard(name) && !(name.find('/') != name.npos && is_label_key(name))) {
    refuse(report, document, path, "server/resource-name",
           fmt::format("'{}' is neither a standard resource nor a qualified name", name),
           "such as cpu, memory or nvidia.com/gpu");
    return;
  }
  for (const Json* value : {request, limit}) {
    const auto amount = value == nullptr ? std::nullopt : amount_of(*value);
    if (amount && amount->nano < 0)
      refuse(report, document,
             fmt::format("{}.{}.{}", path, value == limit ? "limits" : "requests", name),
             "server/range", fmt::format("{} is below zero", shown(*value)));
  }
  const auto most = limit == nullptr ? std::nullopt : amount_of(*limit);
  const auto least = request == nullptr ? std::nullopt : amount_of(*request);
  if (most && least && *least > *most)
    refuse(report, document, fmt::format("{}.requests.{}", path, name), "server/range",
           fmt::format("{} is more than the limit {}", shown(*request), shown(*limit)));
  if (is_extended(name)) check_extended(document, path, name, request, limit, report);
}

}  // namespace

void check_resources(Documents documents, const Context&, Report& report) {
  for (const Document& document : documents) {
    if (document.known == nullptr) continue;
    for (const PodTemplate& pod : pod_templates(document))
      for (const Container& container : containers(pod)) {
        const Json& resources = mapping(*container.value, {"resources"});
        const Json& requests = mapping(resources, {"requests"});
        const Json& limits = mapping(resources, {"limits"});
        std::set<std::string> names;
        for (const Json* map : {&requests, &limits})
          for (const auto& item : map->items()) names.insert(item.key());
        for (const std::string& name : names)
          check_one(document, container.path + ".resources", name, member(requests, name),
                    member(limits, name), report);
      }
  }
}

}  // namespace aictl::manifest
