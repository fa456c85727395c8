#include "core/manifest/references/references.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "core/manifest/references/kinds.hpp"
#include "core/manifest/references/table.hpp"
#include "core/manifest/references/world.hpp"
#include "core/manifest/rules/walk.hpp"

namespace aictl::manifest {
namespace {

constexpr std::string_view kMissing = "reference/missing";

void missing(const Document& document, const std::string& path, std::string problem,
             Report& report) {
  report.error(document, path, kMissing, std::move(problem),
               "add it, or say --external KIND/NAME when it exists outside");
}

// What an object reference means: "Kind.group", name and namespace.
struct Named {
  std::string target, name, space;
  bool usable = false;
};

Named resolve(const World& world, const Json& reference, std::string_view defaults,
              std::string_view space) {
  const size_t dot = defaults.find('.');
  const std::string_view default_kind = defaults.substr(0, dot);
  std::string group(defaults.substr(dot + 1));
  Named named;
  const std::string_view kind =
      text(reference, "kind").empty() ? default_kind : text(reference, "kind");
  const Json* api = nullptr;
  for (const std::string_view field : {"apiVersion", "apiGroup", "group"})
    if (api == nullptr) api = member(reference, field);
  if (api != nullptr && api->is_string()) {
    const auto& written = api->get_ref<const std::string&>();
    const size_t slash = written.find('/');
    group = slash != written.npos ? written.substr(0, slash) : written == "v1" ? "" : written;
  } else if (kind != default_kind && !default_kind.empty()) {
    group = world.group_of(kind, group);
  }
  named.usable = kind != "User" && kind != "Group" && !text(reference, "name").empty();
  named.target = fmt::format("{}.{}", kind, group);
  named.name = text(reference, "name");
  named.space = text(reference, "namespace").empty() ? space : text(reference, "namespace");
  return named;
}

bool is_filled_later(std::string_view name) { return name.find("$(") != name.npos; }

void check_field(const World& world, const Document& document, const Field& field,
                 std::string_view target, Report& report) {
  std::string name = field.key, path = field.path, kinds(target);
  std::string space(document.name_space());
  if (target.starts_with('@')) {
    if (!field.value->is_object()) return;
    Named named = resolve(world, *field.value, target.substr(1), space);
    if (!named.usable) return;
    path += ".name";
    name = std::move(named.name);
    kinds = std::move(named.target);
    space = std::move(named.space);
  } else if (field.value != nullptr) {
    if (!field.value->is_string()) return;
    name = field.value->get<std::string>();
  }
  if (is_filled_later(name)) return;
  World::Finding finding = world.find(kinds, name, space);
  if (!finding.found) missing(document, path, std::move(finding.problem), report);
}

bool has_key(const Document& holder, std::string_view key) {
  for (const std::string_view field : {"data", "stringData", "binaryData"})
    if (mapping(holder.object, {field}).contains(std::string(key))) return true;
  return false;
}

void check_pod_fields(const World& world, const Document& document, const PodTemplate& pod,
                      Report& report) {
  for (const ReferenceField& row : pod_reference_fields())
    for (const Field& field : find_fields(*pod.spec, row.path, pod.path)) {
      if (!field.value->is_string() || is_true(*field.holder, "optional")) continue;
      const auto& name = field.value->get_ref<const std::string&>();
      if (is_filled_later(name)) continue;
      World::Finding finding = world.find(row.target, name, document.name_space());
      if (!finding.found) missing(document, field.path, std::move(finding.problem), report);
      const std::string_view key = text(*field.holder, "key");
      const bool holds_keys = row.target == "ConfigMap." || row.target == "Secret.";
      if (finding.document != nullptr && holds_keys && !key.empty() &&
          !has_key(*finding.document, key))
        report.error(document, field.path.substr(0, field.path.rfind('.')) + ".key",
                     "reference/key",
                     fmt::format("{} '{}' has no key '{}'",
                                 row.target.substr(0, row.target.size() - 1), name, key));
    }
}

void check_label_references(const World& world, const Document& document, const std::string& path,
                            const Json& metadata, const std::set<std::string_view>& levels,
                            Report& report) {
  for (const ReferenceLabel& row : reference_labels()) {
    const std::string_view name = text(mapping(metadata, {"labels"}), row.label);
    if (name.empty()) continue;
    World::Finding finding = world.find(row.target, name, document.name_space());
    if (!finding.found)
      missing(document, fmt::format("{}.labels.{}", path, row.label), std::move(finding.problem),
              report);
  }
  for (const std::string_view key :
       {"kueue.x-k8s.io/podset-required-topology", "kueue.x-k8s.io/podset-preferred-topology"}) {
    const std::string_view level = text(mapping(metadata, {"annotations"}), key);
    if (!level.empty() && !levels.empty() && !levels.contains(level))
      report.error(document, fmt::format("{}.annotations.{}", path, key), "reference/level",
                   fmt::format("no Topology has the level '{}'", level));
  }
}

std::set<std::string_view> topology_levels(const World& world) {
  std::set<std::string_view> levels;
  for (const Document& document : world.documents())
    if (is_kind(document, "kueue.x-k8s.io", "Topology"))
      for (const Entry& level : entries(mapping(document.object, {"spec"}), "levels", ""))
        levels.insert(text(*level.value, "nodeLabel"));
  return levels;
}

// Objects of one kind, name and namespace: the last one is reported.
void check_twice(Documents documents, Report& report) {
  std::map<std::string, const Document*> seen;
  for (const Document& document : documents) {
    if (document.known == nullptr || document.name().empty()) continue;
    const std::string key =
        fmt::format("{}/{}/{}", kind_and_group(document), document.name_space(), document.name());
    if (!seen.emplace(key, &document).second)
      report.error(document, "metadata.name", "reference/twice",
                   fmt::format("{} '{}' is defined twice", document.kind(), document.name()));
  }
}

void check_documents(Documents documents, const Context& context, Report& report) {
  const World world(documents, context);
  const std::set<std::string_view> levels = topology_levels(world);
  for (const Document& document : documents) {
    if (document.known == nullptr) continue;
    const std::string kind = kind_and_group(document);
    for (const ReferenceField& row : reference_fields())
      if (row.kind == kind)
        for (const Field& field : find_fields(document.object, row.path))
          check_field(world, document, field, row.target, report);
    for (const PodTemplate& pod : pod_templates(document)) {
      check_pod_fields(world, document, pod, report);
      const size_t last = pod.path.rfind('.');
      if (last != pod.path.npos)
        check_label_references(world, document, pod.path.substr(0, last) + ".metadata",
                               *pod.metadata, levels, report);
    }
    if (kind != "Kafka.kafka.strimzi.io" && kind != "KafkaConnect.kafka.strimzi.io")
      check_label_references(world, document, "metadata", mapping(document.object, {"metadata"}),
                             levels, report);
    check_kind(world, document, report);
  }
  check_twice(documents, report);
}

constexpr Rule kRows[] = {
    {"reference/missing", Severity::kError, "an object that is named and not there",
     check_documents},
    {"reference/key", Severity::kError, "a key a ConfigMap or Secret does not have",
     check_documents},
    {"reference/level", Severity::kError, "a topology level that no Topology has", check_documents},
    {"reference/twice", Severity::kError, "one object defined twice", check_documents},
    {"reference/port", Severity::kError, "a port that nothing selected has", check_documents},
    {"reference/selector", Severity::kWarning, "a selector that finds nothing", check_documents},
    {"reference/pipeline", Severity::kError, "parts of a collector's pipelines", check_documents},
    {"reference/flavor", Severity::kError, "a flavor's resources and those of its group",
     check_documents},
};

}  // namespace

std::span<const Rule> reference_rules() { return kRows; }

void check_references(Documents documents, const Context& context, Report& report) {
  check_documents(documents, context, report);
}

}  // namespace aictl::manifest
