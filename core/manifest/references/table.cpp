#include "core/manifest/references/table.hpp"

#include <algorithm>

namespace aictl::manifest {
namespace {

constexpr ReferenceField kFields[] = {
    // Kueue
    {"LocalQueue.kueue.x-k8s.io", "spec.clusterQueue", "ClusterQueue.kueue.x-k8s.io"},
    {"ClusterQueue.kueue.x-k8s.io", "spec.resourceGroups[].flavors[].name",
     "ResourceFlavor.kueue.x-k8s.io"},
    {"ClusterQueue.kueue.x-k8s.io", "spec.admissionChecksStrategy.admissionChecks[].name",
     "AdmissionCheck.kueue.x-k8s.io"},
    {"ResourceFlavor.kueue.x-k8s.io", "spec.topologyName", "Topology.kueue.x-k8s.io"},
    {"AdmissionCheck.kueue.x-k8s.io", "spec.parameters", "@.kueue.x-k8s.io"},
    // KServe
    {"InferenceService.serving.kserve.io", "spec.predictor.model.runtime",
     "ServingRuntime.serving.kserve.io|ClusterServingRuntime.serving.kserve.io"},
    {"InferenceService.serving.kserve.io", "spec.transformer.model.runtime",
     "ServingRuntime.serving.kserve.io|ClusterServingRuntime.serving.kserve.io"},
    {"InferenceService.serving.kserve.io", "spec.explainer.model.runtime",
     "ServingRuntime.serving.kserve.io|ClusterServingRuntime.serving.kserve.io"},
    {"InferenceGraph.serving.kserve.io", "spec.nodes.*.steps[].serviceName",
     "InferenceService.serving.kserve.io"},
    {"LLMInferenceService.serving.kserve.io", "spec.baseRefs[].name",
     "LLMInferenceServiceConfig.serving.kserve.io"},
    {"LLMInferenceService.serving.kserve.io", "spec.router.gateway.refs[]",
     "@Gateway.gateway.networking.k8s.io"},
    {"LocalModelCache.serving.kserve.io", "spec.nodeGroups[]",
     "LocalModelNodeGroup.serving.kserve.io"},
    {"TrainedModel.serving.kserve.io", "spec.inferenceService",
     "InferenceService.serving.kserve.io"},
    // Gateway API
    {"Gateway.gateway.networking.k8s.io", "spec.gatewayClassName",
     "GatewayClass.gateway.networking.k8s.io"},
    {"Gateway.gateway.networking.k8s.io", "spec.listeners[].tls.certificateRefs[]", "@Secret."},
    {"Gateway.gateway.networking.k8s.io", "spec.infrastructure.parametersRef", "@."},
    {"GatewayClass.gateway.networking.k8s.io", "spec.parametersRef", "@."},
    {"HTTPRoute.gateway.networking.k8s.io", "spec.parentRefs[]",
     "@Gateway.gateway.networking.k8s.io"},
    {"HTTPRoute.gateway.networking.k8s.io", "spec.rules[].backendRefs[]", "@Service."},
    {"GRPCRoute.gateway.networking.k8s.io", "spec.parentRefs[]",
     "@Gateway.gateway.networking.k8s.io"},
    {"GRPCRoute.gateway.networking.k8s.io", "spec.rules[].backendRefs[]", "@Service."},
    {"TCPRoute.gateway.networking.k8s.io", "spec.parentRefs[]",
     "@Gateway.gateway.networking.k8s.io"},
    {"TCPRoute.gateway.networking.k8s.io", "spec.rules[].backendRefs[]", "@Service."},
    {"TLSRoute.gateway.networking.k8s.io", "spec.parentRefs[]",
     "@Gateway.gateway.networking.k8s.io"},
    {"TLSRoute.gateway.networking.k8s.io", "spec.rules[].backendRefs[]", "@Service."},
    {"UDPRoute.gateway.networking.k8s.io", "spec.parentRefs[]",
     "@Gateway.gateway.networking.k8s.io"},
    {"UDPRoute.gateway.networking.k8s.io", "spec.rules[].backendRefs[]", "@Service."},
    // Envoy Gateway and AI Gateway
    {"AIGatewayRoute.aigateway.envoyproxy.io", "spec.parentRefs[]",
     "@Gateway.gateway.networking.k8s.io"},
    {"AIGatewayRoute.aigateway.envoyproxy.io", "spec.rules[].backendRefs[]",
     "@AIServiceBackend.aigateway.envoyproxy.io"},
    {"MCPRoute.aigateway.envoyproxy.io", "spec.parentRefs[]", "@Gateway.gateway.networking.k8s.io"},
    {"MCPRoute.aigateway.envoyproxy.io", "spec.backendRefs[]", "@Service."},
    {"AIServiceBackend.aigateway.envoyproxy.io", "spec.backendRef",
     "@Backend.gateway.envoyproxy.io"},
    {"BackendSecurityPolicy.aigateway.envoyproxy.io", "spec.targetRefs[]",
     "@AIServiceBackend.aigateway.envoyproxy.io"},
    {"BackendSecurityPolicy.aigateway.envoyproxy.io", "spec.*.secretRef", "@Secret."},
    {"QuotaPolicy.aigateway.envoyproxy.io", "spec.targetRefs[]",
     "@AIServiceBackend.aigateway.envoyproxy.io"},
    {"BackendTrafficPolicy.gateway.envoyproxy.io", "spec.targetRefs[]", "@."},
    {"BackendTrafficPolicy.gateway.envoyproxy.io", "spec.targetRef", "@."},
    {"ClientTrafficPolicy.gateway.envoyproxy.io", "spec.targetRefs[]", "@."},
    {"ClientTrafficPolicy.gateway.envoyproxy.io", "spec.targetRef", "@."},
    {"SecurityPolicy.gateway.envoyproxy.io", "spec.targetRefs[]", "@."},
    {"SecurityPolicy.gateway.envoyproxy.io", "spec.targetRef", "@."},
    {"EnvoyExtensionPolicy.gateway.envoyproxy.io", "spec.targetRefs[]", "@."},
    {"EnvoyExtensionPolicy.gateway.envoyproxy.io", "spec.targetRef", "@."},
    {"EnvoyPatchPolicy.gateway.envoyproxy.io", "spec.targetRefs[]", "@."},
    {"EnvoyPatchPolicy.gateway.envoyproxy.io", "spec.targetRef", "@."},
    // Inference extension
    {"InferencePool.inference.networking.k8s.io", "spec.endpointPickerRef", "@Service."},
    {"InferenceObjective.inference.networking.x-k8s.io", "spec.poolRef",
     "@InferencePool.inference.networking.k8s.io"},
    // Knative
    {"Broker.eventing.knative.dev", "spec.config", "@ConfigMap."},
    {"Broker.eventing.knative.dev", "spec.delivery.deadLetterSink.ref", "@Service."},
    {"Trigger.eventing.knative.dev", "spec.broker", "Broker.eventing.knative.dev"},
    {"Trigger.eventing.knative.dev", "spec.subscriber.ref", "@Service."},
    {"Trigger.eventing.knative.dev", "spec.delivery.deadLetterSink.ref", "@Service."},
    {"KafkaSource.sources.knative.dev", "spec.sink.ref", "@Service."},
    {"Subscription.messaging.knative.dev", "spec.channel", "@Channel.messaging.knative.dev"},
    {"Subscription.messaging.knative.dev", "spec.subscriber.ref", "@Service."},
    // Dapr
    {"Component.dapr.io", "spec.metadata[].secretKeyRef.name", "Secret."},
    {"Subscription.dapr.io", "spec.pubsubname", "Component.dapr.io"},
    {"Resiliency.dapr.io", "spec.targets.components.*~", "Component.dapr.io"},
    // Volcano
    {"Job.batch.volcano.sh", "spec.queue", "Queue.scheduling.volcano.sh"},
    {"PodGroup.scheduling.volcano.sh", "spec.queue", "Queue.scheduling.volcano.sh"},
    // Vitess
    {"VitessCluster.planetscale.com", "spec.cells[].gateway.authentication.static.secret.name",
     "Secret."},
    {"VitessCluster.planetscale.com", "spec.keyspaces[].databaseInitScriptSecret.name", "Secret."},
    {"VitessCluster.planetscale.com", "spec.backup.locations[].s3.authSecret.name", "Secret."},
    {"VitessCluster.planetscale.com", "spec.backup.locations[].gcs.authSecret.name", "Secret."},
    // Autoscaling
    {"ScaledObject.keda.sh", "spec.scaleTargetRef", "@Deployment.apps"},
    {"ScaledObject.keda.sh", "spec.triggers[].authenticationRef", "@TriggerAuthentication.keda.sh"},
    {"HorizontalPodAutoscaler.autoscaling", "spec.scaleTargetRef", "@Deployment.apps"},
    // Kubernetes
    {"PersistentVolumeClaim.", "spec.storageClassName", "StorageClass.storage.k8s.io"},
    {"StatefulSet.apps", "spec.serviceName", "Service."},
    {"StatefulSet.apps", "spec.volumeClaimTemplates[].spec.storageClassName",
     "StorageClass.storage.k8s.io"},
    {"Ingress.networking.k8s.io", "spec.rules[].http.paths[].backend.service.name", "Service."},
    {"Ingress.networking.k8s.io", "spec.ingressClassName", "IngressClass.networking.k8s.io"},
    {"Ingress.networking.k8s.io", "spec.tls[].secretName", "Secret."},
    {"RoleBinding.rbac.authorization.k8s.io", "roleRef", "@Role.rbac.authorization.k8s.io"},
    {"RoleBinding.rbac.authorization.k8s.io", "subjects[]", "@ServiceAccount."},
    {"ClusterRoleBinding.rbac.authorization.k8s.io", "roleRef",
     "@ClusterRole.rbac.authorization.k8s.io"},
    {"ClusterRoleBinding.rbac.authorization.k8s.io", "subjects[]", "@ServiceAccount."},
    {"ResourceClaimTemplate.resource.k8s.io",
     "spec.spec.devices.requests[].exactly.deviceClassName", "DeviceClass.resource.k8s.io"},
    {"ResourceClaim.resource.k8s.io", "spec.devices.requests[].exactly.deviceClassName",
     "DeviceClass.resource.k8s.io"},
    // Delivery and certificates
    {"Certificate.cert-manager.io", "spec.issuerRef", "@Issuer.cert-manager.io"},
    {"Kustomization.kustomize.toolkit.fluxcd.io", "spec.sourceRef",
     "@GitRepository.source.toolkit.fluxcd.io"},
    {"Kustomization.kustomize.toolkit.fluxcd.io", "spec.dependsOn[].name",
     "Kustomization.kustomize.toolkit.fluxcd.io"},
    {"HelmRelease.helm.toolkit.fluxcd.io", "spec.chart.spec.sourceRef",
     "@HelmRepository.source.toolkit.fluxcd.io"},
    {"Application.argoproj.io", "spec.project", "AppProject.argoproj.io"},
};

constexpr ReferenceField kPodFields[] = {
    {"", "volumes[].configMap.name", "ConfigMap."},
    {"", "volumes[].secret.secretName", "Secret."},
    {"", "volumes[].persistentVolumeClaim.claimName", "PersistentVolumeClaim."},
    {"", "volumes[].projected.sources[].configMap.name", "ConfigMap."},
    {"", "volumes[].projected.sources[].secret.name", "Secret."},
    {"", "imagePullSecrets[].name", "Secret."},
    {"", "serviceAccountName", "ServiceAccount."},
    {"", "priorityClassName", "PriorityClass.scheduling.k8s.io"},
    {"", "runtimeClassName", "RuntimeClass.node.k8s.io"},
    {"", "resourceClaims[].resourceClaimTemplateName", "ResourceClaimTemplate.resource.k8s.io"},
    {"", "resourceClaims[].resourceClaimName", "ResourceClaim.resource.k8s.io"},
    {"", "containers[].envFrom[].configMapRef.name", "ConfigMap."},
    {"", "containers[].envFrom[].secretRef.name", "Secret."},
    {"", "containers[].env[].valueFrom.configMapKeyRef.name", "ConfigMap."},
    {"", "containers[].env[].valueFrom.secretKeyRef.name", "Secret."},
    {"", "initContainers[].envFrom[].configMapRef.name", "ConfigMap."},
    {"", "initContainers[].envFrom[].secretRef.name", "Secret."},
    {"", "initContainers[].env[].valueFrom.configMapKeyRef.name", "ConfigMap."},
    {"", "initContainers[].env[].valueFrom.secretKeyRef.name", "Secret."},
};

constexpr ReferenceLabel kLabels[] = {
    {"strimzi.io/cluster",
     "Kafka.kafka.strimzi.io|KafkaConnect.kafka.strimzi.io|KafkaMirrorMaker2.kafka.strimzi.io"},
    {"kueue.x-k8s.io/queue-name", "LocalQueue.kueue.x-k8s.io"},
    {"kueue.x-k8s.io/priority-class", "WorkloadPriorityClass.kueue.x-k8s.io"},
};

constexpr DerivedObject kDerived[] = {
    {"Kafka.kafka.strimzi.io", "Service.", "{}-kafka-bootstrap"},
    {"Kafka.kafka.strimzi.io", "Service.", "{}-kafka-brokers"},
    {"Kafka.kafka.strimzi.io", "Secret.", "{}-cluster-ca-cert"},
    {"Kafka.kafka.strimzi.io", "Secret.", "{}-clients-ca-cert"},
    {"KafkaUser.kafka.strimzi.io", "Secret.", "{}"},
    {"KafkaBridge.kafka.strimzi.io", "Service.", "{}-bridge-service"},
    {"Certificate.cert-manager.io", "Secret.", ".spec.secretName"},
    {"RayService.ray.io", "Service.", "{}-serve-svc"},
    {"RayService.ray.io", "Service.", "{}-head-svc"},
    {"RayCluster.ray.io", "Service.", "{}-head-svc"},
    {"InferenceService.serving.kserve.io", "Service.", "{}-predictor"},
    {"InferenceService.serving.kserve.io", "Service.", "{}"},
    {"LLMInferenceService.serving.kserve.io", "Service.", "{}-kserve-workload-svc"},
    {"LLMInferenceService.serving.kserve.io", "InferencePool.inference.networking.k8s.io",
     "{}-inference-pool"},
    {"LLMInferenceService.serving.kserve.io", "Service.", "{}-epp-service"},
    {"LeaderWorkerSet.leaderworkerset.x-k8s.io", "Service.", "{}"},
    {"OpenTelemetryCollector.opentelemetry.io", "Service.", "{}-collector"},
    {"OpenTelemetryCollector.opentelemetry.io", "ServiceAccount.", "{}-collector"},
    {"ObjectBucketClaim.objectbucket.io", "Secret.", "{}"},
    {"ObjectBucketClaim.objectbucket.io", "ConfigMap.", "{}"},
    {"CephObjectStore.ceph.rook.io", "Service.", "rook-ceph-rgw-{}"},
    {"CephCluster.ceph.rook.io", "Secret.", "rook-csi-rbd-provisioner"},
    {"CephCluster.ceph.rook.io", "Secret.", "rook-csi-rbd-node"},
    {"CephCluster.ceph.rook.io", "Secret.", "rook-csi-cephfs-provisioner"},
    {"CephCluster.ceph.rook.io", "Secret.", "rook-csi-cephfs-node"},
    {"Service.serving.knative.dev", "Service.", "{}"},
    {"Broker.eventing.knative.dev", "Service.", "kafka-broker-ingress"},
    {"Broker.eventing.knative.dev", "Service.", "broker-ingress"},
};

constexpr std::string_view kProvided[] = {
    "ServiceAccount/default",
    "PriorityClass/system-*",
    "ConfigMap/kube-root-ca.crt",
    "ClusterRole/cluster-admin",
    "ClusterRole/admin",
    "ClusterRole/edit",
    "ClusterRole/view",
    "ClusterRole/system:*",
    "Queue.scheduling.volcano.sh/default",
    "Queue.scheduling.volcano.sh/root",
    "Service/kubernetes",
    "AppProject/default",
};

constexpr std::string_view kOperatorLabels[] = {
    "leaderworkerset.sigs.k8s.io/",
    "jobset.sigs.k8s.io/",
    "strimzi.io/",
    "ray.io/",
    "serving.kserve.io/",
    "volcano.sh/",
    "planetscale.com/",
    "serving.knative.dev/",
    "statefulset.kubernetes.io/",
    "apps.kubernetes.io/",
    "batch.kubernetes.io/",
};

constexpr std::string_view kClusterScoped[] = {
    "ClusterQueue",
    "ResourceFlavor",
    "Topology",
    "AdmissionCheck",
    "StorageClass",
    "ClusterServingRuntime",
    "GatewayClass",
    "IngressClass",
    "PriorityClass",
    "RuntimeClass",
    "DeviceClass",
    "ClusterRole",
    "WorkloadPriorityClass",
    "Queue",
    "LocalModelNodeGroup",
    "ClusterIssuer",
    "ClusterTriggerAuthentication",
};

}  // namespace

std::span<const ReferenceField> reference_fields() { return kFields; }
std::span<const ReferenceField> pod_reference_fields() { return kPodFields; }
std::span<const ReferenceLabel> reference_labels() { return kLabels; }
std::span<const DerivedObject> derived_objects() { return kDerived; }
std::span<const std::string_view> provided_objects() { return kProvided; }
std::span<const std::string_view> operator_labels() { return kOperatorLabels; }
bool is_cluster_scoped(std::string_view kind) {
  return std::ranges::count(kClusterScoped, kind) > 0;
}

}  // namespace aictl::manifest
