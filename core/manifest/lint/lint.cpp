#include "core/manifest/lint/lint.hpp"

#include <algorithm>
#include <array>

#include "core/manifest/lint/tables.hpp"

namespace aictl::manifest {
namespace {

constexpr Severity kWarning = Severity::kWarning;

constexpr Rule kRows[] = {
    {"lint/pod-security", kWarning, "1. passes Pod Security restricted, or its namespace's level",
     lint_pod_security},
    {"lint/image-digest", kWarning, "2. images by digest, none by latest", lint_images},
    {"lint/resources", kWarning,
     "3. requests for cpu, memory, ephemeral-storage; a memory limit; as many GPUs as limited",
     lint_resources},
    {"lint/resource-names", kWarning, "17. names of resources a cluster has", lint_resources},
    {"lint/probes", kWarning, "4. startup, readiness and liveness probes", lint_probes},
    {"lint/drain", kWarning, "5. time to stop covers the preStop sleep and the drain", lint_probes},
    {"lint/spread", kWarning, "7. replicas on several hosts", lint_scheduling},
    {"lint/surge", kWarning, "8. no surge where no GPU is spare", lint_scheduling},
    {"lint/priority", kWarning, "12. a priority class on what serves", lint_scheduling},
    {"lint/secrets", kWarning, "11. secrets by reference, never in manifests", lint_secrets},
    {"lint/model", kWarning, "13. models read-only, of a pinned revision, with their checksum",
     lint_models},
    {"lint/access", kWarning, "9. no token without a role, no * in roles", lint_access},
    {"lint/budget", kWarning, "6. a disruption budget from 2 replicas, none that blocks drains",
     lint_budgets},
    {"lint/network", kWarning, "10. denied by default, allowed by need, and DNS", lint_networks},
    {"lint/monitor", kWarning, "14. a monitor and alerts", lint_monitoring},
    {"lint/state", kWarning, "15. volumes of state are retained", lint_storage},
    {"lint/scaling", kWarning, "16. scaled by waiting requests, cooling down longer than loading",
     lint_scaling},
    {"lint/owner", kWarning, "18. one owner of a field: an autoscaler or replicas", lint_scaling},
};

}  // namespace

std::span<const Rule> lint_rules() { return kRows; }

void check_lint(Documents documents, const Context& context, Report& report) {
  auto called = decltype(Rule::check){};
  for (const Rule& row : kRows) {
    if (row.check != called) row.check(documents, context, report);
    called = row.check;
  }
}

bool is_serving(const Document& document, const PodTemplate& pod) {
  constexpr std::array<std::string_view, 3> kKinds = {"Deployment", "StatefulSet",
                                                      "LeaderWorkerSet"};
  if (std::ranges::count(kKinds, document.kind()) == 0) return false;
  return std::ranges::any_of(containers(pod), [](const Container& container) {
    return !container.init && is_set(*container.value, "ports");
  });
}

bool wants_devices(const PodTemplate& pod) {
  if (is_set(*pod.spec, "resourceClaims")) return true;
  for (const Container& container : containers(pod))
    for (const auto& item : mapping(*container.value, {"resources", "limits"}).items())
      if (item.key().find('/') != std::string::npos) return true;
  return false;
}

int64_t replicas_of(const Document& document) {
  return integer(mapping(document.object, {"spec"}), "replicas", 1);
}

}  // namespace aictl::manifest
