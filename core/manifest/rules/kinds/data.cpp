// ConfigMap, Secret, PersistentVolumeClaim, PersistentVolume.
#include <algorithm>
#include <array>

#include "core/manifest/rules/names.hpp"
#include "core/manifest/rules/tables.hpp"
#include "core/manifest/rules/walk.hpp"

namespace aictl::manifest {
namespace {

constexpr size_t kMaxData = size_t{1} << 20;  // bytes; what etcd takes

void check_keys(const Document& document, Report& report) {
  size_t bytes = 0;
  for (const std::string_view field : {"data", "binaryData", "stringData"})
    for (const auto& item : mapping(document.object, {field}).items()) {
      if (!is_config_key(item.key()))
        report.error(document, std::string(field), "server/config-key",
                     fmt::format("'{}' is not a valid key", item.key()),
                     "253 letters, digits, -, _ and .");
      if (item.value().is_string()) bytes += item.value().get_ref<const std::string&>().size();
    }
  for (const auto& item : mapping(document.object, {"binaryData"}).items())
    if (mapping(document.object, {"data"}).contains(item.key()))
      report.error(document, "binaryData." + item.key(), "server/duplicate",
                   "is also a key of data");
  if (bytes > kMaxData)
    report.error(document, "data", "server/size",
                 fmt::format("{} bytes, at most {} allowed", bytes, kMaxData));
}

void check_secret(const Document& document, Report& report) {
  struct Need {
    std::string_view type, key;
  };
  constexpr std::array<Need, 5> kNeeds = {{{"kubernetes.io/tls", "tls.crt"},
                                           {"kubernetes.io/tls", "tls.key"},
                                           {"kubernetes.io/dockerconfigjson", ".dockerconfigjson"},
                                           {"kubernetes.io/dockercfg", ".dockercfg"},
                                           {"kubernetes.io/ssh-auth", "ssh-privatekey"}}};
  for (const Need& need : kNeeds)
    if (text(document.object, "type") == need.type &&
        member(mapping(document.object, {"data"}), need.key) == nullptr &&
        member(mapping(document.object, {"stringData"}), need.key) == nullptr)
      report.error(document, fmt::format("data.{}", need.key), "server/required",
                   fmt::format("needed in a Secret of type {}", need.type));
}

void check_access_modes(const Document& document, const std::string& path, const Json& spec,
                        Report& report) {
  const Json* modes = member(spec, "accessModes");
  const bool alone = modes != nullptr && modes->is_array() && modes->size() > 1 &&
                     std::ranges::count(*modes, Json("ReadWriteOncePod")) > 0;
  if (alone && std::ranges::count(*modes, Json("ReadWriteOncePod")) < int64_t(modes->size()))
    report.error(document, path + ".accessModes", "server/exclusive",
                 "ReadWriteOncePod excludes other modes");
}

void check_claim(const Document& document, const std::string& path, const Json& spec,
                 Report& report) {
  check_access_modes(document, path, spec, report);
  const Json* storage = member(mapping(spec, {"resources", "requests"}), "storage");
  if (storage == nullptr || storage->is_null())
    report.error(document, path + ".resources.requests.storage", "server/required",
                 "required field is missing");
}

void check_volume(const Document& document, const Json& spec, Report& report) {
  constexpr std::array<std::string_view, 21> kSources = {"hostPath",
                                                         "local",
                                                         "nfs",
                                                         "csi",
                                                         "iscsi",
                                                         "fc",
                                                         "rbd",
                                                         "cephfs",
                                                         "cinder",
                                                         "flexVolume",
                                                         "azureFile",
                                                         "azureDisk",
                                                         "glusterfs",
                                                         "flocker",
                                                         "awsElasticBlockStore",
                                                         "quobyte",
                                                         "scaleIO",
                                                         "storageos",
                                                         "vsphereVolume",
                                                         "photonPersistentDisk",
                                                         "portworxVolume"};
  check_access_modes(document, "spec", spec, report);
  const Json& capacity = mapping(spec, {"capacity"});
  if (member(capacity, "storage") == nullptr)
    report.error(document, "spec.capacity.storage", "server/required", "required field is missing");
  else if (capacity.size() > 1)
    report.error(document, "spec.capacity", "server/exclusive", "names more than storage");
  const auto given = std::ranges::count_if(kSources, [&spec](std::string_view name) {
    const Json* source = member(spec, name);
    return source != nullptr && !source->is_null();
  });
  const bool disk = member(spec, "gcePersistentDisk") != nullptr;
  if (given + (disk ? 1 : 0) != 1)
    report.error(document, "spec", given == 0 && !disk ? "server/required" : "server/exclusive",
                 "needs exactly one kind of volume", "such as csi, local, nfs or hostPath");
  if (member(spec, "local") != nullptr && !is_set(spec, "nodeAffinity"))
    report.error(document, "spec.nodeAffinity", "server/required",
                 "required field is missing: a local volume is on one node");
}

}  // namespace

void check_data(Documents documents, const Context&, Report& report) {
  for (const Document& document : documents) {
    if (document.known == nullptr) continue;
    const Json& spec = mapping(document.object, {"spec"});
    if (is_kind(document, "", "ConfigMap") || is_kind(document, "", "Secret"))
      check_keys(document, report);
    if (is_kind(document, "", "Secret")) check_secret(document, report);
    if (is_kind(document, "", "PersistentVolumeClaim")) check_claim(document, "spec", spec, report);
    if (is_kind(document, "", "PersistentVolume")) check_volume(document, spec, report);
    if (is_kind(document, "apps", "StatefulSet"))
      for (const Entry& claim : entries(spec, "volumeClaimTemplates", "spec"))
        check_claim(document, claim.path + ".spec", mapping(*claim.value, {"spec"}), report);
  }
}

}  // namespace aictl::manifest
