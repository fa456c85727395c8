// The volumes of a pod.
#include <algorithm>

#include "core/manifest/rules/fields/fields.hpp"
#include "core/manifest/rules/names.hpp"
#include "core/manifest/rules/pods/tables.hpp"

namespace aictl::manifest {
namespace {

using enum Need;

constexpr std::string_view kMode = "0..511";  // 0777

constexpr FieldRow kVolume[] = {
    {"name", kRequired, shape::label, "server/name"},
    {"secret.secretName", kRequired, nullptr, ""},
    {"secret.defaultMode", kOptional, shape::within, "server/range", kMode},
    {"secret.items[].key", kRequired, nullptr, ""},
    {"secret.items[].path", kRequired, shape::relative, "server/path"},
    {"secret.items[].mode", kOptional, shape::within, "server/range", kMode},
    {"configMap.name", kRequired, nullptr, ""},
    {"configMap.defaultMode", kOptional, shape::within, "server/range", kMode},
    {"configMap.items[].key", kRequired, nullptr, ""},
    {"configMap.items[].path", kRequired, shape::relative, "server/path"},
    {"configMap.items[].mode", kOptional, shape::within, "server/range", kMode},
    {"persistentVolumeClaim.claimName", kRequired, nullptr, ""},
    {"hostPath.path", kRequired, shape::upward, "server/path"},
    {"emptyDir.sizeLimit", kOptional, shape::from_zero, "server/range"},
    {"nfs.server", kRequired, nullptr, ""},
    {"nfs.path", kRequired, shape::absolute, "server/path"},
    {"csi.driver", kRequired, nullptr, ""},
    {"csi.nodePublishSecretRef.name", kRequired, shape::name, "server/name"},
    {"ephemeral.volumeClaimTemplate", kRequired, nullptr, ""},
    {"downwardAPI.defaultMode", kOptional, shape::within, "server/range", kMode},
    {"downwardAPI.items[].path", kRequired, shape::relative, "server/path"},
    {"projected.defaultMode", kOptional, shape::within, "server/range", kMode},
    {"projected.sources[].secret.name", kRequired, nullptr, ""},
    {"projected.sources[].secret.items[].key", kRequired, nullptr, ""},
    {"projected.sources[].secret.items[].path", kRequired, shape::relative, "server/path"},
    {"projected.sources[].configMap.name", kRequired, nullptr, ""},
    {"projected.sources[].configMap.items[].key", kRequired, nullptr, ""},
    {"projected.sources[].configMap.items[].path", kRequired, shape::relative, "server/path"},
    {"projected.sources[].downwardAPI.items[].path", kRequired, shape::relative, "server/path"},
    {"projected.sources[].serviceAccountToken.path", kRequired, shape::relative, "server/path"},
    {"projected.sources[].serviceAccountToken.expirationSeconds", kOptional, shape::within,
     "server/range", "600..4294967296"},
};

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

// Sources of a volume that are not null; without one it is an emptyDir.
size_t sources(const Json& volume) {
  size_t count = 0;
  for (const auto& item : volume.items()) count += item.key() != "name" && !item.value().is_null();
  return count;
}

}  // namespace

std::set<std::string_view> check_volumes(const Document& document, const PodTemplate& pod,
                                         bool completed, Report& report) {
  std::set<std::string_view> claims, names;
  collect_claims(mapping(document.object, {"spec"}), claims);
  for (const Entry& volume : entries(*pod.spec, "volumes", pod.path)) {
    const std::string_view name = text(*volume.value, "name");
    if (!names.insert(name).second)
      refuse(report, document, volume.path + ".name", "server/duplicate",
             fmt::format("'{}' is used twice", name));
    if (!completed) check_fields(document, volume.path, *volume.value, kVolume, report);
    if (!completed && sources(*volume.value) > 1)
      refuse(report, document, volume.path, "server/exclusive", "more than one kind of volume");
    const bool is_pod = is_kind(document, "", "Pod");
    const Json* image = member(*volume.value, "image");
    if (is_pod && image != nullptr && image->is_object() && !is_set(*image, "reference"))
      refuse(report, document, volume.path + ".image.reference", "server/required",
             "required field is missing");
  }
  names.insert(claims.begin(), claims.end());
  return names;
}

}  // namespace aictl::manifest
