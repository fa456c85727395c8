// Service, NetworkPolicy, Ingress.
#include <arpa/inet.h>

#include <array>
#include <charconv>
#include <optional>
#include <set>

#include "core/manifest/rules/fields/fields.hpp"
#include "core/manifest/rules/kinds/ports.hpp"
#include "core/manifest/rules/names.hpp"
#include "core/manifest/rules/tables.hpp"
#include "core/manifest/rules/walk.hpp"

namespace aictl::manifest {
namespace {

bool is_given(const Json& value, std::string_view name) {
  const Json* found = member(value, name);
  return found != nullptr && !found->is_null();
}

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
  const Json* target = member(*port.value, "targetPort");
  if (target != nullptr && target->is_string() && !text(*port.value, "targetPort").empty() &&
      !is_port_name(text(*port.value, "targetPort")))
    report.error(document, port.path + ".targetPort", "server/port-name",
                 fmt::format("'{}' is not a valid port name", text(*port.value, "targetPort")),
                 "at most 15 of a-z, 0-9 and -, a letter among them");
  else if (target != nullptr && *target != 0)  // 0 is read as absent
    check_port_number(document, port.path + ".targetPort", target, report);
}

// The range of node ports of a server without --service-node-port-range.
constexpr int64_t kFirstNodePort = 30000, kLastNodePort = 32767;

// What a type of Service allows: ports at the nodes, addresses, policies.
void check_service_type(const Document& document, const Json& spec, Report& report) {
  std::string_view type = text(spec, "type");
  if (type.empty()) type = "ClusterIP";
  const bool balanced = type == "LoadBalancer", outside = balanced || type == "NodePort";
  const auto only = [&](std::string_view field, bool allowed, std::string_view types) {
    if (is_given(spec, field) && !allowed)
      report.error(document, join("spec", field), "server/exclusive",
                   fmt::format("only with type {}", types));
  };
  only("externalTrafficPolicy", outside || is_set(spec, "externalIPs"), "NodePort or LoadBalancer");
  only("allocateLoadBalancerNodePorts", balanced, "LoadBalancer");
  only("loadBalancerClass", balanced, "LoadBalancer");
  only("loadBalancerSourceRanges", balanced || !is_set(spec, "loadBalancerSourceRanges"),
       "LoadBalancer");
  only("healthCheckNodePort",
       integer(spec, "healthCheckNodePort", 0) == 0 ||
           (balanced && text(spec, "externalTrafficPolicy") == "Local"),
       "LoadBalancer and externalTrafficPolicy Local");
  only("sessionAffinityConfig", text(spec, "sessionAffinity") == "ClientIP",
       "sessionAffinity ClientIP");
  std::set<std::pair<std::string_view, int64_t>> used;
  for (const Entry& port : entries(spec, "ports", "spec")) {
    const int64_t number = integer(*port.value, "nodePort", 0);
    if (number == 0) continue;
    if (!outside)
      report.error(document, port.path + ".nodePort", "server/exclusive",
                   "only with type NodePort or LoadBalancer");
    else if (number < kFirstNodePort || number > kLastNodePort)
      report.error(document, port.path + ".nodePort", "server/port-number",
                   fmt::format("{} is not in {}..{}, the ports of nodes", number, kFirstNodePort,
                               kLastNodePort));
    std::string_view protocol = text(*port.value, "protocol");
    if (protocol.empty()) protocol = "TCP";
    if (!used.emplace(protocol, number).second)
      report.error(document, port.path + ".nodePort", "server/duplicate",
                   fmt::format("{} is used twice", number));
  }
}

void check_service_addresses(const Document& document, const Json& spec, Report& report) {
  const std::string_view address = text(spec, "clusterIP");
  if (!address.empty() && address != "None" && !shape::address(Json(address), "").empty())
    report.error(document, "spec.clusterIP", "server/address",
                 fmt::format("'{}' is neither an IP address nor None", address));
  check_unique(document, "spec", spec, "ipFamilies", "", report);
  if (text(spec, "type") == "ExternalName")
    for (const std::string_view field : {"ipFamilies", "ipFamilyPolicy", "clusterIP"})
      if (is_set(spec, field))
        report.error(document, join("spec", field), "server/exclusive",
                     "not with type ExternalName");
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
  check_service_type(document, spec, report);
  check_service_addresses(document, spec, report);
  check_label_map(document, "spec.selector", mapping(spec, {"selector"}), report);
}

// The bits of a CIDR block and how many of them count; nothing when it is none.
struct Block {
  std::array<unsigned char, 16> bytes{};
  int bits = 0;
  bool four = false;
};

std::optional<Block> block_of(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == text.npos) return std::nullopt;
  const std::string address(text.substr(0, slash));
  Block block;
  block.four = inet_pton(AF_INET, address.c_str(), block.bytes.data()) == 1;
  if (!block.four && inet_pton(AF_INET6, address.c_str(), block.bytes.data()) != 1)
    return std::nullopt;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data() + slash + 1, end, block.bits);
  const bool fits = block.bits >= 0 && block.bits <= (block.four ? 32 : 128);
  if (read.ec != std::errc() || read.ptr != end || !fits) return std::nullopt;
  return block;
}

// Whether `inner` is a smaller part of `outer`.
bool is_part(const Block& inner, const Block& outer) {
  if (inner.four != outer.four || inner.bits <= outer.bits) return false;
  for (int bit = 0; bit < outer.bits; ++bit) {
    const unsigned char mask = static_cast<unsigned char>(0x80 >> (bit % 8));
    if ((inner.bytes[size_t(bit / 8)] & mask) != (outer.bytes[size_t(bit / 8)] & mask))
      return false;
  }
  return true;
}

void check_block(const Document& document, const std::string& path, const Json& block,
                 Report& report) {
  const std::string_view cidr = text(block, "cidr");
  const auto outer = block_of(cidr);
  if (!outer)
    return report.error(document, path + ".cidr", "server/network-policy",
                        fmt::format("'{}' is not a CIDR block", cidr), "such as 10.0.0.0/8");
  const Json* list = member(block, "except");
  if (list == nullptr || !list->is_array()) return;
  for (size_t i = 0; i < list->size(); ++i) {
    if (!(*list)[i].is_string()) continue;
    const auto inner = block_of((*list)[i].get_ref<const std::string&>());
    if (!inner || !is_part(*inner, *outer))
      report.error(document, fmt::format("{}.except[{}]", path, i), "server/network-policy",
                   fmt::format("'{}' is not a part of {}", (*list)[i].get<std::string>(), cidr));
  }
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
  if (block)
    check_block(document, peer.path + ".ipBlock", mapping(*peer.value, {"ipBlock"}), report);
}

void check_network_policy(const Document& document, const Json& spec, Report& report) {
  if (const Json* types = member(spec, "policyTypes"); types != nullptr && types->size() > 2)
    report.error(document, "spec.policyTypes", "server/network-policy",
                 fmt::format("{} types, at most 2 allowed", types->size()));
  for (const auto& [direction, peers] : {std::pair("ingress", "from"), std::pair("egress", "to")})
    for (const Entry& rule : entries(spec, direction, "spec")) {
      for (const Entry& peer : entries(*rule.value, peers, rule.path))
        check_peer(document, peer, report);
      for (const Entry& port : entries(*rule.value, "ports", rule.path)) {
        const int64_t first = integer(*port.value, "port", 0);
        const int64_t last = integer(*port.value, "endPort", first);
        if (is_given(*port.value, "endPort") && (first == 0 || last < first))
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
      const std::string_view where = text(*path.value, "path");
      const bool plain = type == "Exact" || type == "Prefix";
      if (plain && !where.starts_with('/'))
        report.error(document, path.path + ".path", "server/path", "must begin with /");
      for (const std::string_view part : {"//", "/./", "/../", "%2f", "%2F"})
        if (plain && where.find(part) != where.npos)
          report.error(document, path.path + ".path", "server/path",
                       fmt::format("'{}' has {} in it", where, part));
      const Json& backend = mapping(*path.value, {"backend"});
      if (is_set(backend, "service") == is_set(backend, "resource"))
        report.error(document, path.path + ".backend", "server/exclusive",
                     "needs exactly one of service, resource");
      const Json& port = mapping(backend, {"service", "port"});
      if (is_set(port, "name") && integer(port, "number", 0) != 0)
        report.error(document, path.path + ".backend.service.port", "server/exclusive",
                     "name and number exclude each other");
    }
  }
  if (!is_set(spec, "rules") && !is_set(spec, "defaultBackend"))
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
