// ConfigMap, Secret, PersistentVolumeClaim, PersistentVolume.
#include <array>

#include "core/manifest/quantity.hpp"
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
        !mapping(document.object, {"data"}).contains(std::string(need.key)) &&
        !mapping(document.object, {"stringData"}).contains(std::string(need.key)))
      report.error(document, fmt::format("data.{}", need.key), "server/required",
                   fmt::format("needed in a Secret of type {}", need.type));
}

void check_claim(const Document& document, const std::string& path, const Json& spec,
                 Report& report) {
  if (!is_set(spec, "accessModes"))
    report.error(document, path + ".accessModes", "server/required", "required field is missing");
  const Json& requests = mapping(spec, {"resources", "requests"});
  const Json* storage = member(requests, "storage");
  if (storage == nullptr) {
    report.error(document, path + ".resources.requests.storage", "server/required",
                 "required field is missing");
    return;
  }
  const auto size = quantity_of(*storage);
  if (size && size->nano <= 0)
    report.error(document, path + ".resources.requests.storage", "server/range",
                 "must be greater than zero");
}

void check_volume(const Document& document, const Json& spec, Report& report) {
  if (!is_set(spec, "accessModes"))
    report.error(document, "spec.accessModes", "server/required", "required field is missing");
  if (member(mapping(spec, {"capacity"}), "storage") == nullptr)
    report.error(document, "spec.capacity.storage", "server/required", "required field is missing");
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
