// Role, ClusterRole and their bindings.
#include "core/manifest/rules/names.hpp"
#include "core/manifest/rules/tables.hpp"
#include "core/manifest/rules/walk.hpp"

namespace aictl::manifest {
namespace {

constexpr std::string_view kGroup = "rbac.authorization.k8s.io";

void check_role(const Document& document, Report& report) {
  for (const Entry& rule : entries(document.object, "rules", "")) {
    const bool urls = is_set(*rule.value, "nonResourceURLs");
    if (urls && document.kind() == "Role")
      report.error(document, rule.path + ".nonResourceURLs", "server/role",
                   "not allowed in a namespaced Role", "use a ClusterRole");
    if (urls && (is_set(*rule.value, "apiGroups") || is_set(*rule.value, "resources")))
      report.error(document, rule.path, "server/exclusive",
                   "nonResourceURLs excludes apiGroups and resources");
    for (const std::string_view field : {"verbs", "apiGroups", "resources"})
      if (!is_set(*rule.value, field) && (field == "verbs" || !urls))
        report.error(document, join(rule.path, field), "server/role",
                     "at least one entry is needed");
  }
}

void check_subject(const Document& document, const Entry& subject, Report& report) {
  const std::string_view kind = text(*subject.value, "kind");
  const std::string_view name = text(*subject.value, "name");
  if (kind != "ServiceAccount" && kind != "User" && kind != "Group") {
    report.error(document, subject.path + ".kind", "server/binding",
                 fmt::format("'{}' is not a kind of subject", kind),
                 "ServiceAccount, User or Group");
    return;
  }
  const std::string_view wanted = kind == "ServiceAccount" ? std::string_view() : kGroup;
  const Json* group = member(*subject.value, "apiGroup");
  const bool given = group != nullptr && group->is_string() && *group != "";
  if (given && text(*subject.value, "apiGroup") != wanted)
    report.error(
        document, subject.path + ".apiGroup", "server/binding",
        fmt::format("'{}' is not the group of a {}", text(*subject.value, "apiGroup"), kind));
  if (kind != "ServiceAccount") return;
  if (!is_dns_name(name))
    report.error(document, subject.path + ".name", "server/name",
                 fmt::format("'{}' is not a valid name", name));
  if (document.kind() == "ClusterRoleBinding" && text(*subject.value, "namespace").empty())
    report.error(document, subject.path + ".namespace", "server/required",
                 "required for a ServiceAccount");
}

void check_binding(const Document& document, Report& report) {
  const Json& role = mapping(document.object, {"roleRef"});
  if (!text(role, "apiGroup").empty() && text(role, "apiGroup") != kGroup)
    report.error(document, "roleRef.apiGroup", "server/binding", fmt::format("must be {}", kGroup));
  const std::string_view kind = text(role, "kind");
  const std::string_view name = text(role, "name");
  if (name == "." || name == ".." || name.find_first_of("/%") != name.npos)
    report.error(document, "roleRef.name", "server/name",
                 fmt::format("'{}' is not the name of a role", name));
  if (kind != "ClusterRole" && !role.empty() &&
      (kind != "Role" || document.kind() == "ClusterRoleBinding"))
    report.error(document, "roleRef.kind", "server/binding",
                 fmt::format("'{}' cannot be bound by a {}", kind, document.kind()));
  for (const Entry& subject : entries(document.object, "subjects", ""))
    check_subject(document, subject, report);
}

}  // namespace

void check_access(Documents documents, const Context&, Report& report) {
  for (const Document& document : documents) {
    if (document.known == nullptr || document.group() != kGroup) continue;
    if (document.kind() == "Role" || document.kind() == "ClusterRole") check_role(document, report);
    if (document.kind().ends_with("Binding")) check_binding(document, report);
  }
}

}  // namespace aictl::manifest
