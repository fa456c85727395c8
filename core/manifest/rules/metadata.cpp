// Names, namespaces, labels, annotations and the selectors over them.
#include <algorithm>
#include <array>

#include "core/manifest/catalog/catalog.hpp"
#include "core/manifest/rules/names.hpp"
#include "core/manifest/rules/tables.hpp"
#include "core/manifest/rules/walk.hpp"

namespace aictl::manifest {
namespace {

constexpr size_t kMaxAnnotations = 256 * 1024;  // bytes of keys and values together

bool may_have_colons(std::string_view kind) {
  constexpr std::array<std::string_view, 4> kKinds = {"Role", "RoleBinding", "ClusterRole",
                                                      "ClusterRoleBinding"};
  return std::ranges::count(kKinds, kind) > 0;
}

bool is_object_name(const Document& document, std::string_view name) {
  if (may_have_colons(document.kind()))
    return name != "." && name != ".." && name.find_first_of("/%") == name.npos;
  if (document.api_version() == "v1" && document.kind() == "Service") return is_service_name(name);
  if (document.api_version() == "v1" && document.kind() == "Namespace") return is_dns_label(name);
  return is_dns_name(name);
}

void check_name(const Document& document, Report& report) {
  const Json& metadata = mapping(document.object, {"metadata"});
  const Json* name = member(metadata, "name");
  if ((name == nullptr || name->is_null()) && text(metadata, "generateName").empty()) {
    report.error(document, "metadata.name", "server/name", "required field is missing",
                 "every object needs a name");
    return;
  }
  if (name != nullptr && name->is_string() && !is_object_name(document, text(metadata, "name")))
    report.error(
        document, "metadata.name", "server/name",
        fmt::format("'{}' is not a valid name for a {}", text(metadata, "name"), document.kind()),
        "lower-case letters, digits and -, and . where a DNS name is allowed");
}

void check_namespace(const Document& document, Report& report) {
  const std::string_view name = document.name_space();
  if (name.empty()) return;
  if (document.known->scope == Scope::kCluster)
    report.warning(document, "metadata.namespace", "server/cluster-scoped",
                   fmt::format("{} is cluster-scoped, the namespace is ignored", document.kind()),
                   "leave metadata.namespace out");
  else if (!is_dns_label(name))
    report.error(document, "metadata.namespace", "server/name",
                 fmt::format("'{}' is not a valid namespace", name));
}

void check_label_map(const Document& document, const std::string& path, const Json& labels,
                     Report& report) {
  for (const auto& item : labels.items()) {
    if (!is_label_key(item.key()))
      report.error(document, path, "server/label",
                   fmt::format("'{}' is not a valid key", item.key()),
                   "[prefix/]name of 63 letters, digits, -, _ and .");
    if (item.value().is_string() && !is_label_value(item.value().get_ref<const std::string&>()))
      report.error(document, join(path, item.key()), "server/label",
                   fmt::format("'{}' is not a valid label value",
                               item.value().get_ref<const std::string&>()),
                   "63 letters, digits, -, _ and .; what does not fit belongs in an annotation");
  }
}

void check_labels(const Document& document, const std::string& path, const Json& metadata,
                  Report& report) {
  check_label_map(document, join(path, "labels"), mapping(metadata, {"labels"}), report);
  size_t bytes = 0;
  for (const auto& item : mapping(metadata, {"annotations"}).items()) {
    std::string key = item.key();
    bytes += key.size() +
             (item.value().is_string() ? item.value().get_ref<const std::string&>().size() : 0);
    std::ranges::transform(key, key.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    if (!is_label_key(key))
      report.error(document, join(path, "annotations"), "server/annotation",
                   fmt::format("'{}' is not a valid key", item.key()),
                   "[prefix/]name of 63 letters, digits, -, _ and .");
  }
  if (bytes > kMaxAnnotations)
    report.error(document, join(path, "annotations"), "server/annotation",
                 fmt::format("{} bytes together, at most {} allowed", bytes, kMaxAnnotations));
}

void check_expression(const Document& document, const Entry& entry, Report& report) {
  const std::string_view key = text(*entry.value, "key"), op = text(*entry.value, "operator");
  if (!is_label_key(key))
    report.error(document, join(entry.path, "key"), "server/selector",
                 fmt::format("'{}' is not a valid key", key));
  if (op == "Gt" || op == "Lt") return;
  if ((op == "In" || op == "NotIn") != is_set(*entry.value, "values"))
    report.error(document, join(entry.path, "values"), "server/selector",
                 "needed with In and NotIn, and only there");
}

void check_selectors_below(const Document& document, const std::string& path, const Json& value,
                           Report& report) {
  if (value.is_array())
    for (size_t i = 0; i < value.size(); ++i)
      check_selectors_below(document, fmt::format("{}[{}]", path, i), value[i], report);
  if (!value.is_object()) return;
  check_label_map(document, join(path, "matchLabels"), mapping(value, {"matchLabels"}), report);
  for (const Entry& entry : entries(value, "matchExpressions", path))
    check_expression(document, entry, report);
  for (const auto& item : value.items())
    if (item.value().is_structured())
      check_selectors_below(document, join(path, item.key()), item.value(), report);
}

}  // namespace

void check_metadata(Documents documents, const Context&, Report& report) {
  for (const Document& document : documents) {
    if (document.known == nullptr || document.known->scope == Scope::kFile) continue;
    check_name(document, report);
    check_namespace(document, report);
    check_labels(document, "metadata", mapping(document.object, {"metadata"}), report);
    for (const PodTemplate& pod : pod_templates(document)) {
      const size_t last = pod.path.rfind('.');
      if (last == pod.path.npos) continue;  // a Pod's metadata is the document's
      check_labels(document, pod.path.substr(0, last) + ".metadata", *pod.metadata, report);
    }
  }
}

void check_selectors(Documents documents, const Context&, Report& report) {
  for (const Document& document : documents)
    if (document.known != nullptr)
      check_selectors_below(document, "spec", mapping(document.object, {"spec"}), report);
}

}  // namespace aictl::manifest
