#include <doctest/doctest.h>

#include "core/manifest/compare/diff.hpp"
#include "core/manifest/compare/normal.hpp"

using namespace aictl;
using namespace aictl::manifest;

namespace {

std::string difference(std::string_view a, std::string_view b) {
  auto first = read_documents(a, "a"), second = read_documents(b, "b");
  REQUIRE(first.ok());
  REQUIRE(second.ok());
  return diff_text(diff_objects(*first, *second, Catalog::builtin()));
}

constexpr std::string_view kWritten = R"(
apiVersion: apps/v1
kind: Deployment
metadata: {name: qwen, namespace: ai}
spec:
  selector: {matchLabels: {app: qwen}}
  template:
    metadata: {labels: {app: qwen}}
    spec:
      containers:
        - name: main
          image: aictl:1.0
          args: [serve]
          ports: [{containerPort: 8000, name: http}]
          resources: {limits: {memory: 1024Mi, cpu: "1.5"}}
        - {name: side, image: side@sha256:0}
      volumes: [{name: shm, emptyDir: {}}]
)";

// The same as kubectl get -o yaml prints it.
constexpr std::string_view kRunning = R"(
apiVersion: v1
kind: List
items:
- apiVersion: apps/v1
  kind: Deployment
  metadata:
    name: qwen
    namespace: ai
    uid: 1234
    resourceVersion: "7"
    generation: 3
    creationTimestamp: "2026-01-01T00:00:00Z"
    annotations:
      deployment.kubernetes.io/revision: "1"
      kubectl.kubernetes.io/last-applied-configuration: "{}"
    managedFields: [{manager: kubectl}]
  spec:
    progressDeadlineSeconds: 600
    replicas: 1
    revisionHistoryLimit: 10
    selector: {matchLabels: {app: qwen}}
    strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 25%, maxUnavailable: 25%}}
    template:
      metadata:
        creationTimestamp: null
        labels: {app: qwen}
      spec:
        containers:
        - image: side@sha256:0
          imagePullPolicy: IfNotPresent
          name: side
          resources: {}
          terminationMessagePath: /dev/termination-log
          terminationMessagePolicy: File
        - args: [serve]
          image: aictl:1.0
          imagePullPolicy: IfNotPresent
          name: main
          ports: [{containerPort: 8000, name: http, protocol: TCP}]
          resources: {limits: {cpu: 1500m, memory: 1Gi}}
          terminationMessagePath: /dev/termination-log
          terminationMessagePolicy: File
        dnsPolicy: ClusterFirst
        restartPolicy: Always
        schedulerName: default-scheduler
        securityContext: {}
        terminationGracePeriodSeconds: 30
        volumes: [{name: shm, emptyDir: {}}]
  status: {readyReplicas: 1}
)";

}  // namespace

TEST_CASE("compare: what runs equals what was written, as far as nobody changed it") {
  CHECK_EQ(difference(kWritten, kRunning), "");
}

TEST_CASE("compare: a change is told by its path, list items by their key") {
  std::string changed(kRunning);
  changed.replace(changed.find("replicas: 1"), 11, "replicas: 2");
  changed.replace(changed.find("memory: 1Gi"), 11, "memory: 2Gi");
  changed.replace(changed.find("emptyDir: {}"), 12, "hostPath: {path: /x}");
  CHECK_EQ(
      difference(kWritten, changed),
      "~ Deployment/ai/qwen\n"
      "  ~ spec.replicas: 1 -> 2\n"
      "  ~ spec.template.spec.containers[name=main].resources.limits.memory: \"1Gi\" -> \"2Gi\"\n"
      "  - spec.template.spec.volumes[name=shm].emptyDir: {}\n"
      "  + spec.template.spec.volumes[name=shm].hostPath: {\"path\":\"/x\"}\n");
}

TEST_CASE("compare: objects on one side only are told as a whole, twins in turn") {
  const std::string_view config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
  CHECK_EQ(difference(config, ""), "- ConfigMap/a\n");
  CHECK_EQ(difference("", config), "+ ConfigMap/a\n");
  CHECK_EQ(difference(config, std::string(config) + "---\n" + std::string(config)),
           "+ ConfigMap/a\n");
}

TEST_CASE("compare: files without a name are matched by their kind, wherever they stand") {
  const std::string kubelet =
      "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";
  const std::string config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
  CHECK_EQ(difference(kubelet + "---\n" + config, config + "---\n" + kubelet), "");
  CHECK_EQ(difference(kubelet, kubelet + "maxPods: 7\n"),
           "~ KubeletConfiguration/(no name)\n  + maxPods: 7\n");
}

TEST_CASE("compare: order means something where it does, and nothing elsewhere") {
  const auto pod = [](std::string_view containers) {
    return "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {" + std::string(containers) +
           "}\n";
  };
  CHECK_EQ(difference(pod("containers: [{name: a}, {name: b}]"),
                      pod("containers: [{name: b}, {name: a}]")),
           "");
  CHECK_NE(difference(pod("initContainers: [{name: a}, {name: b}]"),
                      pod("initContainers: [{name: b}, {name: a}]")),
           "");
  CHECK_NE(difference(pod("containers: [{name: a, args: [x, y]}]"),
                      pod("containers: [{name: a, args: [y, x]}]")),
           "");
}

TEST_CASE("compare: defaults of custom resources and durations have one spelling") {
  const auto queue = [](std::string_view spec) {
    return "apiVersion: kueue.x-k8s.io/v1beta2\nkind: ClusterQueue\nmetadata: {name: a}\nspec: " +
           std::string(spec) + "\n";
  };
  CHECK_EQ(difference(queue("{queueingStrategy: BestEffortFIFO}"), queue("{}")), "");
  CHECK_NE(difference(queue("{queueingStrategy: StrictFIFO}"), queue("{}")), "");
  const auto route = [](std::string_view timeout) {
    return "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: a}\n"
           "spec: {rules: [{timeouts: {request: " +
           std::string(timeout) + "}}]}\n";
  };
  CHECK_EQ(difference(route("90s"), route("1m30s")), "");
  CHECK_NE(difference(route("90s"), route("1m31s")), "");
}

TEST_CASE("compare: the normal form of a normal form is itself") {
  auto documents = read_documents(kRunning, "-");
  REQUIRE(documents.ok());
  const Json once = normal_form(documents->front().object, Catalog::builtin());
  CHECK_EQ(normal_form(once, Catalog::builtin()), once);
  CHECK_FALSE(once.contains("status"));
}
