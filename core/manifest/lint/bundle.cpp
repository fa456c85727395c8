// Points about documents together: access, budgets, networks, monitors, storage, scaling.
#include <algorithm>
#include <set>

#include "core/manifest/lint/tables.hpp"

namespace aictl::manifest {
namespace {

bool selects(const Json& selector, const Json& labels) {
  for (const auto& item : mapping(selector, {"matchLabels"}).items()) {
    const Json* label = member(labels, item.key());
    if (label == nullptr || *label != item.value()) return false;
  }
  return true;
}

// The documents of a kind in the namespace whose selector, at `field` of their spec, takes `pod`.
std::vector<const Document*> selecting(Documents documents, std::string_view group,
                                       std::string_view kind, std::string_view field,
                                       const Document& owner, const PodTemplate& pod) {
  std::vector<const Document*> found;
  const Json& labels = mapping(*pod.metadata, {"labels"});
  for (const Document& document : documents)
    if (is_kind(document, group, kind) && document.name_space() == owner.name_space() &&
        selects(mapping(document.object, {"spec", field}), labels))
      found.push_back(&document);
  return found;
}

template <typename Visit>
void for_each_serving(Documents documents, Visit visit) {
  for (const Document& document : documents)
    if (document.known != nullptr)
      for (const PodTemplate& pod : pod_templates(document))
        if (is_serving(document, pod)) visit(document, pod);
}

bool allows_dns(const Document& policy) {
  for (const Entry& rule : entries(mapping(policy.object, {"spec"}), "egress", ""))
    for (const Entry& port : entries(*rule.value, "ports", ""))
      if (integer(*port.value, "port", 0) == 53 || text(*port.value, "port") == "dns") return true;
  return false;
}

bool covers_egress(const Document& policy) {
  const Json* types = member(mapping(policy.object, {"spec"}), "policyTypes");
  return types != nullptr && types->is_array() &&
         std::ranges::find(*types, Json("Egress")) != types->end();
}

bool is_on_cpu(const Document& autoscaler) {
  for (const Entry& metric : entries(mapping(autoscaler.object, {"spec"}), "metrics", ""))
    if (text(*metric.value, "type") == "Resource") return true;
  for (const Entry& trigger : entries(mapping(autoscaler.object, {"spec"}), "triggers", ""))
    if (text(*trigger.value, "type") == "cpu" || text(*trigger.value, "type") == "memory")
      return true;
  return false;
}

// Seconds the startup probes of a pod allow for loading.
int64_t load_seconds(const PodTemplate& pod) {
  int64_t longest = 0;
  for (const Container& container : containers(pod)) {
    const Json& probe = mapping(*container.value, {"startupProbe"});
    longest = std::max(longest, integer(probe, "periodSeconds", 10) *
                                    integer(probe, "failureThreshold", probe.empty() ? 0 : 3));
  }
  return longest;
}

}  // namespace

void lint_access(Documents documents, const Context&, Report& report) {
  std::set<std::string_view> bound;  // service accounts with a role
  for (const Document& document : documents)
    if (document.kind() == "RoleBinding" || document.kind() == "ClusterRoleBinding")
      for (const Entry& subject : entries(document.object, "subjects", ""))
        bound.insert(text(*subject.value, "name"));
  for (const Document& document : documents) {
    if (document.known == nullptr) continue;
    if (document.kind() == "Role" || document.kind() == "ClusterRole")
      for (const Entry& rule : entries(document.object, "rules", ""))
        for (const std::string_view field : {"verbs", "resources", "apiGroups"})
          if (const Json* list = member(*rule.value, field);
              list != nullptr && list->is_array() &&
              std::ranges::find(*list, Json("*")) != list->end())
            report.warning(document, join(rule.path, field), "lint/access", "allows everything",
                           "name what is needed");
    if (is_completed_elsewhere(document)) continue;
    for (const PodTemplate& pod : pod_templates(document)) {
      const Json* mount = member(*pod.spec, "automountServiceAccountToken");
      if ((mount == nullptr || *mount != false) &&
          !bound.contains(text(*pod.spec, "serviceAccountName")))
        report.warning(document, pod.path + ".automountServiceAccountToken", "lint/access",
                       "mounts a token that no role uses", "automountServiceAccountToken: false");
    }
  }
}

void lint_budgets(Documents documents, const Context&, Report& report) {
  for_each_serving(documents, [&](const Document& document, const PodTemplate& pod) {
    const auto budgets =
        selecting(documents, "policy", "PodDisruptionBudget", "selector", document, pod);
    const int64_t replicas = replicas_of(document);
    if (replicas > 1 && budgets.empty())
      report.warning(document, "spec.replicas", "lint/budget",
                     fmt::format("{} replicas and no PodDisruptionBudget", replicas),
                     "a drain could take all of them at once");
    for (const Document* budget : budgets) {
      const Json& spec = mapping(budget->object, {"spec"});
      const Json* most = member(spec, "maxUnavailable");
      const bool blocks = integer(spec, "minAvailable", 0) >= replicas ||
                          text(spec, "minAvailable") == "100%" ||
                          (most != nullptr && (*most == 0 || *most == "0%"));
      if (blocks)
        report.warning(*budget, "spec", "lint/budget", "lets no pod be drained",
                       "maxUnavailable: 1");
    }
  });
}

void lint_networks(Documents documents, const Context&, Report& report) {
  for_each_serving(documents, [&](const Document& document, const PodTemplate& pod) {
    const auto policies =
        selecting(documents, "networking.k8s.io", "NetworkPolicy", "podSelector", document, pod);
    if (policies.empty()) {
      report.warning(document, pod.path, "lint/network", "no NetworkPolicy selects these pods",
                     "deny by default and allow what is needed");
      return;
    }
    const bool closed = std::ranges::any_of(
        policies, [](const Document* policy) { return covers_egress(*policy); });
    const bool dns =
        std::ranges::any_of(policies, [](const Document* policy) { return allows_dns(*policy); });
    if (closed && !dns)
      report.warning(*policies.front(), "spec.egress", "lint/network", "no way to DNS",
                     "allow port 53 to kube-system");
  });
}

void lint_monitoring(Documents documents, const Context&, Report& report) {
  const bool alerts = std::ranges::any_of(documents, [](const Document& document) {
    return is_kind(document, "monitoring.coreos.com", "PrometheusRule");
  });
  const bool services = std::ranges::any_of(documents, [](const Document& document) {
    return is_kind(document, "monitoring.coreos.com", "ServiceMonitor");
  });
  for_each_serving(documents, [&](const Document& document, const PodTemplate& pod) {
    if (!services &&
        selecting(documents, "monitoring.coreos.com", "PodMonitor", "selector", document, pod)
            .empty())
      report.warning(document, pod.path, "lint/monitor", "no PodMonitor selects these pods",
                     "nobody would see them fail");
    else if (!alerts)
      report.warning(document, pod.path, "lint/monitor", "no PrometheusRule among the manifests",
                     "alert on waiting requests, KV cache use, time to first token, restarts");
  });
}

void lint_storage(Documents documents, const Context&, Report& report) {
  for (const Document& document : documents)
    if (is_kind(document, "storage.k8s.io", "StorageClass") &&
        text(document.object, "reclaimPolicy") != "Retain")
      report.warning(document, "reclaimPolicy", "lint/state",
                     "volumes are deleted with their claims", "reclaimPolicy: Retain");
}

void lint_scaling(Documents documents, const Context&, Report& report) {
  for (const Document& scaler : documents) {
    if (scaler.kind() != "HorizontalPodAutoscaler" && scaler.kind() != "ScaledObject") continue;
    const Json& spec = mapping(scaler.object, {"spec"});
    const std::string_view name = text(mapping(spec, {"scaleTargetRef"}), "name");
    for_each_serving(documents, [&](const Document& document, const PodTemplate& pod) {
      if (document.name() != name || document.name_space() != scaler.name_space()) return;
      if (member(mapping(document.object, {"spec"}), "replicas") != nullptr)
        report.warning(document, "spec.replicas", "lint/owner",
                       fmt::format("{} {} sets it too", scaler.kind(), scaler.name()),
                       "leave replicas out");
      if (is_on_cpu(scaler))
        report.warning(scaler, "spec", "lint/scaling", "scales by CPU or memory",
                       "scale by waiting requests or KV cache use");
      const int64_t cooldown = integer(spec, "cooldownPeriod", 300);
      if (scaler.kind() == "ScaledObject" && cooldown < load_seconds(pod) / 2)
        report.warning(scaler, "spec.cooldownPeriod", "lint/scaling",
                       fmt::format("{} s is shorter than loading", cooldown),
                       "it would scale up and down without end");
    });
  }
}

}  // namespace aictl::manifest
