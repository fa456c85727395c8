#include <algorithm>

#include "core/platform/import/kinds/kinds.hpp"

namespace aictl::platform {
namespace {

// 0: what others refer to; 1: what runs; 2: what stands around it; 3: what carries that.
constexpr Kind kKinds[] = {
    {"", "Namespace", 0, add_implied},
    {"", "ConfigMap", 0, add_config_map},
    {"", "Secret", 0, add_implied},  // by reference alone: what is in it is nobody's business
    {"", "Service", 0, add_service},
    {"", "ServiceAccount", 0, add_implied},
    {"", "PersistentVolumeClaim", 0, add_claim},
    {"", "PersistentVolume", 0, add_implied},
    {"storage.k8s.io", "StorageClass", 0, add_storage_class},
    {"scheduling.k8s.io", "PriorityClass", 0, add_implied},
    {"rbac.authorization.k8s.io", "Role", 0, add_implied},
    {"rbac.authorization.k8s.io", "RoleBinding", 0, add_implied},
    {"rbac.authorization.k8s.io", "ClusterRole", 0, add_implied},
    {"rbac.authorization.k8s.io", "ClusterRoleBinding", 0, add_implied},
    {"networking.k8s.io", "NetworkPolicy", 0, add_policy},
    {"policy", "PodDisruptionBudget", 0, add_implied},
    {"autoscaling", "HorizontalPodAutoscaler", 0, add_scaler},
    {"keda.sh", "ScaledObject", 0, add_scaler},
    {"monitoring.coreos.com", "PodMonitor", 0, add_implied},
    {"monitoring.coreos.com", "ServiceMonitor", 0, add_implied},
    {"monitoring.coreos.com", "PrometheusRule", 0, add_alerts},
    {"resource.k8s.io", "ResourceClaimTemplate", 0, add_claim_template, "topology"},
    {"nfd.k8s-sigs.io", "NodeFeatureRule", 0, add_implied, "topology"},
    {"topology.node.k8s.io", "NodeResourceTopology", 0, add_implied, "topology"},
    {"kubelet.config.k8s.io", "KubeletConfiguration", 0, add_implied, "topology"},
    {"kubescheduler.config.k8s.io", "KubeSchedulerConfiguration", 0, add_implied, "topology"},

    {"apps", "Deployment", 1, add_deployment, "kubernetes"},
    {"apps", "StatefulSet", 1, add_stateful_set, "kubernetes"},
    {"apps", "DaemonSet", 1, add_daemon_set},
    {"batch", "Job", 1, add_job, "kubernetes"},
    {"leaderworkerset.x-k8s.io", "LeaderWorkerSet", 1, add_group, "leaderworkerset"},
    {"jobset.x-k8s.io", "JobSet", 1, add_job_set, "jobset"},
    {"batch.volcano.sh", "Job", 1, add_volcano_job, "volcano"},
    {"armada", "Jobs", 1, add_armada_jobs, "armada"},  // a file of its own, without a kind

    {"serving.kserve.io", "ServingRuntime", 0, add_runtime},
    {"serving.kserve.io", "ClusterServingRuntime", 0, add_runtime},
    {"serving.kserve.io", "InferenceService", 1, add_inference_service, "kserve"},
    {"serving.kserve.io", "LLMInferenceService", 1, add_llm_service, "kserve"},
    {"serving.kserve.io", "LocalModelCache", 2, add_model_cache, "kserve"},
    {"serving.kserve.io", "LocalModelNodeGroup", 2, add_implied, "kserve"},
    {"ray.io", "RayService", 1, add_ray_service, "kuberay"},
    {"ray.io", "RayJob", 1, add_ray_job, "kuberay"},
    {"serving.knative.dev", "Service", 1, add_knative_service, "knative"},
    {"eventing.knative.dev", "Broker", 2, add_broker, "knative"},
    {"eventing.knative.dev", "Trigger", 2, add_trigger, "knative"},
    {"sources.knative.dev", "KafkaSource", 3, add_kafka_source, "knative"},

    {"kueue.x-k8s.io", "Topology", 0, add_levels, "kueue"},
    {"kueue.x-k8s.io", "ResourceFlavor", 0, add_flavor, "kueue"},
    {"kueue.x-k8s.io", "ClusterQueue", 0, add_cluster_queue, "kueue"},
    {"kueue.x-k8s.io", "LocalQueue", 1, add_local_queue, "kueue"},
    {"kueue.x-k8s.io", "WorkloadPriorityClass", 0, add_implied, "kueue"},
    {"scheduling.volcano.sh", "Queue", 2, add_volcano_queue, "volcano"},
    {"scheduling.volcano.sh", "PodGroup", 2, add_pod_group, "volcano"},
    {"topology.volcano.sh", "HyperNode", 2, add_implied, "volcano"},
    {"armadaproject.io", "Queue", 2, add_armada_queue, "armada"},

    {"gateway.networking.k8s.io", "GatewayClass", 2, add_implied},
    {"gateway.networking.k8s.io", "Gateway", 2, add_gateway},
    {"gateway.networking.k8s.io", "BackendTLSPolicy", 2, add_implied},
    {"cert-manager.io", "Certificate", 2, add_implied},
    {"aigateway.envoyproxy.io", "AIGatewayRoute", 2, add_ai_route, "envoy-ai-gateway"},
    {"aigateway.envoyproxy.io", "AIServiceBackend", 2, add_ai_backend, "envoy-ai-gateway"},
    {"aigateway.envoyproxy.io", "BackendSecurityPolicy", 2, add_backend_key, "envoy-ai-gateway"},
    {"gateway.envoyproxy.io", "Backend", 2, add_backend, "envoy-ai-gateway"},
    {"gateway.envoyproxy.io", "BackendTrafficPolicy", 2, add_traffic_policy, "envoy-ai-gateway"},
    {"inference.networking.k8s.io", "InferencePool", 2, add_implied, "inference-extension"},

    {"dapr.io", "Component", 2, add_component, "dapr"},
    {"dapr.io", "Subscription", 2, add_subscription, "dapr"},
    {"dapr.io", "Resiliency", 2, add_implied, "dapr"},
    {"dapr.io", "Configuration", 2, add_dapr_configuration, "dapr"},
    {"kafka.strimzi.io", "Kafka", 3, add_kafka, "strimzi"},
    {"kafka.strimzi.io", "KafkaNodePool", 3, add_kafka_nodes, "strimzi"},
    {"kafka.strimzi.io", "KafkaTopic", 3, add_kafka_topic, "strimzi"},
    {"kafka.strimzi.io", "KafkaUser", 3, add_kafka_user, "strimzi"},
    {"kafka.strimzi.io", "KafkaRebalance", 2, add_implied, "strimzi"},
    {"planetscale.com", "VitessCluster", 2, add_vitess, "vitess"},
    {"ceph.rook.io", "CephCluster", 2, add_ceph, "rook"},
    {"ceph.rook.io", "CephFilesystem", 2, add_implied, "rook"},
    {"opentelemetry.io", "OpenTelemetryCollector", 2, add_collector, "opentelemetry"},
    {"opentelemetry.io", "Instrumentation", 2, add_instrumentation, "opentelemetry"},
};

}  // namespace

std::span<const Kind> kinds() { return kKinds; }

const Kind* find_kind(Object& object) {
  const bool armada = object.kind().empty() && object["jobSetId"] && object["jobs"];
  for (const Kind& each : kKinds)
    if (armada ? each.group == "armada"
               : each.kind == object.kind() && each.group == object.group())
      return &each;
  return nullptr;
}

}  // namespace aictl::platform
