// The fields of built-in kinds that stand for themselves, a table a kind.
#include "core/manifest/rules/fields/fields.hpp"
#include "core/manifest/rules/tables.hpp"
#include "core/manifest/rules/walk.hpp"

namespace aictl::manifest {
namespace {

using enum Need;

constexpr std::string_view kFromZero = "0..";

constexpr FieldRow kDeployment[] = {
    {"spec", kRequired, nullptr, ""},
    {"spec.replicas", kOptional, shape::within, "server/range", kFromZero},
    {"spec.minReadySeconds", kOptional, shape::within, "server/range", kFromZero},
    {"spec.revisionHistoryLimit", kOptional, shape::within, "server/range", kFromZero},
    {"spec.progressDeadlineSeconds", kOptional, shape::within, "server/range", kFromZero},
    {"spec.strategy.rollingUpdate.maxUnavailable", kGiven, shape::share, "server/rollout", "100%"},
    {"spec.strategy.rollingUpdate.maxSurge", kGiven, shape::share, "server/rollout"},
};

constexpr FieldRow kStatefulSet[] = {
    {"spec", kRequired, nullptr, ""},
    {"spec.serviceName", kOptional, shape::name, "server/name"},
    {"spec.ordinals.start", kOptional, shape::within, "server/range", kFromZero},
    {"spec.updateStrategy.rollingUpdate.partition", kOptional, shape::within, "server/range",
     kFromZero},
    {"spec.updateStrategy.rollingUpdate.maxUnavailable", kGiven, shape::share, "server/rollout",
     "100%"},
    {"spec.replicas", kOptional, shape::within, "server/range", kFromZero},
    {"spec.minReadySeconds", kOptional, shape::within, "server/range", kFromZero},
    {"spec.revisionHistoryLimit", kOptional, shape::within, "server/range", kFromZero},
    {"spec.volumeClaimTemplates[].metadata.name", kRequired, shape::name, "server/name"},
};

constexpr FieldRow kDaemonSet[] = {
    {"spec", kRequired, nullptr, ""},
    {"spec.minReadySeconds", kOptional, shape::within, "server/range", kFromZero},
    {"spec.revisionHistoryLimit", kOptional, shape::within, "server/range", kFromZero},
    {"spec.updateStrategy.rollingUpdate.maxUnavailable", kGiven, shape::share, "server/rollout",
     "100%"},
    {"spec.updateStrategy.rollingUpdate.maxSurge", kGiven, shape::share, "server/rollout", "100%"},
};

constexpr FieldRow kJob[] = {
    {"parallelism", kOptional, shape::within, "server/range", kFromZero},
    {"completions", kOptional, shape::within, "server/range", kFromZero},
    {"backoffLimit", kOptional, shape::within, "server/range", kFromZero},
    {"backoffLimitPerIndex", kOptional, shape::within, "server/range", kFromZero},
    {"maxFailedIndexes", kOptional, shape::within, "server/range", kFromZero},
    {"activeDeadlineSeconds", kOptional, shape::within, "server/range", kFromZero},
    {"ttlSecondsAfterFinished", kOptional, shape::within, "server/range", kFromZero},
    {"managedBy", kOptional, shape::qualified, "server/name"},
    {"podFailurePolicy.rules[].action", kRequired, shape::word, "server/word",
     "FailJob FailIndex Ignore Count"},
    {"podFailurePolicy.rules[].onExitCodes.operator", kRequired, shape::word, "server/word",
     "In NotIn"},
    {"podFailurePolicy.rules[].onExitCodes.values", kRequired, nullptr, ""},
    {"podFailurePolicy.rules[].onPodConditions[].type", kRequired, shape::qualified, "server/name"},
    {"podFailurePolicy.rules[].onPodConditions[].status", kOptional, shape::word, "server/word",
     "True False Unknown"},
};

constexpr FieldRow kCronJob[] = {
    {"spec", kRequired, nullptr, ""},
    {"spec.schedule", kRequired, nullptr, ""},
    {"spec.timeZone", kGiven, nullptr, ""},
    {"spec.startingDeadlineSeconds", kOptional, shape::within, "server/range", kFromZero},
    {"spec.successfulJobsHistoryLimit", kOptional, shape::within, "server/range", kFromZero},
    {"spec.failedJobsHistoryLimit", kOptional, shape::within, "server/range", kFromZero},
};

constexpr FieldRow kAutoscaler[] = {
    {"spec", kRequired, nullptr, ""},
    {"spec.scaleTargetRef.kind", kRequired, nullptr, ""},
    {"spec.scaleTargetRef.name", kRequired, nullptr, ""},
    {"spec.maxReplicas", kRequired, shape::within, "server/range", "1.."},
    {"spec.minReplicas", kOptional, shape::within, "server/range", "1.."},
    {"spec.metrics[].resource.name", kRequired, nullptr, ""},
    {"spec.metrics[].containerResource.name", kRequired, nullptr, ""},
    {"spec.metrics[].containerResource.container", kRequired, nullptr, ""},
    {"spec.metrics[].pods.metric.name", kRequired, nullptr, ""},
    {"spec.metrics[].external.metric.name", kRequired, nullptr, ""},
    {"spec.metrics[].object.metric.name", kRequired, nullptr, ""},
    {"spec.metrics[].object.describedObject.name", kRequired, nullptr, ""},
};

constexpr FieldRow kBudget[] = {
    {"spec.minAvailable", kGiven, shape::share, "server/range", "100%"},
    {"spec.maxUnavailable", kGiven, shape::share, "server/range", "100%"},
};

constexpr FieldRow kService[] = {
    {"spec.selector", kOptional, nullptr, ""},
    {"spec.ports[].port", kRequired, shape::port, "server/port-number"},
    {"spec.ports[].appProtocol", kGiven, shape::qualified, "server/name"},
    {"spec.externalIPs[]", kGiven, shape::address, "server/address"},
    {"spec.loadBalancerSourceRanges[]", kGiven, shape::cidr, "server/address"},
    {"spec.sessionAffinityConfig.clientIP.timeoutSeconds", kOptional, shape::within, "server/range",
     "1..86400"},
    {"spec.trafficDistribution", kGiven, shape::word, "server/word",
     "PreferClose PreferSameZone PreferSameNode"},
    {"spec.externalName", kOptional, shape::name, "server/name"},
};

constexpr FieldRow kIngress[] = {
    {"spec.ingressClassName", kGiven, shape::name, "server/name"},
    {"spec.rules[].host", kOptional, shape::host, "server/name"},
    {"spec.rules[].http.paths", kRequired, nullptr, ""},
    {"spec.rules[].http.paths[].backend.service.name", kRequired, shape::service_name,
     "server/name"},
    {"spec.rules[].http.paths[].backend.service.port", kRequired, nullptr, ""},
    {"spec.rules[].http.paths[].backend.service.port.number", kOptional, shape::port,
     "server/port-number"},
    {"spec.rules[].http.paths[].backend.service.port.name", kOptional, shape::port_name,
     "server/port-name"},
    {"spec.defaultBackend.service.name", kRequired, shape::service_name, "server/name"},
    {"spec.tls[].hosts[]", kGiven, shape::host, "server/name"},
    {"spec.tls[].secretName", kOptional, shape::name, "server/name"},
};

constexpr FieldRow kClaim[] = {
    {"accessModes", kRequired, nullptr, ""},
    {"resources.requests.storage", kOptional, shape::size, "server/range"},
    {"storageClassName", kOptional, shape::name, "server/name"},
    {"volumeAttributesClassName", kOptional, shape::name, "server/name"},
    {"dataSource.kind", kRequired, nullptr, ""},
    {"dataSource.name", kRequired, nullptr, ""},
    {"dataSourceRef.kind", kRequired, nullptr, ""},
    {"dataSourceRef.name", kRequired, nullptr, ""},
};

constexpr FieldRow kVolume[] = {
    {"spec", kRequired, nullptr, ""},
    {"spec.accessModes", kRequired, nullptr, ""},
    {"spec.capacity.storage", kOptional, shape::size, "server/range"},
    {"spec.storageClassName", kOptional, shape::name, "server/name"},
    {"spec.hostPath.path", kRequired, shape::upward, "server/path"},
    {"spec.local.path", kRequired, shape::upward, "server/path"},
    {"spec.nfs.server", kRequired, nullptr, ""},
    {"spec.nfs.path", kRequired, shape::absolute, "server/path"},
    {"spec.csi.driver", kRequired, nullptr, ""},
    {"spec.csi.volumeHandle", kRequired, nullptr, ""},
    {"spec.nodeAffinity.required", kRequired, nullptr, ""},
    {"spec.nodeAffinity.required.nodeSelectorTerms", kRequired, nullptr, ""},
};

constexpr FieldRow kStorageClass[] = {
    {"provisioner", kRequired, shape::qualified, "server/name"},
};

constexpr FieldRow kDevices[] = {
    {"requests[].name", kRequired, shape::label, "server/name"},
    {"requests[].exactly.deviceClassName", kRequired, shape::name, "server/name"},
    {"requests[].exactly.selectors[].cel", kRequired, nullptr, ""},
    {"requests[].exactly.selectors[].cel.expression", kRequired, nullptr, ""},
    {"requests[].firstAvailable[].name", kRequired, shape::label, "server/name"},
    {"requests[].firstAvailable[].deviceClassName", kRequired, shape::name, "server/name"},
    {"requests[].firstAvailable[].selectors[].cel", kRequired, nullptr, ""},
    {"requests[].firstAvailable[].selectors[].cel.expression", kRequired, nullptr, ""},
    {"config[].opaque.driver", kRequired, shape::name, "server/name"},
};

constexpr FieldRow kNetworkPolicy[] = {
    {"spec.ingress[].ports[].port", kOptional, shape::port_or_name, "server/port-number"},
    {"spec.egress[].ports[].port", kOptional, shape::port_or_name, "server/port-number"},
    {"spec.ingress[].ports[].endPort", kOptional, shape::port, "server/port-number"},
    {"spec.egress[].ports[].endPort", kOptional, shape::port, "server/port-number"},
};

constexpr FieldRow kBinding[] = {
    {"roleRef", kRequired, nullptr, ""},
    {"roleRef.name", kRequired, nullptr, ""},
    {"subjects[].name", kRequired, nullptr, ""},
};

struct Table {
  std::string_view group, kind, path;  // the rows' paths are below `path`
  std::span<const FieldRow> rows;
};

constexpr FieldRow kSpec[] = {{"spec", kRequired, nullptr, ""}};

constexpr Table kTables[] = {
    {"", "Pod", "", kSpec},
    {"apps", "Deployment", "", kDeployment},
    {"apps", "ReplicaSet", "", kDeployment},
    {"apps", "StatefulSet", "", kStatefulSet},
    {"apps", "DaemonSet", "", kDaemonSet},
    {"batch", "Job", "", kSpec},
    {"batch", "Job", "spec", kJob},
    {"batch", "CronJob", "", kCronJob},
    {"batch", "CronJob", "spec.jobTemplate.spec", kJob},
    {"autoscaling", "HorizontalPodAutoscaler", "", kAutoscaler},
    {"policy", "PodDisruptionBudget", "", kBudget},
    {"", "Service", "", kService},
    {"networking.k8s.io", "Ingress", "", kIngress},
    {"networking.k8s.io", "NetworkPolicy", "", kNetworkPolicy},
    {"", "PersistentVolumeClaim", "", kSpec},
    {"", "PersistentVolumeClaim", "spec", kClaim},
    {"", "PersistentVolume", "", kVolume},
    {"storage.k8s.io", "StorageClass", "", kStorageClass},
    {"resource.k8s.io", "ResourceClaim", "spec.devices", kDevices},
    {"resource.k8s.io", "ResourceClaimTemplate", "spec.spec.devices", kDevices},
    {"rbac.authorization.k8s.io", "RoleBinding", "", kBinding},
    {"rbac.authorization.k8s.io", "ClusterRoleBinding", "", kBinding},
};

// The value at "spec.devices" below a document; an empty mapping without one.
const Json& at(const Json& object, std::string_view path) {
  const Json* value = &object;
  while (!path.empty()) {
    const size_t dot = path.find('.');
    value = &mapping(*value, {path.substr(0, dot)});
    path = dot == path.npos ? std::string_view() : path.substr(dot + 1);
  }
  return *value;
}

}  // namespace

void check_kind_fields(Documents documents, const Context&, Report& report) {
  for (const Document& document : documents) {
    if (document.known == nullptr) continue;
    for (const Table& table : kTables)
      if (is_kind(document, table.group, table.kind))
        check_fields(document, std::string(table.path), at(document.object, table.path), table.rows,
                     report);
    if (is_kind(document, "apps", "StatefulSet"))
      for (const Entry& claim :
           entries(mapping(document.object, {"spec"}), "volumeClaimTemplates", "spec"))
        check_fields(document, claim.path + ".spec", mapping(*claim.value, {"spec"}), kClaim,
                     report);
  }
}

}  // namespace aictl::manifest
