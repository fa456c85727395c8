// What holds for one container: ports, probes, hooks, variables, mounts, its security context.
#include <algorithm>
#include <array>
#include <set>

#include "core/manifest/rules/names.hpp"
#include "core/manifest/rules/ports.hpp"
#include "core/manifest/rules/tables.hpp"
#include "core/manifest/rules/walk.hpp"

namespace aictl::manifest {
namespace {

struct Site {
  const Document& document;
  const Container& container;
  bool completed;  // an operator adds what is missing
  int64_t grace;   // seconds the pod has to stop
  Report& report;

  const Json& value() const { return *container.value; }
  std::string at(std::string_view field) const { return join(container.path, field); }
  void error(std::string_view field, std::string_view rule, std::string message,
             std::string hint = "") const {
    report.error(document, at(field), rule, std::move(message), std::move(hint));
  }
};

std::set<std::string_view> check_ports(const Site& site) {
  std::set<std::string_view> names;
  for (const Entry& port : entries(site.value(), "ports", site.container.path)) {
    const std::string_view name = text(*port.value, "name");
    if (!name.empty() && !is_port_name(name))
      site.report.error(site.document, port.path + ".name", "server/port-name",
                        fmt::format("'{}' is not a valid port name", name),
                        "at most 15 of a-z, 0-9 and -, a letter among them");
    if (!name.empty() && !names.insert(name).second)
      site.report.error(site.document, port.path + ".name", "server/duplicate",
                        fmt::format("'{}' is used twice", name));
    for (const std::string_view field : {"containerPort", "hostPort"})
      if (const Json* number = member(*port.value, field);
          number != nullptr && (field == "containerPort" || *number != 0))
        check_port_number(site.document, join(port.path, field), number, site.report);
  }
  return names;
}

std::vector<std::string_view> handlers_of(const Json& value,
                                          std::span<const std::string_view> known) {
  std::vector<std::string_view> found;
  for (const std::string_view name : known)
    if (member(value, name) != nullptr) found.push_back(name);
  return found;
}

void check_handler_port(const Site& site, const std::string& path, const Json& handler,
                        const std::set<std::string_view>& ports) {
  const Json* port = member(handler, "port");
  const std::string_view name = text(handler, "port");
  const bool number = std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
  if (!name.empty() && !number && !ports.contains(name) && !site.completed)
    site.report.error(site.document, path + ".port", "server/port-name",
                      fmt::format("no port is named '{}'", name),
                      "name one of the container's ports");
  check_port_number(site.document, path + ".port", port, site.report);
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
  struct Bound {
    std::string_view field;
    int64_t least;
  };
  // 0 is read as the default.
  constexpr std::array<Bound, 5> kBounds = {{{"initialDelaySeconds", 0},
                                             {"periodSeconds", 0},
                                             {"timeoutSeconds", 0},
                                             {"failureThreshold", 0},
                                             {"successThreshold", 0}}};
  for (const Bound& bound : kBounds)
    if (const int64_t number = integer(probe, bound.field, bound.least); number < bound.least)
      site.report.error(site.document, fmt::format("{}.{}", site.at(name), bound.field),
                        "server/range",
                        fmt::format("{} is below the minimum {}", number, bound.least));
  const int64_t successes = integer(probe, "successThreshold", 1);
  if (name != "readinessProbe" && successes > 1)
    site.report.error(site.document, site.at(name) + ".successThreshold", "server/probe",
                      fmt::format("must be 1 for a {}", name));
  if (name == "readinessProbe" && member(probe, "terminationGracePeriodSeconds") != nullptr)
    site.report.error(site.document, site.at(name) + ".terminationGracePeriodSeconds",
                      "server/probe", "not allowed on a readinessProbe");
}

void check_probes(const Site& site, const std::set<std::string_view>& ports) {
  const bool runs_on = !site.container.init || text(site.value(), "restartPolicy") == "Always";
  for (const std::string_view name : {"livenessProbe", "readinessProbe", "startupProbe"}) {
    const Json* probe = member(site.value(), name);
    if (probe == nullptr) continue;
    if (!runs_on)
      site.error(name, "server/probe", "not allowed on an init container",
                 "unless its restartPolicy is Always");
    if (probe->is_object()) check_probe(site, name, *probe, ports);
  }
}

void check_hooks(const Site& site, const std::set<std::string_view>& ports) {
  constexpr std::array<std::string_view, 4> kHandlers = {"exec", "httpGet", "sleep", "tcpSocket"};
  for (const std::string_view hook : {"postStart", "preStop"}) {
    const Json& handler = mapping(site.value(), {"lifecycle", hook});
    if (member(mapping(site.value(), {"lifecycle"}), hook) == nullptr) continue;
    const std::string path = fmt::format("{}.lifecycle.{}", site.container.path, hook);
    const auto handlers = handlers_of(handler, kHandlers);
    if (handlers.size() != 1)
      site.report.error(site.document, path, "server/hook", "needs exactly one handler");
    if (member(handler, "httpGet") != nullptr)
      check_handler_port(site, path + ".httpGet", mapping(handler, {"httpGet"}), ports);
    if (const Json& sleep = mapping(handler, {"sleep"}); !sleep.empty()) {
      const int64_t seconds = integer(sleep, "seconds", 0);
      if (seconds < 0 || seconds > site.grace)
        site.report.error(site.document, path + ".sleep.seconds", "server/range",
                          fmt::format("{} is not in 0..{}, the pod's "
                                      "terminationGracePeriodSeconds",
                                      seconds, site.grace));
    }
  }
}

void check_variables(const Site& site) {
  for (const Entry& variable : entries(site.value(), "env", site.container.path)) {
    const std::string_view name = text(*variable.value, "name");
    if (member(*variable.value, "name") != nullptr && !is_variable_name(name))
      site.report.error(site.document, variable.path + ".name", "server/name",
                        fmt::format("'{}' is not a valid variable name", name));
    const Json* from = member(*variable.value, "valueFrom");
    if (from == nullptr) continue;
    if (!text(*variable.value, "value").empty())
      site.report.error(site.document, variable.path, "server/exclusive",
                        "value and valueFrom exclude each other");
    if (from->is_object() && from->size() != 1)
      site.report.error(site.document, variable.path + ".valueFrom", "server/exclusive",
                        "needs exactly one source");
  }
}

void check_mount_paths(const Site& site) {
  std::set<std::string_view> paths;
  std::set<std::string_view> twice;
  for (const Entry& mount : entries(site.value(), "volumeMounts", site.container.path)) {
    const std::string_view path = text(*mount.value, "mountPath");
    if (!path.empty() && !paths.insert(path).second) twice.insert(path);
    if (member(*mount.value, "mountPath") != nullptr && path.empty())
      site.report.error(site.document, mount.path + ".mountPath", "server/required",
                        "required field is empty");
    if (path.find(':') != path.npos)
      site.report.error(site.document, mount.path + ".mountPath", "server/path",
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
      std::ranges::any_of(
          *added, [](const Json& name) { return name == "SYS_ADMIN" || name == "CAP_SYS_ADMIN"; }))
    site.error("securityContext", "server/exclusive",
               "the capability SYS_ADMIN excludes allowPrivilegeEscalation: false");
  if (is_true(context, "runAsNonRoot") && integer(context, "runAsUser", 1) == 0)
    site.error("securityContext", "server/exclusive", "runAsNonRoot excludes runAsUser: 0");
  for (const std::string_view field : {"runAsUser", "runAsGroup"})
    if (const int64_t id = integer(context, field, 0); id < 0 || id > 2'147'483'647)
      site.error(fmt::format("securityContext.{}", field), "server/range",
                 fmt::format("{} is not an id: 0 to 2147483647", id));
}

}  // namespace

void check_containers(Documents documents, const Context&, Report& report) {
  for (const Document& document : documents) {
    if (document.known == nullptr) continue;
    const bool completed = is_completed_elsewhere(document);
    for (const PodTemplate& pod : pod_templates(document)) {
      const int64_t grace = integer(*pod.spec, "terminationGracePeriodSeconds", 30);
      for (const Container& container : containers(pod)) {
        const Site site{document, container, completed, grace, report};
        const std::set<std::string_view> ports = check_ports(site);
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
