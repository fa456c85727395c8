// What holds for a pod as a whole: volumes, names of containers, scheduling.
#include <algorithm>
#include <array>
#include <set>

#include "core/manifest/rules/names.hpp"
#include "core/manifest/rules/tables.hpp"
#include "core/manifest/rules/walk.hpp"

namespace aictl::manifest {
namespace {

// Names that claim templates anywhere in an object give to the volumes of its pods.
void collect_claims(const Json& value, std::set<std::string_view>& names) {
  if (value.is_array())
    for (const Json& item : value) collect_claims(item, names);
  if (!value.is_object()) return;
  for (const std::string_view field : {"volumeClaimTemplates", "volumeClaimPolicies"})
    for (const Entry& entry : entries(value, field, "")) {
      names.insert(text(mapping(*entry.value, {"metadata"}), "name"));
      for (const Entry& claim : entries(*entry.value, "templates", ""))
        names.insert(text(mapping(*claim.value, {"metadata"}), "name"));
    }
  for (const auto& item : value.items())
    if (item.value().is_structured()) collect_claims(item.value(), names);
}

std::set<std::string_view> check_volumes(const Document& document, const PodTemplate& pod,
                                         bool completed, Report& report) {
  std::set<std::string_view> claims, names;
  collect_claims(mapping(document.object, {"spec"}), claims);
  for (const Entry& volume : entries(*pod.spec, "volumes", pod.path)) {
    const std::string_view name = text(*volume.value, "name");
    if (!names.insert(name).second)
      report.error(document, volume.path + ".name", "server/duplicate",
                   fmt::format("'{}' is used twice", name));
    if (!name.empty() && !is_dns_label(name))
      report.error(document, volume.path + ".name", "server/name",
                   fmt::format("'{}' is not a valid name", name));
    const size_t kinds = volume.value->size() - (volume.value->contains("name") ? 1 : 0);
    if (!completed && kinds > 1)
      report.error(document, volume.path, "server/exclusive", "more than one kind of volume");
  }
  names.insert(claims.begin(), claims.end());
  return names;
}

void check_mounts(const Document& document, const PodTemplate& pod,
                  const std::set<std::string_view>& volumes, bool completed, Report& report) {
  std::set<std::string_view> claims;
  for (const Entry& claim : entries(*pod.spec, "resourceClaims", pod.path))
    claims.insert(text(*claim.value, "name"));
  for (const Container& container : containers(pod)) {
    for (const Entry& mount : entries(*container.value, "volumeMounts", container.path)) {
      const std::string_view name = text(*mount.value, "name");
      if (!completed && !volumes.contains(name))
        report.error(document, mount.path + ".name", "server/volume",
                     fmt::format("no volume is named '{}'", name), "name one of spec.volumes");
      const std::string_view inner = text(*mount.value, "subPath");
      if (inner.starts_with('/') || inner == ".." || inner.find("../") != inner.npos)
        report.error(document, mount.path + ".subPath", "server/path",
                     fmt::format("'{}' leaves the volume", inner), "a path without .. or / before");
    }
    const Json& resources = mapping(*container.value, {"resources"});
    for (const Entry& claim : entries(resources, "claims", container.path + ".resources"))
      if (!claims.contains(text(*claim.value, "name")))
        report.error(
            document, claim.path + ".name", "server/claim",
            fmt::format("no entry of resourceClaims is named '{}'", text(*claim.value, "name")));
  }
}

void check_container_names(const Document& document, const PodTemplate& pod, bool completed,
                           Report& report) {
  std::set<std::string_view> names;
  for (const Container& container : containers(pod)) {
    const std::string_view name = text(*container.value, "name");
    if (!name.empty() && !is_dns_label(name))
      report.error(document, container.path + ".name", "server/name",
                   fmt::format("'{}' is not a valid name", name));
    if (!name.empty() && !names.insert(name).second)
      report.error(document, container.path + ".name", "server/duplicate",
                   fmt::format("'{}' is used twice", name));
    const std::string_view image = text(*container.value, "image");
    if (!completed && image.empty())
      report.error(document, container.path + ".image", "server/required",
                   "required field is missing");
    if (!image.empty() && (image.front() == ' ' || image.back() == ' '))
      report.error(document, container.path + ".image", "server/image",
                   fmt::format("'{}' has blanks around it", image));
  }
}

void check_tolerations(const Document& document, const PodTemplate& pod, Report& report) {
  for (const Entry& toleration : entries(*pod.spec, "tolerations", pod.path)) {
    const std::string_view op = text(*toleration.value, "operator");
    const std::string_view key = text(*toleration.value, "key");
    if (!key.empty() && !is_label_key(key))
      report.error(document, toleration.path + ".key", "server/toleration",
                   fmt::format("'{}' is not a valid key", key));
    if (op == "Exists" && !text(*toleration.value, "value").empty())
      report.error(document, toleration.path + ".value", "server/toleration",
                   "must be empty when the operator is Exists");
    if (key.empty() && op != "Exists")
      report.error(document, toleration.path + ".operator", "server/toleration",
                   "must be Exists when the key is empty");
    if (member(*toleration.value, "tolerationSeconds") != nullptr &&
        text(*toleration.value, "effect") != "NoExecute")
      report.error(document, toleration.path + ".effect", "server/toleration",
                   "must be NoExecute when tolerationSeconds is set");
  }
}

void check_spread(const Document& document, const PodTemplate& pod, Report& report) {
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (const Entry& spread : entries(*pod.spec, "topologySpreadConstraints", pod.path)) {
    if (const int64_t skew = integer(*spread.value, "maxSkew", 1); skew < 1)
      report.error(document, spread.path + ".maxSkew", "server/range",
                   fmt::format("{} must be greater than zero", skew));
    const std::string_view key = text(*spread.value, "topologyKey");
    if (!seen.emplace(key, text(*spread.value, "whenUnsatisfiable")).second)
      report.error(document, spread.path, "server/duplicate",
                   fmt::format("a second constraint over '{}'", key));
    if (member(*spread.value, "minDomains") != nullptr &&
        text(*spread.value, "whenUnsatisfiable") != "DoNotSchedule")
      report.error(document, spread.path + ".minDomains", "server/exclusive",
                   "only with whenUnsatisfiable: DoNotSchedule");
  }
}

void check_bounds(const Document& document, const PodTemplate& pod, Report& report) {
  for (const std::string_view field : {"terminationGracePeriodSeconds", "activeDeadlineSeconds"})
    if (const int64_t number = integer(*pod.spec, field, 1);
        number < (field == "activeDeadlineSeconds" ? 1 : 0))
      report.error(document, join(pod.path, field), "server/range",
                   fmt::format("{} is too small", number));
  const Json& context = mapping(*pod.spec, {"securityContext"});
  for (const std::string_view field : {"runAsUser", "runAsGroup", "fsGroup"})
    if (const int64_t number = integer(context, field, 0); number < 0 || number > 2'147'483'647)
      report.error(document, fmt::format("{}.securityContext.{}", pod.path, field), "server/range",
                   fmt::format("{} is not an id: 0 to 2147483647", number));
  for (const auto& item : mapping(*pod.spec, {"nodeSelector"}).items())
    if (!is_label_key(item.key()))
      report.error(document, pod.path + ".nodeSelector", "server/label",
                   fmt::format("'{}' is not a valid key", item.key()));
    else if (item.value().is_string() &&
             !is_label_value(item.value().get_ref<const std::string&>()))
      report.error(document, fmt::format("{}.nodeSelector.{}", pod.path, item.key()),
                   "server/label",
                   fmt::format("'{}' is not a valid label value", item.value().get<std::string>()));
}

}  // namespace

void check_pods(Documents documents, const Context&, Report& report) {
  for (const Document& document : documents) {
    if (document.known == nullptr) continue;
    const bool completed = is_completed_elsewhere(document);
    for (const PodTemplate& pod : pod_templates(document)) {
      check_mounts(document, pod, check_volumes(document, pod, completed, report), completed,
                   report);
      check_container_names(document, pod, completed, report);
      check_tolerations(document, pod, report);
      check_spread(document, pod, report);
      check_bounds(document, pod, report);
    }
  }
}

}  // namespace aictl::manifest
