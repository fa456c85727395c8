// The fields of a pod and of its containers that stand for themselves.
#include "core/manifest/rules/fields/fields.hpp"
#include "core/manifest/rules/pods/tables.hpp"

namespace aictl::manifest {
namespace {

using enum Need;

constexpr std::string_view kId = "0..2147483647";

constexpr FieldRow kPod[] = {
    {"serviceAccountName", kOptional, shape::name, "server/name"},
    {"nodeName", kOptional, shape::name, "server/name"},
    {"hostname", kOptional, shape::label, "server/name"},
    {"subdomain", kOptional, shape::label, "server/name"},
    {"priorityClassName", kOptional, shape::name, "server/name"},
    {"runtimeClassName", kGiven, shape::name, "server/name"},
    {"activeDeadlineSeconds", kOptional, shape::within, "server/range", "1..2147483647"},
    {"schedulingGates[].name", kRequired, shape::qualified, "server/name"},
    {"readinessGates[].conditionType", kRequired, shape::qualified, "server/name"},
    {"hostAliases[].ip", kRequired, shape::address, "server/address"},
    {"hostAliases[].hostnames[]", kOptional, shape::name, "server/name"},
    {"dnsConfig.nameservers[]", kGiven, shape::address, "server/address"},
    {"dnsConfig.options[].name", kRequired, nullptr, ""},
    {"os.name", kRequired, shape::word, "server/word", "linux windows"},
    {"resourceClaims[].name", kRequired, shape::label, "server/name"},
    {"resourceClaims[].resourceClaimName", kGiven, shape::name, "server/name"},
    {"resourceClaims[].resourceClaimTemplateName", kGiven, shape::name, "server/name"},
    {"securityContext.runAsUser", kOptional, shape::within, "server/range", kId},
    {"securityContext.runAsGroup", kOptional, shape::within, "server/range", kId},
    {"securityContext.fsGroup", kOptional, shape::within, "server/range", kId},
    {"securityContext.supplementalGroups[]", kOptional, shape::within, "server/range", kId},
    {"securityContext.sysctls[].name", kRequired, nullptr, ""},
};

constexpr std::string_view kFieldPaths =
    "metadata.name metadata.namespace metadata.uid spec.nodeName spec.serviceAccountName "
    "status.hostIP status.hostIPs status.podIP status.podIPs";
constexpr std::string_view kResourceFields =
    "limits.cpu limits.memory limits.ephemeral-storage requests.cpu requests.memory "
    "requests.ephemeral-storage";

// metadata.labels['app'] and metadata.annotations['app'] beside those that are named.
std::string field_path(const Json& value, std::string_view) {
  if (value.is_string())
    for (const std::string_view map : {"metadata.labels['", "metadata.annotations['"}) {
      const std::string_view path = value.get_ref<const std::string&>();
      if (path.starts_with(map) && path.ends_with("']"))
        return shape::qualified(std::string(path.substr(map.size(), path.size() - map.size() - 2)),
                                "");
    }
  return shape::word(value, kFieldPaths);
}

std::string resource_field(const Json& value, std::string_view) {
  const bool huge =
      value.is_string() && (value.get_ref<const std::string&>().starts_with("limits.hugepages-") ||
                            value.get_ref<const std::string&>().starts_with("requests.hugepages-"));
  return huge ? "" : shape::word(value, kResourceFields);
}

constexpr FieldRow kName[] = {{"name", kRequired, shape::label, "server/name"}};
constexpr FieldRow kNameOrNone[] = {{"name", kOptional, shape::label, "server/name"}};

constexpr FieldRow kContainer[] = {
    {"ports[].name", kOptional, shape::port_name, "server/port-name"},
    {"ports[].containerPort", kRequired, shape::port, "server/port-number"},
    {"env[].name", kRequired, shape::variable, "server/name"},
    {"env[].valueFrom.fieldRef.fieldPath", kRequired, field_path, "server/word"},
    {"env[].valueFrom.resourceFieldRef.resource", kRequired, resource_field, "server/word"},
    {"env[].valueFrom.configMapKeyRef.name", kRequired, shape::name, "server/name"},
    {"env[].valueFrom.configMapKeyRef.key", kRequired, shape::config_key, "server/config-key"},
    {"env[].valueFrom.secretKeyRef.name", kRequired, shape::name, "server/name"},
    {"env[].valueFrom.secretKeyRef.key", kRequired, shape::config_key, "server/config-key"},
    {"envFrom[].prefix", kOptional, shape::variable, "server/name"},
    {"envFrom[].configMapRef.name", kRequired, shape::name, "server/name"},
    {"envFrom[].secretRef.name", kRequired, shape::name, "server/name"},
    {"volumeMounts[].name", kRequired, nullptr, ""},
    {"volumeMounts[].mountPath", kRequired, nullptr, ""},
    {"volumeMounts[].subPath", kOptional, shape::relative, "server/path"},
    {"volumeMounts[].subPathExpr", kOptional, shape::relative, "server/path"},
    {"volumeDevices[].name", kRequired, nullptr, ""},
    {"volumeDevices[].devicePath", kRequired, shape::upward, "server/path"},
    {"resizePolicy[].resourceName", kRequired, shape::word, "server/word", "cpu memory"},
    {"resizePolicy[].restartPolicy", kOptional, shape::word, "server/word",
     "NotRequired RestartContainer"},
    {"resources.claims[].name", kRequired, nullptr, ""},
    {"resources.claims[].request", kOptional, shape::label, "server/name"},
    {"securityContext.runAsUser", kOptional, shape::within, "server/range", kId},
    {"securityContext.runAsGroup", kOptional, shape::within, "server/range", kId},
};

// Of probes and of hooks alike.
constexpr FieldRow kHandler[] = {
    {"exec.command", kRequired, nullptr, ""},
    {"httpGet.port", kRequired, shape::port_or_name, "server/port-number"},
    {"httpGet.httpHeaders[].name", kRequired, shape::header, "server/name"},
    {"tcpSocket.port", kRequired, shape::port_or_name, "server/port-number"},
    {"grpc.port", kRequired, shape::port, "server/port-number"},
    {"initialDelaySeconds", kOptional, shape::within, "server/range", "0.."},
    {"periodSeconds", kOptional, shape::within, "server/range", "0.."},
    {"timeoutSeconds", kOptional, shape::within, "server/range", "0.."},
    {"failureThreshold", kOptional, shape::within, "server/range", "0.."},
    {"successThreshold", kOptional, shape::within, "server/range", "0.."},
    {"terminationGracePeriodSeconds", kOptional, shape::within, "server/range", "1.."},
};

// Where an operator adds what is missing.
constexpr FieldRow kGivenHandler[] = {
    {"httpGet.port", kOptional, shape::port_or_name, "server/port-number"},
    {"tcpSocket.port", kOptional, shape::port_or_name, "server/port-number"},
    {"grpc.port", kOptional, shape::port, "server/port-number"},
};

void check_profile(const Document& document, const std::string& path, const Json& profile,
                   Report& report) {
  const std::string_view type = text(profile, "type");
  const Json* local = member(profile, "localhostProfile");
  if (type.empty())
    refuse(report, document, path + ".type", "server/required", "required field is missing");
  if (type == "Localhost" && (local == nullptr || local->is_null()))
    refuse(report, document, path + ".localhostProfile", "server/required",
           "needed with type Localhost");
  if (type != "Localhost" && local != nullptr && !local->is_null())
    refuse(report, document, path + ".localhostProfile", "server/exclusive",
           "only with type Localhost");
}

}  // namespace

void check_profiles(const Document& document, const std::string& path, const Json& context,
                    Report& report) {
  for (const std::string_view field : {"seccompProfile", "appArmorProfile"})
    if (const Json* profile = member(context, field); profile != nullptr && profile->is_object())
      check_profile(document, join(path, field), *profile, report);
}

void check_pod_fields(const Document& document, const PodTemplate& pod, Report& report) {
  check_fields(document, pod.path, *pod.spec, kPod, report);
  check_profiles(document, join(pod.path, "securityContext"),
                 mapping(*pod.spec, {"securityContext"}), report);
  for (const std::string_view list : {"schedulingGates", "resourceClaims"})
    check_unique(document, pod.path, *pod.spec, list, "name", report);
  for (const Entry& claim : entries(*pod.spec, "resourceClaims", pod.path)) {
    const auto given = [&claim](std::string_view field) {
      const Json* name = member(*claim.value, field);
      return name != nullptr && !name->is_null();
    };
    if (given("resourceClaimName") == given("resourceClaimTemplateName"))
      refuse(report, document, claim.path, "server/exclusive",
             "needs exactly one of resourceClaimName, resourceClaimTemplateName");
  }
}

void check_container_fields(const Document& document, const Container& container, bool completed,
                            Report& report) {
  const Json& value = *container.value;
  check_fields(document, container.path, value, completed ? kNameOrNone : kName, report);
  check_fields(document, container.path, value, kContainer, report);
  check_profiles(document, join(container.path, "securityContext"),
                 mapping(value, {"securityContext"}), report);
  check_unique(document, join(container.path, "resources"), mapping(value, {"resources"}), "claims",
               "name", report);
  check_unique(document, container.path, value, "resizePolicy", "resourceName", report);
  const std::span<const FieldRow> rows =
      completed ? std::span<const FieldRow>(kGivenHandler) : std::span<const FieldRow>(kHandler);
  for (const std::string_view probe : {"livenessProbe", "readinessProbe", "startupProbe"})
    if (const Json* found = member(value, probe); found != nullptr)
      check_fields(document, join(container.path, probe), *found, rows, report);
  const Json& lifecycle = mapping(value, {"lifecycle"});
  for (const std::string_view hook : {"postStart", "preStop"})
    if (const Json* found = member(lifecycle, hook); found != nullptr)
      check_fields(document, fmt::format("{}.lifecycle.{}", container.path, hook), *found, rows,
                   report);
}

}  // namespace aictl::manifest
