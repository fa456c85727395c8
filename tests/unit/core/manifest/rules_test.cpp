// Rules of single objects, references between them, and the checklist: each row is shown by an
// object that breaks it beside one that does not.
#include <doctest/doctest.h>

#include "core/manifest/check/check.hpp"
#include "core/manifest/lint/lint.hpp"
#include "core/manifest/references/references.hpp"
#include "core/manifest/rules/rules.hpp"

using namespace aictl;
using namespace aictl::manifest;

namespace {

using Check = void (*)(Documents, const Context&, Report&);

// "rule path: message" of each finding, in order.
std::vector<std::string> findings(Check check, const std::string& text,
                                  const Context& context = {}) {
  auto documents = read_documents(text, "test.yaml");
  REQUIRE_MESSAGE(documents.ok(), (documents ? "" : documents.error().message));
  Report report;
  for (Document& document : *documents) {
    check_structure(Catalog::builtin(), document, report);
    REQUIRE(document.known != nullptr);
  }
  Report found;
  check(*documents, context, found);
  std::vector<std::string> lines;
  for (const Problem& problem : found.problems())
    lines.push_back(problem.rule + " " + problem.path + ": " + problem.message);
  return lines;
}

bool has(const std::vector<std::string>& lines, std::string_view start) {
  for (const std::string& line : lines)
    if (line.starts_with(start)) return true;
  std::string all;
  for (const std::string& line : lines) all += "\n  " + line;
  MESSAGE("not found: " << std::string(start) << all);
  return false;
}

std::string deployment(const std::string& container, const std::string& pod = "",
                       const std::string& spec = "") {
  return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: ai}\nspec:\n" +
         spec +
         "  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n"
         "    spec:\n" +
         pod + "      containers:\n      - name: web\n        image: web:1\n" + container;
}

struct Broken {
  const char* text;      // of a container, at its level of indentation
  const char* expected;  // rule and path
};

}  // namespace

TEST_CASE("server rules: a sound Deployment has no findings") {
  CHECK(
      findings(check_server_rules, deployment("        ports: [{name: http, containerPort: 80}]\n"
                                              "        readinessProbe: {httpGet: {port: http}}\n"))
          .empty());
}

TEST_CASE("server rules: what a container may not be") {
  const std::string at = " spec.template.spec.containers[0]";
  const Broken cases[] = {
      {"        ports: [{name: HTTP, containerPort: 80}]\n", "server/port-name"},
      {"        ports: [{containerPort: 80000}]\n", "server/port-number"},
      {"        ports: [{name: a, containerPort: 1}, {name: a, containerPort: 2}]\n",
       "server/duplicate"},
      {"        readinessProbe: {httpGet: {port: nope}}\n", "server/port-name"},
      {"        livenessProbe: {}\n", "server/probe"},
      {"        livenessProbe: {httpGet: {port: 80}, exec: {command: [a]}}\n", "server/probe"},
      {"        livenessProbe: {httpGet: {port: 80}, successThreshold: 2}\n", "server/probe"},
      {"        readinessProbe: {httpGet: {port: 80}, periodSeconds: -1}\n", "server/range"},
      {"        lifecycle: {preStop: {}}\n", "server/hook"},
      {"        lifecycle: {preStop: {sleep: {seconds: 31}}}\n", "server/range"},
      {"        env: [{name: A, value: x, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]\n",
       "server/exclusive"},
      {"        env: [{name: A=B, value: x}]\n", "server/name"},
      {"        volumeMounts: [{name: nope, mountPath: /a}]\n", "server/volume"},
      {"        securityContext: {privileged: true, allowPrivilegeEscalation: false}\n",
       "server/exclusive"},
      {"        securityContext: {runAsUser: -1}\n", "server/range"},
      {"        resources: {limits: {nvidia.com/gpu=all: 1}}\n", "server/resource-name"},
      {"        resources: {limits: {cpu: 1}, requests: {cpu: 2}}\n", "server/range"},
      {"        resources: {requests: {nvidia.com/gpu: 1}}\n", "server/extended-resource"},
      {"        resources: {limits: {nvidia.com/gpu: 500m}}\n", "server/extended-resource"},
  };
  for (const Broken& each : cases) {
    CAPTURE(each.text);
    CHECK(has(findings(check_server_rules, deployment(each.text)), each.expected + at));
  }
}

TEST_CASE("server rules: what a pod and its workload may not be") {
  const auto pod = [](const char* text) {
    return findings(check_server_rules, deployment("", text));
  };
  CHECK(has(pod("      tolerations: [{operator: Exists, key: a, value: b}]\n"),
            "server/toleration spec.template.spec.tolerations[0].value"));
  CHECK(has(pod("      tolerations: [{key: a, effect: NoSchedule, tolerationSeconds: 3}]\n"),
            "server/toleration spec.template.spec.tolerations[0].effect"));
  CHECK(has(pod("      volumes: [{name: a, emptyDir: {}}, {name: a, emptyDir: {}}]\n"),
            "server/duplicate spec.template.spec.volumes[1].name"));
  CHECK(has(pod("      volumes: [{name: a, emptyDir: {}, secret: {secretName: s}}]\n"),
            "server/exclusive spec.template.spec.volumes[0]"));
  CHECK(has(pod("      restartPolicy: Never\n"), "server/restart-policy"));
  const auto spec = [](const char* text) {
    return findings(check_server_rules, deployment("", "", text));
  };
  CHECK(has(spec("  replicas: -1\n"), "server/range spec.replicas"));
  CHECK(has(spec("  strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0}}\n"),
            "server/rollout"));
  CHECK(
      has(spec("  strategy: {type: Recreate, rollingUpdate: {maxSurge: 1}}\n"), "server/rollout"));
  CHECK(has(spec("  progressDeadlineSeconds: 5\n  minReadySeconds: 5\n"), "server/range"));
}

TEST_CASE("server rules: objects of other kinds") {
  const auto of = [](const char* text) { return findings(check_server_rules, text); };
  CHECK(has(of("apiVersion: v1\nkind: Service\nmetadata: {name: 1a}\nspec: {ports: [{port: 1}]}\n"),
            "server/name metadata.name"));
  CHECK(has(of("apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 1}, "
               "{port: 2}]}\n"),
            "server/port-name spec.ports[0].name"));
  CHECK(has(of("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a}\n"
               "spec: {podSelector: {}, ingress: [{from: [{}]}]}\n"),
            "server/network-policy spec.ingress[0].from[0]"));
  CHECK(has(of("apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: a}\n"
               "spec: {minReplicas: 3, maxReplicas: 2, scaleTargetRef: {kind: D, name: a}}\n"),
            "server/range spec.minReplicas"));
  CHECK(has(of("apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\n"
               "spec: {template: {spec: {containers: [{name: a, image: b}]}}}\n"),
            "server/restart-policy spec.template.spec.restartPolicy"));
  CHECK(has(of("apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ntype: kubernetes.io/tls\n"),
            "server/required data.tls.crt"));
  CHECK(has(of("apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: a}\n"
               "rules: [{apiGroups: [''], resources: [pods], verbs: []}]\n"),
            "server/role rules[0].verbs"));
  CHECK(
      has(of("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {model: Qwen/Qwen}}\n"),
          "server/label metadata.labels.model"));
}

TEST_CASE("cel rules of custom resources are evaluated") {
  const auto of = [](const char* text) { return findings(check_server_rules, text); };
  CHECK(has(of("apiVersion: kueue.x-k8s.io/v1beta2\nkind: ResourceFlavor\nmetadata: {name: a}\n"
               "spec: {topologyName: t}\n"),
            "cel/rule spec"));
  CHECK(of("apiVersion: kueue.x-k8s.io/v1beta2\nkind: ResourceFlavor\nmetadata: {name: a}\n"
           "spec: {topologyName: t, nodeLabels: {a: b}}\n")
            .empty());
}

TEST_CASE("references: what is named has to be there") {
  const auto of = [](const std::string& text, std::vector<std::string> external = {}) {
    return findings(check_references, text, Context{std::move(external)});
  };
  const std::string with_claim =
      deployment("", "      volumes: [{name: m, persistentVolumeClaim: {claimName: models}}]\n");
  CHECK(has(of(with_claim),
            "reference/missing spec.template.spec.volumes[0].persistentVolumeClaim.claimName"));
  CHECK(of(with_claim, {"PersistentVolumeClaim/mod*"}).empty());
  const std::string claim =
      "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: models, namespace: ";
  CHECK(of(with_claim + claim + "ai}\n").empty());
  CHECK(has(of(with_claim + claim + "other}\n"), "reference/missing"));
  const std::string service =
      "---\napiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: ai}\n";
  CHECK(has(of(deployment("") + service + "spec: {selector: {app: wep}, ports: [{port: 80}]}\n"),
            "reference/selector spec.selector"));
  CHECK(has(of(deployment("") + service +
               "spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}]}\n"),
            "reference/port spec.ports[0].targetPort"));
  CHECK(has(of(service + "spec: {}\n" + service + "spec: {}\n"), "reference/twice metadata.name"));
}

TEST_CASE("references: what operators make counts as there") {
  const std::string certificate =
      "apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: c, namespace: ai}\n"
      "spec: {secretName: tls, issuerRef: {name: ca, kind: ClusterIssuer}}\n---\n";
  const std::string user =
      deployment("", "      volumes: [{name: t, secret: {secretName: tls}}]\n");
  const Context context{{"ClusterIssuer/ca"}};
  CHECK(findings(check_references, certificate + user, context).empty());
  CHECK(has(findings(check_references, user, context), "reference/missing"));
}

TEST_CASE("lint: the checklist finds what a bare Deployment lacks") {
  const std::vector<std::string> found = findings(
      check_lint, deployment("        ports: [{containerPort: 80}]\n"
                             "        env: [{name: HF_TOKEN, value: abc}]\n"
                             "        volumeMounts: [{name: models, mountPath: /m}]\n"
                             "        resources: {limits: {nvidia.com/gpu: 1}}\n",
                             "      volumes: [{name: models, emptyDir: {}}]\n", "  replicas: 2\n"));
  for (const char* rule :
       {"lint/pod-security", "lint/image-digest", "lint/resources", "lint/probes", "lint/budget",
        "lint/spread", "lint/surge", "lint/priority", "lint/secrets", "lint/model", "lint/access",
        "lint/network", "lint/monitor"}) {
    CAPTURE(rule);
    CHECK(has(found, rule));
  }
}

TEST_CASE("lint: stopping has to take longer than the sleep and the drain") {
  const auto with = [](int grace) {
    return findings(
        check_lint,
        deployment("        ports: [{containerPort: 80}]\n        args: [--shutdown-timeout=60]\n"
                   "        lifecycle: {preStop: {sleep: {seconds: 15}}}\n",
                   "      terminationGracePeriodSeconds: " + std::to_string(grace) + "\n"));
  };
  CHECK(has(with(75), "lint/drain"));
  for (const std::string& line : with(76)) CHECK_FALSE(line.starts_with("lint/drain"));
}

TEST_CASE("lint: a namespace's own level decides what its pods may do") {
  const auto with = [](const char* level) {
    return findings(check_lint,
                    "apiVersion: v1\nkind: Namespace\nmetadata: {name: ai, labels: "
                    "{pod-security.kubernetes.io/enforce: " +
                        std::string(level) + "}}\n---\n" +
                        deployment("", "      hostNetwork: true\n"));
  };
  CHECK(has(with("baseline"), "lint/pod-security spec.template.spec.hostNetwork"));
  for (const std::string& line : with("privileged"))
    CHECK_FALSE(line.starts_with("lint/pod-security"));
}
