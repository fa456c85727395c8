// What holds for a pod as a whole: which volumes, claims and ports its containers use.
#include <algorithm>
#include <set>
#include <tuple>

#include "core/manifest/rules/pods/tables.hpp"
#include "core/manifest/rules/tables.hpp"

namespace aictl::manifest {
namespace {

void check_mounts(const Document& document, const PodTemplate& pod,
                  const std::set<std::string_view>& volumes, bool completed, Report& report) {
  std::set<std::string_view> claims;
  for (const Entry& claim : entries(*pod.spec, "resourceClaims", pod.path))
    claims.insert(text(*claim.value, "name"));
  for (const Container& container : containers(pod)) {
    const bool privileged = is_true(mapping(*container.value, {"securityContext"}), "privileged");
    for (const Entry& mount : entries(*container.value, "volumeMounts", container.path)) {
      const std::string_view name = text(*mount.value, "name");
      if (!completed && !volumes.contains(name))
        refuse(report, document, mount.path + ".name", "server/volume",
               fmt::format("no volume is named '{}'", name), "name one of spec.volumes");
      if (text(*mount.value, "mountPropagation") == "Bidirectional" && !privileged)
        refuse(report, document, mount.path + ".mountPropagation", "server/exclusive",
               "Bidirectional needs a privileged container");
      const std::string_view recursive = text(*mount.value, "recursiveReadOnly");
      if ((recursive == "Enabled" || recursive == "IfPossible") &&
          !is_true(*mount.value, "readOnly"))
        refuse(report, document, mount.path + ".recursiveReadOnly", "server/exclusive",
               "only with readOnly: true");
    }
    const Json& resources = mapping(*container.value, {"resources"});
    for (const Entry& claim : entries(resources, "claims", container.path + ".resources"))
      if (!claims.contains(text(*claim.value, "name")))
        refuse(report, document, claim.path + ".name", "server/claim",
               fmt::format("no entry of resourceClaims is named '{}'", text(*claim.value, "name")));
  }
}

void check_container_names(const Document& document, const PodTemplate& pod, bool completed,
                           Report& report) {
  std::set<std::string_view> names;
  for (const Container& container : containers(pod)) {
    const std::string_view name = text(*container.value, "name");
    if (!name.empty() && !names.insert(name).second)
      refuse(report, document, container.path + ".name", "server/duplicate",
             fmt::format("'{}' is used twice", name));
    const std::string_view image = text(*container.value, "image");
    if (!completed && image.empty())
      refuse(report, document, container.path + ".image", "server/required",
             "required field is missing");
    if (image.empty() || (image.front() != ' ' && image.back() != ' ')) continue;
    const std::string message = fmt::format("'{}' has blanks around it", image);
    if (is_kind(document, "", "Pod"))
      report.error(document, container.path + ".image", "server/image", message);
    else  // templates may have them: something else may replace the image
      report.warning(document, container.path + ".image", "server/image", message);
  }
}

// Numbers at the host: once each, and the container's own where it shares the host's network.
void check_host_ports(const Document& document, const PodTemplate& pod, Report& report) {
  const bool host_network = is_true(*pod.spec, "hostNetwork");
  std::set<std::tuple<std::string_view, std::string_view, int64_t>> used;
  for (const Container& container : containers(pod))
    for (const Entry& port : entries(*container.value, "ports", container.path)) {
      const int64_t number = integer(*port.value, "hostPort", 0);
      if (number == 0) continue;
      const std::string path = port.path + ".hostPort";
      if (number < 1 || number > 65535)
        refuse(report, document, path, "server/port-number",
               fmt::format("{} is not a port number", number), "1 to 65535");
      if (host_network && number != integer(*port.value, "containerPort", number))
        refuse(report, document, path, "server/exclusive",
               "must be the containerPort where hostNetwork is true");
      std::string_view protocol = text(*port.value, "protocol");
      if (protocol.empty()) protocol = "TCP";
      if (!container.init && !used.emplace(protocol, text(*port.value, "hostIP"), number).second)
        refuse(report, document, path, "server/duplicate", fmt::format("{} is used twice", number));
    }
}

void check_dns(const Document& document, const PodTemplate& pod, Report& report) {
  if (text(*pod.spec, "dnsPolicy") == "None" &&
      !is_set(mapping(*pod.spec, {"dnsConfig"}), "nameservers"))
    refuse(report, document, join(pod.path, "dnsConfig.nameservers"), "server/required",
           "needed with dnsPolicy None");
}

}  // namespace

void check_pods(Documents documents, const Context&, Report& report) {
  for (const Document& document : documents) {
    if (document.known == nullptr) continue;
    const bool completed = is_completed_elsewhere(document);
    for (const PodTemplate& pod : pod_templates(document)) {
      check_pod_fields(document, pod, report);
      check_mounts(document, pod, check_volumes(document, pod, completed, report), completed,
                   report);
      check_container_names(document, pod, completed, report);
      check_host_ports(document, pod, report);
      check_scheduling(document, pod, report);
      check_dns(document, pod, report);
    }
  }
}

}  // namespace aictl::manifest
