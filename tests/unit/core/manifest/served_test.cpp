// What a server gives back equals what was written: for each kind we write, the same object as
// `kubectl get -o yaml` prints it, with what the server, its admission and controllers add.
#include <doctest/doctest.h>

#include "core/manifest/compare/diff.hpp"

using namespace aictl;
using namespace aictl::manifest;

namespace {

std::string difference(const std::string& a, const std::string& b) {
  auto first = read_documents(a, "a"), second = read_documents(b, "b");
  REQUIRE(first.ok());
  REQUIRE(second.ok());
  return diff_text(diff_objects(*first, *second, Catalog::builtin()));
}

std::string head(const std::string& api_version, const std::string& kind) {
  return "apiVersion: " + api_version + "\nkind: " + kind + "\n";
}

const std::string kServed =
    "  name: a\n  namespace: ns\n  uid: 0a\n  resourceVersion: \"9\"\n  creationTimestamp: "
    "\"2026-01-01T00:00:00Z\"\n";

const std::string kServedContainer =
    "{name: c, image: \"i:1\", imagePullPolicy: IfNotPresent, resources: {}, "
    "terminationMessagePath: /dev/termination-log, terminationMessagePolicy: File}";
const std::string kServedPod =
    "dnsPolicy: ClusterFirst, schedulerName: default-scheduler, securityContext: {}, "
    "terminationGracePeriodSeconds: 30";

}  // namespace

TEST_CASE("served: a Job with the labels and the selector its controller made") {
  const std::string written =
      head("batch/v1", "Job") +
      "metadata: {name: a, namespace: ns}\nspec: {template: {spec: {restartPolicy: Never, "
      "containers: [{name: c, image: \"i:1\"}]}}}\n";
  const std::string served =
      head("batch/v1", "Job") + "metadata:\n" + kServed +
      "  generation: 1\n"
      "  annotations: {batch.kubernetes.io/job-tracking: \"\"}\n"
      "  labels: {batch.kubernetes.io/controller-uid: 0a, batch.kubernetes.io/job-name: a, "
      "controller-uid: 0a, job-name: a}\n"
      "spec:\n  backoffLimit: 6\n  completionMode: NonIndexed\n  completions: 1\n"
      "  manualSelector: false\n  parallelism: 1\n  podReplacementPolicy: TerminatingOrFailed\n"
      "  selector: {matchLabels: {batch.kubernetes.io/controller-uid: 0a}}\n  suspend: false\n"
      "  template:\n    metadata:\n      creationTimestamp: null\n"
      "      labels: {batch.kubernetes.io/controller-uid: 0a, batch.kubernetes.io/job-name: a, "
      "controller-uid: 0a, job-name: a}\n"
      "    spec: {containers: [" +
      kServedContainer + "], restartPolicy: Never, " + kServedPod +
      "}\nstatus: {ready: 0, terminating: 0}\n";
  CHECK_EQ(difference(written, served), "");
  CHECK_NE(
      difference(written + "---\n" + head("v1", "ConfigMap") + "metadata: {name: b}\n", served),
      "");
}

TEST_CASE("served: a StatefulSet with its claim templates") {
  const std::string written =
      head("apps/v1", "StatefulSet") +
      "metadata: {name: a, namespace: ns}\nspec: {serviceName: a, selector: {matchLabels: {x: z}}, "
      "template: {metadata: {labels: {x: z}}, spec: {containers: [{name: c, image: \"i:1\"}]}}, "
      "volumeClaimTemplates: [{metadata: {name: d}, spec: {accessModes: [ReadWriteOnce], "
      "resources: {requests: {storage: 1024Mi}}}}]}\n";
  const std::string served =
      head("apps/v1", "StatefulSet") + "metadata:\n" + kServed +
      "spec:\n  persistentVolumeClaimRetentionPolicy: {whenDeleted: Retain, whenScaled: Retain}\n"
      "  podManagementPolicy: OrderedReady\n  replicas: 1\n  revisionHistoryLimit: 10\n"
      "  selector: {matchLabels: {x: z}}\n  serviceName: a\n  template:\n    metadata:\n"
      "      labels: {x: z}\n    spec: {containers: [" +
      kServedContainer + "], restartPolicy: Always, " + kServedPod +
      "}\n  updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: 0}}\n"
      "  volumeClaimTemplates:\n  - apiVersion: v1\n    kind: PersistentVolumeClaim\n"
      "    metadata: {creationTimestamp: null, name: d}\n"
      "    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}, volumeMode: "
      "Filesystem}\n    status: {phase: Pending}\nstatus: {replicas: 1}\n";
  CHECK_EQ(difference(written, served), "");
}

TEST_CASE("served: a claim that was bound, with the class it was given") {
  const std::string written =
      head("v1", "PersistentVolumeClaim") +
      "metadata: {name: a, namespace: ns}\nspec: {accessModes: [ReadWriteMany], resources: "
      "{requests: {storage: 1Ti}}}\n";
  const std::string served =
      head("v1", "PersistentVolumeClaim") + "metadata:\n" + kServed +
      "  annotations: {pv.kubernetes.io/bind-completed: \"yes\", "
      "pv.kubernetes.io/bound-by-controller: \"yes\", "
      "volume.beta.kubernetes.io/storage-provisioner: p, volume.kubernetes.io/storage-provisioner: "
      "p}\n  finalizers: [kubernetes.io/pvc-protection]\n"
      "spec: {accessModes: [ReadWriteMany], resources: {requests: {storage: 1Ti}}, "
      "storageClassName: standard, volumeMode: Filesystem, volumeName: pvc-0a}\n"
      "status: {phase: Bound}\n";
  CHECK_EQ(difference(written, served), "");
  const std::string other = written.substr(0, written.size() - 2) + ", storageClassName: fast}\n";
  CHECK_EQ(difference(other, served),
           "~ PersistentVolumeClaim/ns/a\n  ~ spec.storageClassName: \"fast\" -> \"standard\"\n");
  // Between two files nobody filled anything in.
  CHECK_NE(difference(written, other), "");
}

TEST_CASE("served: a NetworkPolicy whose types have no order, and are derived without any") {
  const std::string served =
      head("networking.k8s.io/v1", "NetworkPolicy") + "metadata:\n" + kServed +
      "spec:\n  podSelector: {}\n  policyTypes: [Egress, Ingress]\n  egress:\n  - ports:\n    - "
      "{port: 53, protocol: UDP}\n";
  const std::string rest = ", podSelector: {}, egress: [{ports: [{port: 53, protocol: UDP}]}]}\n";
  const std::string before =
      head("networking.k8s.io/v1", "NetworkPolicy") + "metadata: {name: a, namespace: ns}\nspec: ";
  CHECK_EQ(difference(before + "{policyTypes: [Ingress, Egress]" + rest, served), "");
  CHECK_EQ(difference(before + "{" + rest.substr(2), served), "");
  CHECK_NE(difference(before + "{policyTypes: [Egress]" + rest, served), "");
}

TEST_CASE("served: a DaemonSet, a Service, a binding, a custom resource") {
  CHECK_EQ(difference(head("apps/v1", "DaemonSet") +
                          "metadata: {name: a, namespace: ns}\nspec: {selector: {matchLabels: {x: "
                          "z}}, template: {metadata: {labels: {x: z}}, spec: {containers: [{name: "
                          "c, image: \"i:1\", env: [{name: E, value: ''}]}]}}}\n",
                      head("apps/v1", "DaemonSet") + "metadata:\n" + kServed +
                          "  annotations: {deprecated.daemonset.template.generation: \"1\"}\n"
                          "spec:\n  revisionHistoryLimit: 10\n  selector: {matchLabels: {x: z}}\n"
                          "  template: {metadata: {labels: {x: z}}, spec: {containers: [{name: c, "
                          "image: \"i:1\", imagePullPolicy: IfNotPresent, env: [{name: E}]}], "
                          "restartPolicy: Always, " +
                          kServedPod +
                          "}}\n  updateStrategy: {type: RollingUpdate, rollingUpdate: {maxSurge: "
                          "0, maxUnavailable: 1}}\n"),
           "");
  CHECK_EQ(difference(head("v1", "Service") +
                          "metadata: {name: a, namespace: ns}\nspec: {type: LoadBalancer, ports: "
                          "[{port: 80}]}\n",
                      head("v1", "Service") + "metadata:\n" + kServed +
                          "  finalizers: [service.kubernetes.io/load-balancer-cleanup]\n"
                          "spec:\n  allocateLoadBalancerNodePorts: true\n  clusterIP: 10.0.0.7\n"
                          "  clusterIPs: [10.0.0.7]\n  externalTrafficPolicy: Cluster\n"
                          "  internalTrafficPolicy: Cluster\n  ipFamilies: [IPv4]\n"
                          "  ipFamilyPolicy: SingleStack\n  ports: [{nodePort: 30123, port: 80, "
                          "protocol: TCP, targetPort: 80}]\n  sessionAffinity: None\n"
                          "  type: LoadBalancer\nstatus: {loadBalancer: {}}\n"),
           "");
  CHECK_EQ(
      difference(head("rbac.authorization.k8s.io/v1", "RoleBinding") +
                     "metadata: {name: a, namespace: ns}\nroleRef: {kind: Role, name: r}\n",
                 head("rbac.authorization.k8s.io/v1", "RoleBinding") + "metadata:\n" + kServed +
                     "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}\n"),
      "");
  CHECK_EQ(difference(head("keda.sh/v1alpha1", "ScaledObject") +
                          "metadata: {name: a, namespace: ns}\nspec: {scaleTargetRef: {name: d}, "
                          "triggers: [{type: cron, metadata: {}}]}\n",
                      head("keda.sh/v1alpha1", "ScaledObject") + "metadata:\n" + kServed +
                          "  finalizers: [finalizer.keda.sh]\n"
                          "  labels: {scaledobject.keda.sh/name: a}\n"
                          "spec: {scaleTargetRef: {name: d}, triggers: [{type: cron, metadata: "
                          "{}}]}\n"),
           "");
}
