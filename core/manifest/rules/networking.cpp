// Service, NetworkPolicy, Ingress.
#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "core/manifest/rules/names.hpp"
#include "core/manifest/rules/ports.hpp"
#include "core/manifest/rules/tables.hpp"
#include "core/manifest/rules/walk.hpp"

namespace aictl::manifest {
namespace {

void check_service_port(const Document& document, const Entry& port, bool several,
                        std::set<std::string_view>& names, Report& report) {
  const std::string_view name = text(*port.value, "name");
  if (name.empty()) {
    if (several)
      report.error(document, port.path + ".name", "server/port-name",
                   "required when a Service has several ports");
  } else if (!names.insert(name).second) {
    report.error(document, port.path + ".name", "server/duplicate",
                 fmt::format("'{}' is used twice", name));
  } else if (!is_dns_label(name)) {
    report.error(document, port.path + ".name", "server/port-name",
                 fmt::format("'{}' is not a valid port name", name));
  }
  check_port_number(document, port.path + ".port", member(*port.value, "port"), report);
  const Json* target = member(*port.value, "targetPort");
  if (target != nullptr && target->is_string() && !is_port_name(text(*port.value, "targetPort")))
    report.error(document, port.path + ".targetPort", "server/port-name",
                 fmt::format("'{}' is not a valid port name", text(*port.value, "targetPort")),
                 "at most 15 of a-z, 0-9 and -, a letter among them");
  else
    check_port_number(document, port.path + ".targetPort", target, report);
}

void check_service(const Document& document, const Json& spec, Report& report) {
  const std::vector<Entry> ports = entries(spec, "ports", "spec");
  std::set<std::string_view> names;
  std::set<std::pair<std::string_view, int64_t>> numbers;
  for (const Entry& port : ports) {
    check_service_port(document, port, ports.size() > 1, names, report);
    std::string_view protocol = text(*port.value, "protocol");
    if (protocol.empty()) protocol = "TCP";
    const int64_t number = integer(*port.value, "port", -1);
    if (number > 0 && !numbers.emplace(protocol, number).second)
      report.error(document, port.path, "server/duplicate",
                   fmt::format("{} {} is used twice", protocol, number));
  }
  const std::string_view type = text(spec, "type");
  if (ports.empty() && type != "ExternalName" && text(spec, "clusterIP") != "None")
    report.error(document, "spec.ports", "server/required", "required field is missing");
  if (type == "ExternalName" && text(spec, "externalName").empty())
    report.error(document, "spec.externalName", "server/required",
                 "required field is missing: the type is ExternalName");
  if (text(spec, "clusterIP") == "None" && (type == "NodePort" || type == "LoadBalancer"))
    report.error(document, "spec.clusterIP", "server/exclusive",
                 fmt::format("None is not allowed with type {}", type));
}

bool is_cidr(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == text.npos) return false;
  const std::string address(text.substr(0, slash));
  unsigned char bytes[16];
  const bool four = inet_pton(AF_INET, address.c_str(), bytes) == 1;
  if (!four && inet_pton(AF_INET6, address.c_str(), bytes) != 1) return false;
  int bits = -1;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data() + slash + 1, end, bits);
  return read.ec == std::errc() && read.ptr == end && bits >= 0 && bits <= (four ? 32 : 128);
}

void check_peer(const Document& document, const Entry& peer, Report& report) {
  const auto names = [&](std::string_view field) {
    const Json* found = member(*peer.value, field);
    return found != nullptr && !found->is_null();
  };
  const bool block = names("ipBlock");
  const bool pods = names("podSelector") || names("namespaceSelector");
  if (!block && !pods)
    report.error(document, peer.path, "server/network-policy", "names no peer",
                 "podSelector, namespaceSelector or ipBlock");
  if (block && pods)
    report.error(document, peer.path, "server/exclusive",
                 "ipBlock excludes podSelector and namespaceSelector");
  const std::string_view cidr = text(mapping(*peer.value, {"ipBlock"}), "cidr");
  if (block && !is_cidr(cidr))
    report.error(document, peer.path + ".ipBlock.cidr", "server/network-policy",
                 fmt::format("'{}' is not a CIDR block", cidr), "such as 10.0.0.0/8");
}

void check_network_policy(const Document& document, const Json& spec, Report& report) {
  for (const auto& [direction, peers] : {std::pair("ingress", "from"), std::pair("egress", "to")})
    for (const Entry& rule : entries(spec, direction, "spec")) {
      for (const Entry& peer : entries(*rule.value, peers, rule.path))
        check_peer(document, peer, report);
      for (const Entry& port : entries(*rule.value, "ports", rule.path)) {
        check_port_number(document, port.path + ".port", member(*port.value, "port"), report);
        const int64_t first = integer(*port.value, "port", 0);
        const int64_t last = integer(*port.value, "endPort", first);
        if (member(*port.value, "endPort") != nullptr && (first == 0 || last < first))
          report.error(document, port.path + ".endPort", "server/network-policy",
                       fmt::format("{} must be at least a number in port", last));
      }
    }
}

void check_ingress(const Document& document, const Json& spec, Report& report) {
  for (const Entry& rule : entries(spec, "rules", "spec")) {
    const Json& http = mapping(*rule.value, {"http"});
    for (const Entry& path : entries(http, "paths", rule.path + ".http")) {
      const std::string_view type = text(*path.value, "pathType");
      if ((type == "Exact" || type == "Prefix") && !text(*path.value, "path").starts_with('/'))
        report.error(document, path.path + ".path", "server/path", "must begin with /");
    }
  }
  if (member(spec, "rules") == nullptr && member(spec, "defaultBackend") == nullptr)
    report.error(document, "spec", "server/required", "needs rules or a defaultBackend");
}

}  // namespace

void check_port_number(const Document& document, const std::string& path, const Json* value,
                       Report& report) {
  if (value == nullptr || !value->is_number_integer()) return;
  const auto number = value->get<int64_t>();
  if (number < 1 || number > 65535)
    report.error(document, path, "server/port-number",
                 fmt::format("{} is not a port number", number), "1 to 65535");
}

void check_networking(Documents documents, const Context&, Report& report) {
  for (const Document& document : documents) {
    if (document.known == nullptr) continue;
    const Json& spec = mapping(document.object, {"spec"});
    if (is_kind(document, "", "Service")) check_service(document, spec, report);
    if (is_kind(document, "networking.k8s.io", "NetworkPolicy"))
      check_network_policy(document, spec, report);
    if (is_kind(document, "networking.k8s.io", "Ingress")) check_ingress(document, spec, report);
  }
}

}  // namespace aictl::manifest
