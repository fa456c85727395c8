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
    return !name.empty() && name != "." && name != ".." && name.find_first_of("/%") == name.npos;
  if (document.api_version() == "v1" && document.kind() == "Service") return is_service_name(name);
  const bool label = (document.api_version() == "v1" && document.kind() == "Namespace") ||
                     is_kind(document, "apps", "StatefulSet");
  if (label) return is_dns_label(name);
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

void always(Report& report, const Document& document, std::string_view path, std::string_view rule,
            std::string message, std::string hint) {
  report.error(document, path, rule, std::move(message), std::move(hint));
}

// Built-in kinds know three by plain names; all others have a prefix.
void check_finalizers(const Document& document, const std::string& path, const Json& finalizers,
                      Report& report) {
  constexpr std::array<std::string_view, 3> kPlain = {"kubernetes", "orphan", "foregroundDeletion"};
  for (size_t i = 0; i < finalizers.size(); ++i) {
    if (!finalizers[i].is_string()) continue;
    const std::string& name = finalizers[i].get_ref<const std::string&>();
    const bool plain = name.find('/') == name.npos && !document.known->custom;
    if (!is_label_key(name) || (plain && std::ranges::count(kPlain, name) == 0))
      report.error(document, fmt::format("{}[{}]", path, i), "server/finalizer",
                   fmt::format("'{}' is not a finalizer", name), "domain/name");
  }
}

void check_labels(const Document& document, const std::string& path, const Json& metadata,
                  Report& report) {
  const auto tell = path == "metadata" ? always : refuse;
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
      tell(report, document, join(path, "annotations"), "server/annotation",
           fmt::format("'{}' is not a valid key", item.key()),
           "[prefix/]name of 63 letters, digits, -, _ and .");
  }
  const Json* finalizers = member(metadata, "finalizers");
  if (finalizers != nullptr && finalizers->is_array())
    check_finalizers(document, join(path, "finalizers"), *finalizers, report);
  if (bytes > kMaxAnnotations)
    tell(report, document, join(path, "annotations"), "server/annotation",
         fmt::format("{} bytes together, at most {} allowed", bytes, kMaxAnnotations), "");
}

void check_expression(const Document& document, const Entry& entry, Report& report) {
  const std::string_view key = text(*entry.value, "key"), op = text(*entry.value, "operator");
  if (!is_label_key(key))
    refuse(report, document, join(entry.path, "key"), "server/selector",
           fmt::format("'{}' is not a valid key", key));
  const Json* values = member(*entry.value, "values");
  if (op == "Gt" || op == "Lt") {  // of nodes
    if (values == nullptr || values->size() != 1)
      refuse(report, document, join(entry.path, "values"), "server/selector",
             fmt::format("{} needs one value", op));
    return;
  }
  if ((op == "In" || op == "NotIn") != is_set(*entry.value, "values"))
    refuse(report, document, join(entry.path, "values"), "server/selector",
           "needed with In and NotIn, and only there");
  if (values == nullptr || !values->is_array() ||
      entry.path.find(".preference.") != entry.path.npos)
    return;
  for (const Json& value : *values)
    if (value.is_string() && !is_label_value(value.get_ref<const std::string&>()))
      refuse(report, document, join(entry.path, "values"), "server/selector",
             fmt::format("'{}' is not a valid label value", value.get<std::string>()));
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

void check_label_map(const Document& document, const std::string& path, const Json& labels,
                     Report& report) {
  // An object's own labels are a server's to check in every kind.
  const auto tell = path == "metadata.labels" ? always : refuse;
  for (const auto& item : labels.items()) {
    if (!is_label_key(item.key()))
      tell(report, document, path, "server/label",
           fmt::format("'{}' is not a valid key", item.key()),
           "[prefix/]name of 63 letters, digits, -, _ and .");
    if (item.value().is_string() && !is_label_value(item.value().get_ref<const std::string&>()))
      tell(report, document, join(path, item.key()), "server/label",
           fmt::format("'{}' is not a valid label value",
                       item.value().get_ref<const std::string&>()),
           "63 letters, digits, -, _ and .; what does not fit belongs in an annotation");
  }
}

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
