// Pod Security levels. Source: kubernetes.io/docs/concepts/security/pod-security-standards.
#include <algorithm>
#include <array>
#include <map>

#include "core/manifest/lint/tables.hpp"

namespace aictl::manifest {
namespace {

constexpr std::string_view kRule = "lint/pod-security";
enum class Level : uint8_t { kPrivileged, kBaseline, kRestricted };

Level level_named(std::string_view name) {
  if (name == "privileged") return Level::kPrivileged;
  return name == "baseline" ? Level::kBaseline : Level::kRestricted;
}

// What a namespace of these documents enforces; restricted where it says nothing.
std::map<std::string_view, Level> levels(Documents documents) {
  std::map<std::string_view, Level> found;
  for (const Document& document : documents)
    if (is_kind(document, "", "Namespace"))
      found[document.name()] = level_named(text(mapping(document.object, {"metadata", "labels"}),
                                                "pod-security.kubernetes.io/enforce"));
  return found;
}

struct Check {
  const Document& document;
  const PodTemplate& pod;
  Report& report;

  void fails(const std::string& path, std::string message, std::string hint) const {
    report.warning(document, path, kRule, std::move(message), std::move(hint));
  }
};

void check_baseline_pod(const Check& check) {
  for (const std::string_view field : {"hostNetwork", "hostPID", "hostIPC"})
    if (is_true(*check.pod.spec, field))
      check.fails(join(check.pod.path, field), "shares a namespace of the host",
                  "baseline forbids it; leave it out");
  for (const Entry& volume : entries(*check.pod.spec, "volumes", check.pod.path))
    if (member(*volume.value, "hostPath") != nullptr)
      check.fails(volume.path + ".hostPath", "mounts a path of the host",
                  "use a claim, a local PersistentVolume or an image volume");
}

bool is_baseline_capability(const Json& name) {
  constexpr std::array<std::string_view, 14> kAllowed = {
      "AUDIT_WRITE",      "CHOWN",   "DAC_OVERRIDE", "FOWNER",  "FSETID", "KILL",       "MKNOD",
      "NET_BIND_SERVICE", "SETFCAP", "SETGID",       "SETPCAP", "SETUID", "SYS_CHROOT", ""};
  return name.is_string() && std::ranges::count(kAllowed, name.get_ref<const std::string&>()) > 0;
}

void check_baseline_container(const Check& check, const Container& container) {
  const Json& context = mapping(*container.value, {"securityContext"});
  if (is_true(context, "privileged"))
    check.fails(container.path + ".securityContext.privileged", "is privileged",
                "baseline forbids it");
  const Json* added = member(mapping(context, {"capabilities"}), "add");
  if (added != nullptr && added->is_array() && !std::ranges::all_of(*added, is_baseline_capability))
    check.fails(container.path + ".securityContext.capabilities.add",
                "adds a capability that baseline forbids", "drop ALL and add none");
  for (const Entry& port : entries(*container.value, "ports", container.path))
    if (integer(*port.value, "hostPort", 0) != 0)
      check.fails(port.path + ".hostPort", "takes a port of the host", "use a Service");
}

void check_restricted_volumes(const Check& check) {
  constexpr std::array<std::string_view, 10> kAllowed = {
      "configMap", "csi",    "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim",
      "projected", "secret", "image",       "name"};
  for (const Entry& volume : entries(*check.pod.spec, "volumes", check.pod.path))
    for (const auto& item : volume.value->items())
      if (std::ranges::count(kAllowed, item.key()) == 0 && item.key() != "hostPath")
        check.fails(join(volume.path, item.key()), "a kind of volume that restricted forbids",
                    "use a claim, emptyDir, configMap, secret, projected or image");
}

bool is_default_profile(const Json& context) {
  const std::string_view type = text(mapping(context, {"seccompProfile"}), "type");
  return type == "RuntimeDefault" || type == "Localhost";
}

void check_restricted_container(const Check& check, const Container& container) {
  const Json& pod = mapping(*check.pod.spec, {"securityContext"});
  const Json& own = mapping(*container.value, {"securityContext"});
  const std::string path = container.path + ".securityContext";
  if (!is_true(own, "runAsNonRoot") &&
      (own.contains("runAsNonRoot") || !is_true(pod, "runAsNonRoot")))
    check.fails(path + ".runAsNonRoot", "may run as root", "set runAsNonRoot: true for the pod");
  if (integer(own, "runAsUser", integer(pod, "runAsUser", 1)) == 0)
    check.fails(path + ".runAsUser", "runs as root", "set runAsUser to another id than 0");
  if (!is_default_profile(own) && (own.contains("seccompProfile") || !is_default_profile(pod)))
    check.fails(path + ".seccompProfile", "has no seccomp profile",
                "set seccompProfile: {type: RuntimeDefault} for the pod");
  const Json* escalation = member(own, "allowPrivilegeEscalation");
  if (escalation == nullptr || *escalation != false)
    check.fails(path + ".allowPrivilegeEscalation", "may gain privileges",
                "set allowPrivilegeEscalation: false");
  const Json* dropped = member(mapping(own, {"capabilities"}), "drop");
  if (dropped == nullptr || !dropped->is_array() ||
      std::ranges::find(*dropped, Json("ALL")) == dropped->end())
    check.fails(path + ".capabilities.drop", "keeps capabilities", "set drop: [ALL]");
}

}  // namespace

void lint_pod_security(Documents documents, const Context&, Report& report) {
  const auto known = levels(documents);
  for (const Document& document : documents) {
    if (document.known == nullptr || is_completed_elsewhere(document)) continue;
    const auto own = known.find(document.name_space());
    const Level level = own == known.end() ? Level::kRestricted : own->second;
    if (level == Level::kPrivileged) continue;
    for (const PodTemplate& pod : pod_templates(document)) {
      const Check check{document, pod, report};
      check_baseline_pod(check);
      if (level == Level::kRestricted) check_restricted_volumes(check);
      for (const Container& container : containers(pod)) {
        check_baseline_container(check, container);
        if (level == Level::kRestricted) check_restricted_container(check, container);
      }
    }
  }
}

}  // namespace aictl::manifest
