#include "core/manifest/references/kinds.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "core/manifest/rules/walk.hpp"

namespace aictl::manifest {
namespace {

constexpr std::string_view kSelectsNothing = "selects no pod of these manifests";

void check_service(const World& world, const Document& document, const Json& spec, Report& report) {
  const Json& selector = mapping(spec, {"selector"});
  if (selector.empty() || world.is_external("Service.", document.name())) return;
  const std::vector<PodPorts> pods = world.selected(selector, document.name_space());
  if (pods.empty()) {  // an operator may make such pods, so it is not certain
    report.warning(document, "spec.selector", "reference/selector", std::string(kSelectsNothing));
    return;
  }
  for (const Entry& port : entries(spec, "ports", "spec")) {
    const std::string_view name = text(*port.value, "targetPort");
    const int64_t number = integer(*port.value, "targetPort", integer(*port.value, "port", 0));
    const bool named = !name.empty();
    const auto has = [&](const PodPorts& ports) {
      return named ? std::ranges::count(ports.names, name) > 0
                   : ports.numbers.empty() || std::ranges::count(ports.numbers, number) > 0;
    };
    if (std::ranges::any_of(pods, has)) continue;
    if (named)
      report.error(document, port.path + ".targetPort", "reference/port",
                   fmt::format("no selected container has a port named '{}'", name));
    else
      report.warning(document, port.path + ".targetPort", "reference/port",
                     fmt::format("no selected container declares port {}", number));
  }
}

void check_selects_pods(const World& world, const Document& document, const Json& spec,
                        Report& report) {
  for (const std::string_view field : {"selector", "podSelector"}) {
    const Json& labels = mapping(spec, {field, "matchLabels"});
    if (!labels.empty() && world.selected(labels, document.name_space()).empty())
      report.warning(document, join("spec", field), "reference/selector",
                     std::string(kSelectsNothing));
  }
}

bool has_labels(const Document& document, const Json& labels) {
  const Json& own = mapping(document.object, {"metadata", "labels"});
  for (const auto& item : labels.items()) {
    const Json* label = member(own, item.key());
    if (label == nullptr || *label != item.value()) return false;
  }
  return true;
}

void check_service_monitor(const World& world, const Document& document, const Json& spec,
                           Report& report) {
  const Json& labels = mapping(spec, {"selector", "matchLabels"});
  std::set<std::string_view> ports;
  bool any = false;
  for (const Document& service : world.documents()) {
    if (!is_kind(service, "", "Service") || !has_labels(service, labels)) continue;
    any = true;
    for (const Entry& port : entries(mapping(service.object, {"spec"}), "ports", ""))
      ports.insert(text(*port.value, "name"));
  }
  if (!labels.empty() && !any)
    report.warning(document, "spec.selector", "reference/selector",
                   "selects no Service of these manifests");
  for (const Entry& endpoint : entries(spec, "endpoints", "spec"))
    if (const std::string_view port = text(*endpoint.value, "port");
        any && !port.empty() && !ports.contains(port))
      report.error(document, endpoint.path + ".port", "reference/port",
                   fmt::format("no selected Service has a port named '{}'", port));
}

void check_route(const World& world, const Document& document, Report& report) {
  for (const Field& backend : find_fields(document.object, "spec.rules[].backendRefs[]")) {
    const std::string_view kind = text(*backend.value, "kind");
    if (!kind.empty() && kind != "Service") continue;
    const std::string_view space = text(*backend.value, "namespace");
    const World::Finding finding = world.find("Service.", text(*backend.value, "name"),
                                              space.empty() ? document.name_space() : space);
    if (finding.document == nullptr) continue;
    const int64_t wanted = integer(*backend.value, "port", -1);
    const auto ports = entries(mapping(finding.document->object, {"spec"}), "ports", "");
    const bool has = std::ranges::any_of(
        ports, [&](const Entry& port) { return integer(*port.value, "port", 0) == wanted; });
    if (!has)
      report.error(document, backend.path + ".port", "reference/port",
                   fmt::format("Service '{}' has no port {}", text(*backend.value, "name"),
                               wanted < 0 ? "given" : std::to_string(wanted)));
  }
}

void check_storage_class(const World& world, const Document& document, Report& report) {
  struct Driver {
    std::string_view provisioner, parameter, target;
  };
  constexpr Driver kDrivers[] = {{"cephfs.csi.ceph.com", "fsName", "CephFilesystem.ceph.rook.io"},
                                 {"rbd.csi.ceph.com", "pool", "CephBlockPool.ceph.rook.io"}};
  for (const Driver& driver : kDrivers) {
    if (!text(document.object, "provisioner").ends_with(driver.provisioner)) continue;
    const World::Finding finding = world.find(
        driver.target, text(mapping(document.object, {"parameters"}), driver.parameter), "");
    if (!finding.found)
      report.error(document, join("parameters", driver.parameter), "reference/missing",
                   finding.problem);
  }
}

constexpr std::string_view kParts[] = {"receivers", "processors", "exporters"};

void check_collector(const Document& document, const Json& spec, Report& report) {
  const Json& config = mapping(spec, {"config"});
  const Json& connectors = mapping(config, {"connectors"});
  std::set<std::pair<std::string_view, std::string>> used;
  for (const auto& pipeline : mapping(config, {"service", "pipelines"}).items())
    for (const std::string_view part : kParts) {
      const Json* list = member(pipeline.value(), part);
      if (list == nullptr || !list->is_array()) continue;
      for (const Json& entry : *list) {
        if (!entry.is_string()) continue;
        const auto name = entry.get<std::string>();
        used.emplace(part, name);
        if (!mapping(config, {part}).contains(name) && !connectors.contains(name))
          report.error(
              document, fmt::format("spec.config.service.pipelines.{}.{}", pipeline.key(), part),
              "reference/pipeline", fmt::format("'{}' is not defined in config.{}", name, part));
      }
    }
  for (const std::string_view part : kParts)
    for (const auto& item : mapping(config, {part}).items())
      if (!used.contains({part, item.key()}))
        report.warning(document, fmt::format("spec.config.{}.{}", part, item.key()),
                       "reference/pipeline", "used in no pipeline");
}

void check_cluster_queue(const Document& document, const Json& spec, Report& report) {
  for (const Entry& group : entries(spec, "resourceGroups", "spec")) {
    const Json* covered = member(*group.value, "coveredResources");
    const Json wanted = covered != nullptr && covered->is_array() ? *covered : Json::array();
    for (const Entry& flavor : entries(*group.value, "flavors", group.path)) {
      Json names = Json::array();
      for (const Entry& resource : entries(*flavor.value, "resources", ""))
        names.push_back(text(*resource.value, "name"));
      if (names != wanted)
        report.error(
            document, flavor.path + ".resources", "reference/flavor",
            fmt::format("must list coveredResources in the same order: {}", dump_json(wanted)));
    }
  }
}

}  // namespace

void check_kind(const World& world, const Document& document, Report& report) {
  const std::string kind = kind_and_group(document);
  const Json& spec = mapping(document.object, {"spec"});
  if (kind == "Service.") check_service(world, document, spec, report);
  if (kind == "PodDisruptionBudget.policy" || kind == "NetworkPolicy.networking.k8s.io" ||
      kind == "PodMonitor.monitoring.coreos.com" ||
      kind == "InferencePool.inference.networking.k8s.io")
    check_selects_pods(world, document, spec, report);
  if (kind == "ServiceMonitor.monitoring.coreos.com")
    check_service_monitor(world, document, spec, report);
  if (kind == "HTTPRoute.gateway.networking.k8s.io" ||
      kind == "GRPCRoute.gateway.networking.k8s.io")
    check_route(world, document, report);
  if (kind == "StorageClass.storage.k8s.io") check_storage_class(world, document, report);
  if (kind == "OpenTelemetryCollector.opentelemetry.io") check_collector(document, spec, report);
  if (kind == "ClusterQueue.kueue.x-k8s.io") check_cluster_queue(document, spec, report);
}

}  // namespace aictl::manifest
