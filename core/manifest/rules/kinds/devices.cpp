// Claims of devices (resource.k8s.io): ResourceClaim, ResourceClaimTemplate.
#include <set>

#include "core/manifest/cel/cel.hpp"
#include "core/manifest/rules/fields/fields.hpp"
#include "core/manifest/rules/tables.hpp"
#include "core/manifest/rules/walk.hpp"

namespace aictl::manifest {
namespace {

// Of a request or of one of its alternatives; in v1beta1 both are the same mapping.
void check_exact(const Document& document, const std::string& path, const Json& request,
                 Report& report) {
  const std::string_view mode = text(request, "allocationMode");
  const int64_t count = integer(request, "count", mode == "All" ? 0 : 1);
  if (mode == "All" && count != 0)
    report.error(document, path + ".count", "server/device", "not with allocationMode All");
  if (mode != "All" && count < 0)
    report.error(document, path + ".count", "server/device",
                 fmt::format("{} must be greater than zero", count));
  for (const Entry& selector : entries(request, "selectors", path)) {
    const std::string_view expression = text(mapping(*selector.value, {"cel"}), "expression");
    const auto rule = cel::Rule::parse(expression);
    if (expression.empty() || rule) continue;
    if (rule.error().code == ErrorCode::kUnsupported) continue;  // a function of the driver library
    report.error(document, selector.path + ".cel.expression", "server/device",
                 fmt::format("not CEL: {}", rule.error().message));
  }
}

void check_request(const Document& document, const Entry& request, Report& report) {
  const Json* exactly = member(*request.value, "exactly");
  const bool one = exactly != nullptr && exactly->is_object();
  const bool several = is_set(*request.value, "firstAvailable");
  if (document.api_version() != "resource.k8s.io/v1beta1" && one == several)
    report.error(document, request.path, "server/device",
                 "needs exactly one of exactly, firstAvailable");
  if (one) check_exact(document, request.path + ".exactly", *exactly, report);
  for (const Entry& choice : entries(*request.value, "firstAvailable", request.path))
    check_exact(document, choice.path, *choice.value, report);
  check_unique(document, request.path, *request.value, "firstAvailable", "name", report);
}

// "driver.example/attribute": a DNS name and a C identifier.
bool is_attribute(std::string_view name) {
  const size_t slash = name.find('/');
  return slash != name.npos && slash > 0 && slash + 1 < name.size() &&
         name.find('/', slash + 1) == name.npos;
}

void check_constraint(const Document& document, const Entry& constraint,
                      const std::set<std::string>& names, Report& report) {
  const Json* requests = member(*constraint.value, "requests");
  if (requests != nullptr && requests->is_array())
    for (size_t i = 0; i < requests->size(); ++i)
      if ((*requests)[i].is_string() && !names.contains((*requests)[i].get<std::string>()))
        report.error(document, fmt::format("{}.requests[{}]", constraint.path, i), "server/device",
                     fmt::format("no request is named '{}'", (*requests)[i].get<std::string>()));
  bool any = false;
  for (const std::string_view field : {"matchAttribute", "distinctAttribute"}) {
    const Json* name = member(*constraint.value, field);
    if (name == nullptr || !name->is_string()) continue;
    any = true;
    if (!is_attribute(name->get_ref<const std::string&>()))
      report.error(document, join(constraint.path, field), "server/device",
                   fmt::format("'{}' is not domain/name", name->get<std::string>()));
  }
  if (!any)
    report.error(document, constraint.path, "server/device", "names no attribute",
                 "matchAttribute: the requests' devices have the same value of it");
}

void check_devices(const Document& document, const std::string& path, const Json& devices,
                   Report& report) {
  std::set<std::string> names;
  for (const Entry& request : entries(devices, "requests", path)) {
    check_request(document, request, report);
    const std::string name(text(*request.value, "name"));
    names.insert(name);
    for (const Entry& choice : entries(*request.value, "firstAvailable", request.path))
      names.insert(fmt::format("{}/{}", name, text(*choice.value, "name")));
  }
  check_unique(document, path, devices, "requests", "name", report);
  for (const Entry& constraint : entries(devices, "constraints", path))
    check_constraint(document, constraint, names, report);
}

}  // namespace

void check_device_claims(Documents documents, const Context&, Report& report) {
  for (const Document& document : documents) {
    if (document.known == nullptr) continue;
    if (is_kind(document, "resource.k8s.io", "ResourceClaim"))
      check_devices(document, "spec.devices", mapping(document.object, {"spec", "devices"}),
                    report);
    if (is_kind(document, "resource.k8s.io", "ResourceClaimTemplate"))
      check_devices(document, "spec.spec.devices",
                    mapping(document.object, {"spec", "spec", "devices"}), report);
  }
}

}  // namespace aictl::manifest
