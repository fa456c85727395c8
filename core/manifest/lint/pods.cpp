// Points about pods: images, resources, probes and stopping, scheduling, secrets, models.
#include <algorithm>
#include <array>
#include <charconv>

#include "core/manifest/lint/tables.hpp"
#include "core/manifest/quantity.hpp"

namespace aictl::manifest {
namespace {

// Every pod of a document the catalog knows, unless an operator completes it.
template <typename Visit>
void for_each_pod(Documents documents, Visit visit) {
  for (const Document& document : documents)
    if (document.known != nullptr && !is_completed_elsewhere(document))
      for (const PodTemplate& pod : pod_templates(document)) visit(document, pod);
}

bool is_pinned(std::string_view image) { return image.find("@sha256:") != image.npos; }

// The number after --shutdown-timeout, in the same or the next word.
int64_t drain_seconds(const Container& container) {
  constexpr std::string_view kFlag = "--shutdown-timeout";
  bool next = false;
  for (const std::string_view field : {"command", "args"}) {
    const Json* words = member(*container.value, field);
    if (words == nullptr || !words->is_array()) continue;
    for (const Json& each : *words) {
      if (!each.is_string()) continue;
      std::string_view word = each.get_ref<const std::string&>();
      const bool joined = word.starts_with(kFlag) && word.size() > kFlag.size();
      if (joined) word.remove_prefix(kFlag.size() + 1);
      int64_t seconds = 0;
      if ((joined || next) &&
          std::from_chars(word.data(), word.data() + word.size(), seconds).ec == std::errc())
        return seconds;
      next = word == kFlag;
    }
  }
  return 0;
}

bool is_secret_name(std::string_view name) {
  constexpr std::array<std::string_view, 7> kEndings = {
      "_TOKEN", "_PASSWORD", "_SECRET", "_API_KEY", "_SECRET_KEY", "_PRIVATE_KEY", "_CREDENTIALS"};
  return name == "PASSWORD" || name == "TOKEN" || name == "API_KEY" ||
         std::ranges::any_of(kEndings, [&](std::string_view end) { return name.ends_with(end); });
}

void lint_container_resources(const Document& document, const Container& container,
                              Report& report) {
  const std::string path = container.path + ".resources";
  const Json& requests = mapping(*container.value, {"resources", "requests"});
  const Json& limits = mapping(*container.value, {"resources", "limits"});
  for (const std::string_view name : {"cpu", "memory", "ephemeral-storage"})
    if (member(requests, name) == nullptr && member(limits, name) == nullptr)
      report.warning(document, path + ".requests", "lint/resources",
                     fmt::format("no request for {}", name),
                     "a scheduler counts requests; without one the pod is evicted first");
  if (member(limits, "memory") == nullptr)
    report.warning(document, path + ".limits.memory", "lint/resources", "no limit for memory",
                   "one leak would take the node with it");
  for (const auto& item : limits.items())
    if (item.key().find('=') != std::string::npos)
      report.warning(document, path, "lint/resource-names",
                     fmt::format("'{}' is a device of podman, not a resource", item.key()),
                     "such as nvidia.com/gpu: 1");
}

void lint_storage_uri(const Document& document, const std::string& path, std::string_view uri,
                      Report& report) {
  constexpr std::string_view kScheme = "hf://";
  if (!uri.starts_with(kScheme)) return;
  if (uri.find(':', kScheme.size()) == uri.npos && uri.find('@') == uri.npos)
    report.warning(document, path, "lint/model", fmt::format("'{}' has no revision", uri),
                   "hf://org/model:revision");
}

}  // namespace

void lint_images(Documents documents, const Context&, Report& report) {
  for_each_pod(documents, [&](const Document& document, const PodTemplate& pod) {
    for (const Container& container : containers(pod)) {
      const std::string_view image = text(*container.value, "image");
      if (image.empty() || is_pinned(image)) continue;
      const size_t colon = image.rfind(':');
      const bool tagged = colon != image.npos && image.find('/', colon) == image.npos;
      const bool latest = !tagged || image.substr(colon + 1) == "latest";
      report.warning(document, container.path + ".image", "lint/image-digest",
                     latest ? fmt::format("'{}' is whatever is newest", image)
                            : fmt::format("'{}' is not pinned", image),
                     "name@sha256:digest");
    }
  });
}

void lint_resources(Documents documents, const Context&, Report& report) {
  for_each_pod(documents, [&](const Document& document, const PodTemplate& pod) {
    for (const Container& container : containers(pod))
      lint_container_resources(document, container, report);
  });
}

void lint_probes(Documents documents, const Context&, Report& report) {
  for_each_pod(documents, [&](const Document& document, const PodTemplate& pod) {
    if (!is_serving(document, pod)) return;
    const int64_t grace = integer(*pod.spec, "terminationGracePeriodSeconds", 30);
    for (const Container& container : containers(pod)) {
      if (container.init || !is_set(*container.value, "ports")) continue;
      for (const std::string_view probe : {"startupProbe", "readinessProbe", "livenessProbe"})
        if (member(*container.value, probe) == nullptr)
          report.warning(document, join(container.path, probe), "lint/probes",
                         fmt::format("no {}", probe),
                         "a startup probe covers loading, readiness routing, liveness a hang");
      const int64_t sleep =
          integer(mapping(*container.value, {"lifecycle", "preStop", "sleep"}), "seconds", 0);
      const int64_t drain = drain_seconds(container);
      if (grace <= sleep + drain)
        report.warning(document, pod.path + ".terminationGracePeriodSeconds", "lint/drain",
                       fmt::format("{} s is not more than {} s of preStop sleep and {} s of drain",
                                   grace, sleep, drain),
                       "requests in flight would be cut off");
    }
  });
}

void lint_scheduling(Documents documents, const Context&, Report& report) {
  for_each_pod(documents, [&](const Document& document, const PodTemplate& pod) {
    if (!is_serving(document, pod)) return;
    const Json& spec = mapping(document.object, {"spec"});
    const bool spread = is_set(*pod.spec, "topologySpreadConstraints") ||
                        !mapping(*pod.spec, {"affinity", "podAntiAffinity"}).empty();
    if (replicas_of(document) > 1 && !spread)
      report.warning(document, pod.path + ".topologySpreadConstraints", "lint/spread",
                     "replicas may share one host", "spread over kubernetes.io/hostname");
    const Json& rolling = mapping(spec, {"strategy", "rollingUpdate"});
    const Json* surge = member(rolling, "maxSurge");
    const bool none = surge != nullptr && (*surge == 0 || *surge == "0" || *surge == "0%");
    const bool spare =
        !text(mapping(document.object, {"metadata", "annotations"}), "aictl.dev/spare-gpus")
             .empty();
    if (document.kind() == "Deployment" && wants_devices(pod) && !none && !spare &&
        text(mapping(spec, {"strategy"}), "type") != "Recreate")
      report.warning(document, "spec.strategy.rollingUpdate.maxSurge", "lint/surge",
                     "a rollout waits for a spare GPU", "maxSurge: 0 and maxUnavailable: 1");
    if (text(*pod.spec, "priorityClassName").empty())
      report.warning(document, pod.path + ".priorityClassName", "lint/priority",
                     "no priority class", "batch work could push it out");
  });
}

void lint_secrets(Documents documents, const Context&, Report& report) {
  for (const Document& document : documents)
    if (is_kind(document, "", "Secret"))
      for (const std::string_view field : {"data", "stringData"})
        if (is_set(document.object, field))
          report.warning(document, std::string(field), "lint/secrets", "a secret in a manifest",
                         "make it with kubectl create secret, or an external secret store");
  for_each_pod(documents, [&](const Document& document, const PodTemplate& pod) {
    for (const Container& container : containers(pod))
      for (const Entry& variable : entries(*container.value, "env", container.path))
        if (is_secret_name(text(*variable.value, "name")) &&
            !text(*variable.value, "value").empty())
          report.warning(
              document, variable.path + ".value", "lint/secrets",
              fmt::format("{} has its value in the manifest", text(*variable.value, "name")),
              "valueFrom: {secretKeyRef: ...}");
  });
}

void lint_models(Documents documents, const Context&, Report& report) {
  for_each_pod(documents, [&](const Document& document, const PodTemplate& pod) {
    if (!is_serving(document, pod)) return;
    for (const Container& container : containers(pod))
      for (const Entry& mount : entries(*container.value, "volumeMounts", container.path)) {
        const std::string_view name = text(*mount.value, "name");
        if ((name == "models" || name == "model") && !is_true(*mount.value, "readOnly") &&
            !container.init)
          report.warning(document, mount.path + ".readOnly", "lint/model",
                         "weights are mounted writable", "readOnly: true");
      }
  });
  for (const Document& document : documents)
    if (document.group() == "serving.kserve.io") {
      const Json& model = mapping(document.object, {"spec", "predictor", "model"});
      lint_storage_uri(document, "spec.predictor.model.storageUri", text(model, "storageUri"),
                       report);
      lint_storage_uri(document, "spec.model.uri",
                       text(mapping(document.object, {"spec", "model"}), "uri"), report);
    }
}

}  // namespace aictl::manifest
