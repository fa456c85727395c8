// What holds for one container: ports, probes, hooks, variables, mounts, its security context.
#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "core/manifest/rules/names.hpp"
#include "core/manifest/rules/pods/tables.hpp"
#include "core/manifest/rules/tables.hpp"
#include "core/manifest/rules/walk.hpp"

namespace aictl::manifest {
namespace {

struct Site {
  const Document& document;
  const Container& container;
  bool completed;                // an operator adds what is missing
  std::optional<int64_t> grace;  // seconds the pod has to stop; nullopt: stands elsewhere
  Report& report;

  bool runs_on() const { return !container.init || text(value(), "restartPolicy") == "Always"; }
  const Json& value() const { return *container.value; }
  std::string at(std::string_view field) const { return join(container.path, field); }
  void error(std::string_view field, std::string_view rule, std::string message,
             std::string hint = "") const {
    refuse(report, document, at(field), rule, std::move(message), std::move(hint));
  }
};

bool is_object(const Json& value, std::string_view name) {
  const Json* found = member(value, name);
  return found != nullptr && found->is_object();
}

std::set<std::string_view> check_ports(const Site& site) {
  std::set<std::string_view> names;
  for (const Entry& port : entries(site.value(), "ports", site.container.path)) {
    const std::string_view name = text(*port.value, "name");
    if (!name.empty() && !names.insert(name).second)
      refuse(site.report, site.document, port.path + ".name", "server/duplicate",
             fmt::format("'{}' is used twice", name));
  }
  return names;
}

std::vector<std::string_view> handlers_of(const Json& value,
                                          std::span<const std::string_view> known) {
  std::vector<std::string_view> found;
  for (const std::string_view name : known)
    if (const Json* handler = member(value, name); handler != nullptr && !handler->is_null())
      found.push_back(name);
  return found;
}

// A server looks at the shape of the name alone, but a probe of no port never succeeds.
void check_handler_port(const Site& site, const std::string& path, const Json& handler,
                        const std::set<std::string_view>& ports) {
  const std::string_view name = text(handler, "port");
  if (is_port_name(name) && !ports.contains(name) && !site.completed)
    refuse(site.report, site.document, path + ".port", "server/port-name",
           fmt::format("no port is named '{}'", name), "name one of the container's ports");
}

void check_probe(const Site& site, std::string_view name, const Json& probe,
                 const std::set<std::string_view>& ports) {
  constexpr std::array<std::string_view, 4> kHandlers = {"exec", "grpc", "httpGet", "tcpSocket"};
  const auto handlers = handlers_of(probe, kHandlers);
  if (handlers.size() > 1 || (handlers.empty() && !site.completed))
    site.error(name, "server/probe", "needs exactly one of exec, grpc, httpGet, tcpSocket");
  for (const std::string_view handler : handlers)
    if (handler != "exec")
      check_handler_port(site, fmt::format("{}.{}", site.at(name), handler),
                         mapping(probe, {handler}), ports);
  if (name != "readinessProbe" && integer(probe, "successThreshold", 1) > 1)
    site.error(fmt::format("{}.successThreshold", name), "server/probe",
               fmt::format("must be 1 for a {}", name));
  const Json* grace = member(probe, "terminationGracePeriodSeconds");
  if (name == "readinessProbe" && grace != nullptr && !grace->is_null())
    site.error("readinessProbe.terminationGracePeriodSeconds", "server/probe",
               "not allowed on a readinessProbe");
}

void check_probes(const Site& site, const std::set<std::string_view>& ports) {
  for (const std::string_view name : {"livenessProbe", "readinessProbe", "startupProbe"}) {
    const Json* probe = member(site.value(), name);
    if (probe == nullptr || probe->is_null()) continue;
    if (!site.runs_on())
      site.error(name, "server/probe", "not allowed on an init container",
                 "unless its restartPolicy is Always");
    if (probe->is_object()) check_probe(site, name, *probe, ports);
  }
}

void check_hooks(const Site& site, const std::set<std::string_view>& ports) {
  constexpr std::array<std::string_view, 4> kHandlers = {"exec", "httpGet", "sleep", "tcpSocket"};
  if (!site.runs_on() && is_set(site.value(), "lifecycle"))
    site.error("lifecycle", "server/hook", "not allowed on an init container",
               "unless its restartPolicy is Always");
  for (const std::string_view hook : {"postStart", "preStop"}) {
    const Json& handler = mapping(site.value(), {"lifecycle", hook});
    const Json* given = member(mapping(site.value(), {"lifecycle"}), hook);
    if (given == nullptr || given->is_null()) continue;
    const std::string path = fmt::format("{}.lifecycle.{}", site.container.path, hook);
    const auto handlers = handlers_of(handler, kHandlers);
    if (handlers.size() != 1)
      refuse(site.report, site.document, path, "server/hook", "needs exactly one handler");
    if (member(handler, "httpGet") != nullptr)
      check_handler_port(site, path + ".httpGet", mapping(handler, {"httpGet"}), ports);
    if (const Json& sleep = mapping(handler, {"sleep"}); !sleep.empty()) {
      const int64_t seconds = integer(sleep, "seconds", 0);
      if (seconds < 0 || (site.grace && seconds > *site.grace))
        refuse(site.report, site.document, path + ".sleep.seconds", "server/range",
               fmt::format("{} is not in 0..{}, the pod's "
                           "terminationGracePeriodSeconds",
                           seconds, site.grace.value_or(0)));
    }
  }
}

void check_variables(const Site& site) {
  for (const Entry& variable : entries(site.value(), "env", site.container.path)) {
    const Json* from = member(*variable.value, "valueFrom");
    if (from == nullptr || from->is_null()) continue;
    if (!text(*variable.value, "value").empty())
      refuse(site.report, site.document, variable.path, "server/exclusive",
             "value and valueFrom exclude each other");
    const auto sources =
        std::ranges::count_if(*from, [](const Json& source) { return !source.is_null(); });
    if (from->is_object() && sources != 1)
      refuse(site.report, site.document, variable.path + ".valueFrom", "server/exclusive",
             "needs exactly one source");
  }
  for (const Entry& from : entries(site.value(), "envFrom", site.container.path))
    if (is_object(*from.value, "configMapRef") == is_object(*from.value, "secretRef"))
      refuse(site.report, site.document, from.path, "server/exclusive",
             "needs exactly one of configMapRef, secretRef");
}

void check_mount_paths(const Site& site) {
  std::set<std::string_view> paths;
  std::set<std::string_view> twice;
  for (const Entry& mount : entries(site.value(), "volumeMounts", site.container.path)) {
    const std::string_view path = text(*mount.value, "mountPath");
    if (!path.empty() && !paths.insert(path).second) twice.insert(path);
    if (path.find(':') != path.npos)  // no server minds; container runtimes do
      site.report.warning(site.document, mount.path + ".mountPath", "server/path",
                          fmt::format("'{}' has a colon in it", path));
  }
  for (const std::string_view path : twice)
    site.error("volumeMounts", "server/duplicate",
               fmt::format("two volumes are mounted at {}", path));
}

void check_security(const Site& site) {
  const Json& context = mapping(site.value(), {"securityContext"});
  const Json* escalation = member(context, "allowPrivilegeEscalation");
  const bool denied = escalation != nullptr && *escalation == false;
  if (is_true(context, "privileged") && denied)
    site.error("securityContext", "server/exclusive",
               "privileged excludes allowPrivilegeEscalation: false");
  const Json* added = member(mapping(context, {"capabilities"}), "add");
  if (denied && added != nullptr && added->is_array() &&
      std::ranges::any_of(*added, [](const Json& name) { return name == "CAP_SYS_ADMIN"; }))
    site.error("securityContext", "server/exclusive",
               "the capability CAP_SYS_ADMIN excludes allowPrivilegeEscalation: false");
  // The kubelet refuses to start it, a server does not look.
  if (is_true(context, "runAsNonRoot") && integer(context, "runAsUser", 1) == 0)
    site.report.warning(site.document, site.at("securityContext"), "server/exclusive",
                        "runAsNonRoot excludes runAsUser: 0");
}

}  // namespace

void check_containers(Documents documents, const Context&, Report& report) {
  for (const Document& document : documents) {
    if (document.known == nullptr) continue;
    const bool completed = is_completed_elsewhere(document);
    for (const PodTemplate& pod : pod_templates(document)) {
      std::optional<int64_t> grace;
      if (!completed || member(*pod.spec, "terminationGracePeriodSeconds") != nullptr)
        grace = integer(*pod.spec, "terminationGracePeriodSeconds", 30);
      for (const Container& container : containers(pod)) {
        const Site site{document, container, completed, grace, report};
        const std::set<std::string_view> ports = check_ports(site);
        check_container_fields(document, container, completed, report);
        check_probes(site, ports);
        check_hooks(site, ports);
        check_variables(site);
        check_mount_paths(site);
        check_security(site);
      }
    }
  }
}

}  // namespace aictl::manifest
