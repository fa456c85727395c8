// What a server refuses in its own kinds: one broken field a row, beside objects that are sound.
#include <doctest/doctest.h>

#include "core/manifest/validate/validate.hpp"

using namespace aictl;
using namespace aictl::manifest;

namespace {

// "path: message" of each error (or warning), in order.
std::vector<std::string> findings(const std::string& text, Severity severity = Severity::kError) {
  Validator validator(ValidateOptions{});
  validator.add(text, "test.yaml");
  std::vector<std::string> lines;
  for (const Problem& problem : std::move(validator).finish().problems)
    if (problem.severity == severity) lines.push_back(problem.path + ": " + problem.message);
  return lines;
}

struct Broken {
  const char* text;
  const char* path;  // where it is found
};

void check_rows(std::span<const Broken> rows, const std::string& before,
                const std::string& after = "\n") {
  for (const Broken& row : rows) {
    CAPTURE(row.text);
    const std::vector<std::string> lines = findings(before + row.text + after);
    bool found = false;
    for (const std::string& line : lines)
      found = found || line.starts_with(std::string(row.path) + ":");
    CHECK_MESSAGE(found, (lines.empty() ? "no finding" : lines.front()));
  }
}

const std::string kPod =
    "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c, image: i}], ";
const std::string kContainer =
    "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {volumes: [{name: v, emptyDir: {}}], "
    "containers: [{name: c, image: i, ";
const std::string kService =
    "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 80}], ";

std::string object(const std::string& api_version, const std::string& kind) {
  return "apiVersion: " + api_version + "\nkind: " + kind + "\nmetadata: {name: a}\n";
}

}  // namespace

TEST_CASE("server: a pod's fields") {
  CHECK(findings(kPod + "serviceAccountName: ok, hostname: ok}\n").empty());
  CHECK(findings(kPod + "terminationGracePeriodSeconds: -1}\n").empty());  // is read as 1
  const Broken rows[] = {
      {"serviceAccountName: A_b", "spec.serviceAccountName"},
      {"priorityClassName: A_b", "spec.priorityClassName"},
      {"hostname: a.b", "spec.hostname"},
      {"nodeName: A_b", "spec.nodeName"},
      {"runtimeClassName: ''", "spec.runtimeClassName"},
      {"activeDeadlineSeconds: 0", "spec.activeDeadlineSeconds"},
      {"schedulingGates: [{name: a}, {name: a}]", "spec.schedulingGates[1].name"},
      {"hostAliases: [{ip: x}]", "spec.hostAliases[0].ip"},
      {"dnsPolicy: None", "spec.dnsConfig.nameservers"},
      {"os: {name: plan9}", "spec.os.name"},
      {"securityContext: {fsGroup: -1}", "spec.securityContext.fsGroup"},
      {"securityContext: {seccompProfile: {type: Localhost}}",
       "spec.securityContext.seccompProfile.localhostProfile"},
      {"securityContext: {seccompProfile: {type: RuntimeDefault, localhostProfile: a}}",
       "spec.securityContext.seccompProfile.localhostProfile"},
      {"resourceClaims: [{name: g, resourceClaimName: x}, {name: g, resourceClaimName: y}]",
       "spec.resourceClaims[1].name"},
      {"resourceClaims: [{name: g}]", "spec.resourceClaims[0]"},
      {"tolerations: [{key: a, value: 'b c'}]", "spec.tolerations[0].value"},
      {"nodeSelector: {a: 'b c'}", "spec.nodeSelector.a"},
      {"topologySpreadConstraints: [{maxSkew: 1, topologyKey: '', whenUnsatisfiable: "
       "DoNotSchedule}]",
       "spec.topologySpreadConstraints[0].topologyKey"},
      {"affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: "
       "101, podAffinityTerm: {topologyKey: a}}]}}",
       "spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight"},
      {"affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: "
       "''}]}}",
       "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey"},
      {"affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
       "{nodeSelectorTerms: []}}}",
       "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
       "nodeSelectorTerms"},
      {"affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
       "{nodeSelectorTerms: [{matchExpressions: [{key: a, operator: Gt, values: [x, y]}]}]}}}",
       "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
       "nodeSelectorTerms[0].matchExpressions[0].values"},
  };
  check_rows(rows, kPod, "}\n");
}

TEST_CASE("server: a pod's volumes") {
  const Broken rows[] = {
      {"{name: v, secret: {}}", "spec.volumes[0].secret.secretName"},
      {"{name: v, configMap: {items: []}}", "spec.volumes[0].configMap.name"},
      {"{name: v, persistentVolumeClaim: {claimName: ''}}",
       "spec.volumes[0].persistentVolumeClaim.claimName"},
      {"{name: v, hostPath: {path: ''}}", "spec.volumes[0].hostPath.path"},
      {"{name: v, hostPath: {path: /a/../b}}", "spec.volumes[0].hostPath.path"},
      {"{name: v, emptyDir: {sizeLimit: -1}}", "spec.volumes[0].emptyDir.sizeLimit"},
      {"{name: v, configMap: {name: a, defaultMode: 512}}",
       "spec.volumes[0].configMap.defaultMode"},
      {"{name: v, secret: {secretName: a, items: [{key: k, path: ../b}]}}",
       "spec.volumes[0].secret.items[0].path"},
      {"{name: v, nfs: {server: s, path: b}}", "spec.volumes[0].nfs.path"},
      {"{name: v, projected: {sources: [{serviceAccountToken: {path: t, expirationSeconds: 5}}]}}",
       "spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds"},
      {"{name: v, image: {pullPolicy: Always}}", "spec.volumes[0].image.reference"},
      {"{name: V}", "spec.volumes[0].name"},
  };
  check_rows(rows, kPod + "volumes: [", "]}\n");
  CHECK(findings(kPod + "volumes: [{name: v}]}\n").empty());  // an emptyDir by default
}

TEST_CASE("server: a container's fields") {
  CHECK(findings(kContainer + "env: [{name: 'a b', value: x}]}]}\n").empty());
  const Broken rows[] = {
      {"env: [{name: 'a=b'}]", "spec.containers[0].env[0].name"},
      {"env: [{name: A, valueFrom: {secretKeyRef: {name: '', key: k}}}]",
       "spec.containers[0].env[0].valueFrom.secretKeyRef.name"},
      {"env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: ''}}}]",
       "spec.containers[0].env[0].valueFrom.secretKeyRef.key"},
      {"env: [{name: A, valueFrom: {fieldRef: {fieldPath: spec.nope}}}]",
       "spec.containers[0].env[0].valueFrom.fieldRef.fieldPath"},
      {"envFrom: [{}]", "spec.containers[0].envFrom[0]"},
      {"envFrom: [{secretRef: {name: a}, configMapRef: {name: b}}]",
       "spec.containers[0].envFrom[0]"},
      {"livenessProbe: {exec: {}}", "spec.containers[0].livenessProbe.exec.command"},
      {"livenessProbe: {httpGet: {port: 0}}", "spec.containers[0].livenessProbe.httpGet.port"},
      {"livenessProbe: {grpc: {port: 70000}}", "spec.containers[0].livenessProbe.grpc.port"},
      {"livenessProbe: {tcpSocket: {port: 80}, terminationGracePeriodSeconds: 0}",
       "spec.containers[0].livenessProbe.terminationGracePeriodSeconds"},
      {"lifecycle: {preStop: {exec: {command: []}}}",
       "spec.containers[0].lifecycle.preStop.exec.command"},
      {"ports: [{containerPort: 80, hostPort: 80}, {containerPort: 81, hostPort: 80}]",
       "spec.containers[0].ports[1].hostPort"},
      {"volumeMounts: [{name: v, mountPath: ''}]", "spec.containers[0].volumeMounts[0].mountPath"},
      {"volumeMounts: [{name: v, mountPath: /a, subPath: a/../b}]",
       "spec.containers[0].volumeMounts[0].subPath"},
      {"volumeMounts: [{name: v, mountPath: /a, mountPropagation: Bidirectional}]",
       "spec.containers[0].volumeMounts[0].mountPropagation"},
      {"securityContext: {allowPrivilegeEscalation: false, capabilities: {add: [CAP_SYS_ADMIN]}}",
       "spec.containers[0].securityContext"},
      {"resources: {claims: [{name: g}, {name: g}]}",
       "spec.containers[0].resources.claims[1].name"},
      {"resizePolicy: [{resourceName: disk, restartPolicy: NotRequired}]",
       "spec.containers[0].resizePolicy[0].resourceName"},
  };
  check_rows(rows, kContainer, "}]}\n");
}

TEST_CASE("server: workloads") {
  const std::string template_text =
      "selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: "
      "[{name: c, image: i}]}}";
  for (const char* kind : {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"}) {
    CAPTURE(kind);
    const std::string head = object("apps/v1", kind);
    CHECK(findings(head + "spec: {" + template_text + "}\n").empty());
    CHECK_FALSE(findings(head).empty());
    CHECK_FALSE(findings(head + "spec: {selector: {matchLabels: {a: b}}, template: {metadata: "
                                "{labels: {a: b}}, spec: {containers: []}}}\n")
                    .empty());
    CHECK_FALSE(
        findings(head + "spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: "
                        "b}}}}\n")
            .empty());
    CHECK_FALSE(findings(head +
                         "spec: {selector: {matchExpressions: [{key: a, operator: In, "
                         "values: [x]}]}, " +
                         template_text.substr(template_text.find("template")) + "}\n")
                    .empty());
  }
  const Broken daemons[] = {
      {"updateStrategy: {rollingUpdate: {maxUnavailable: 0}}",
       "spec.updateStrategy.rollingUpdate.maxUnavailable"},
      {"updateStrategy: {rollingUpdate: {maxUnavailable: 1, maxSurge: 1}}",
       "spec.updateStrategy.rollingUpdate.maxSurge"},
      {"updateStrategy: {rollingUpdate: {maxUnavailable: 101%}}",
       "spec.updateStrategy.rollingUpdate.maxUnavailable"},
  };
  check_rows(daemons, object("apps/v1", "DaemonSet") + "spec: {" + template_text + ", ", "}\n");
  const Broken sets[] = {
      {"serviceName: A_b", "spec.serviceName"},
      {"updateStrategy: {rollingUpdate: {partition: -1}}",
       "spec.updateStrategy.rollingUpdate.partition"},
      {"volumeClaimTemplates: [{metadata: {name: d}, spec: {resources: {requests: {storage: "
       "1Gi}}}}]",
       "spec.volumeClaimTemplates[0].spec.accessModes"},
      {"volumeClaimTemplates: [{metadata: {name: d}, spec: {accessModes: [ReadWriteOnce], "
       "storageClassName: A_b, resources: {requests: {storage: 1Gi}}}}]",
       "spec.volumeClaimTemplates[0].spec.storageClassName"},
  };
  check_rows(sets, object("apps/v1", "StatefulSet") + "spec: {" + template_text + ", ", "}\n");
  CHECK_FALSE(findings("apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: a.b}\nspec: {" +
                       template_text + "}\n")
                  .empty());
}

TEST_CASE("server: jobs") {
  const std::string pod =
      "template: {spec: {restartPolicy: Never, containers: [{name: c, image: i}]}}";
  const std::string job = object("batch/v1", "Job") + "spec: {" + pod + ", ";
  CHECK(findings(job + "podFailurePolicy: {rules: [{action: FailJob, onExitCodes: {operator: In, "
                       "values: [1, 2]}}]}}\n")
            .empty());
  const Broken rows[] = {
      {"podFailurePolicy: {rules: [{action: Stop, onPodConditions: [{type: A}]}]}",
       "spec.podFailurePolicy.rules[0].action"},
      {"podFailurePolicy: {rules: [{action: Ignore}]}", "spec.podFailurePolicy.rules[0]"},
      {"podFailurePolicy: {rules: [{action: Ignore, onExitCodes: {operator: In, values: [0]}}]}",
       "spec.podFailurePolicy.rules[0].onExitCodes.values"},
      {"podFailurePolicy: {rules: [{action: Ignore, onExitCodes: {containerName: x, operator: In, "
       "values: [1]}}]}",
       "spec.podFailurePolicy.rules[0].onExitCodes.containerName"},
      {"backoffLimitPerIndex: 1", "spec.backoffLimitPerIndex"},
      {"selector: {matchLabels: {a: b}}", "spec.selector"},
      {"backoffLimit: -1", "spec.backoffLimit"},
  };
  check_rows(rows, job, "}\n");
  const auto cron = [&pod](const std::string& schedule) {
    return findings(object("batch/v1", "CronJob") + "spec: {jobTemplate: {spec: {" + pod +
                    "}}, schedule: " + schedule + "}\n");
  };
  for (const char* good : {"'*/5 0-6 1,15 jan-mar mon'", "'@daily'", "'@every 1h30m'",
                           "'0 0 * * *', timeZone: Europe/Berlin"})
    CHECK_MESSAGE(cron(good).empty(), good);
  for (const char* bad : {"'99 * * * *'", "'@bogus'", "'* * * *'", "'* * * * 7'", "'5-1 * * * *'",
                          "'*/0 * * * *'", "'0 0 * * *', timeZone: 'Mars/Base 1'"})
    CHECK_FALSE_MESSAGE(cron(bad).empty(), bad);
}

TEST_CASE("server: services and policies") {
  CHECK(findings(kService + "selector: {a: b}}\n").empty());
  const Broken rows[] = {
      {"selector: {a: 'b c'}", "spec.selector.a"},
      {"clusterIP: x", "spec.clusterIP"},
      {"externalTrafficPolicy: Local", "spec.externalTrafficPolicy"},
      {"ipFamilies: [IPv4, IPv4]", "spec.ipFamilies[1]"},
      {"sessionAffinityConfig: {clientIP: {timeoutSeconds: 5}}", "spec.sessionAffinityConfig"},
      {"trafficDistribution: Anywhere", "spec.trafficDistribution"},
  };
  check_rows(rows, kService, "}\n");
  const auto service = [](const std::string& spec) {
    return findings(object("v1", "Service") + "spec: {" + spec + "}\n");
  };
  CHECK_FALSE(service("ports: [{port: 80, nodePort: 30000}]").empty());
  CHECK_FALSE(service("type: NodePort, ports: [{port: 80, nodePort: 80}]").empty());
  CHECK(service("type: NodePort, ports: [{port: 80, nodePort: 30080}]").empty());
  CHECK(service("ports: [{port: 80, targetPort: 0}]").empty());  // the port itself
  const auto policy = [](const std::string& block) {
    return findings(object("networking.k8s.io/v1", "NetworkPolicy") +
                    "spec: {podSelector: {}, ingress: [{from: [{ipBlock: {" + block + "}}]}]}\n");
  };
  CHECK(policy("cidr: 10.0.0.0/8, except: [10.1.0.0/16]").empty());
  CHECK_FALSE(policy("cidr: 10.0.0.0/8, except: [11.0.0.0/16]").empty());
  CHECK_FALSE(policy("cidr: 10.0.0.0/8, except: [10.0.0.0/8]").empty());
}

TEST_CASE("server: claims, volumes, devices, autoscalers") {
  const auto devices = [](const std::string& text) {
    return findings(object("resource.k8s.io/v1", "ResourceClaimTemplate") +
                    "spec: {spec: {devices: {" + text + "}}}\n");
  };
  const std::string request = "requests: [{name: g, exactly: {deviceClassName: d}}]";
  CHECK(devices(request + ", constraints: [{requests: [g], matchAttribute: a.b/c}]").empty());
  for (const std::string& bad :
       {std::string("requests: [{name: g}]"),
        std::string("requests: [{name: g, exactly: {deviceClassName: d}, firstAvailable: [{name: "
                    "x, deviceClassName: d}]}]"),
        std::string("requests: [{name: g, exactly: {deviceClassName: d, count: -1}}]"),
        std::string("requests: [{name: g, exactly: {deviceClassName: d}}, {name: g, exactly: "
                    "{deviceClassName: d}}]"),
        std::string("requests: [{name: g, exactly: {deviceClassName: d, selectors: [{cel: "
                    "{expression: 'device.a ('}}]}}]"),
        request + ", constraints: [{requests: [x], matchAttribute: a.b/c}]",
        request + ", constraints: [{requests: [g], matchAttribute: c}]",
        request + ", constraints: [{requests: [g]}]"})
    CHECK_FALSE_MESSAGE(devices(bad).empty(), bad);
  const std::string volume = object("v1", "PersistentVolume") +
                             "spec: {accessModes: [ReadWriteOnce], capacity: {storage: "
                             "1Gi}, ";
  CHECK(findings(volume + "hostPath: {path: /a}}\n").empty());
  CHECK_FALSE(findings(volume + "volumeMode: Block}\n").empty());
  CHECK_FALSE(findings(volume + "hostPath: {path: /a}, nfs: {server: s, path: /a}}\n").empty());
  CHECK_FALSE(findings(object("policy/v1", "PodDisruptionBudget") + "spec: {minAvailable: 101%}\n")
                  .empty());
  const auto scaler = [](const std::string& text) {
    return findings(object("autoscaling/v2", "HorizontalPodAutoscaler") +
                    "spec: {maxReplicas: 3, scaleTargetRef: {kind: Deployment, name: a}, " + text +
                    "}\n");
  };
  CHECK(scaler("metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, "
               "averageUtilization: 50}}}]")
            .empty());
  CHECK_FALSE(scaler("metrics: [{type: Resource}]").empty());
  CHECK_FALSE(scaler("metrics: [{type: Resource, resource: {name: cpu, target: {type: "
                     "Utilization, averageUtilization: 0}}}]")
                  .empty());
  CHECK_FALSE(scaler("behavior: {scaleDown: {policies: [{type: Pods, value: 0, periodSeconds: "
                     "60}]}}")
                  .empty());
}

TEST_CASE("server: ingresses, finalizers") {
  const auto ingress = [](const std::string& rule) {
    return findings(object("networking.k8s.io/v1", "Ingress") + "spec: {rules: [" + rule + "]}\n");
  };
  const std::string paths =
      "http: {paths: [{path: /a, pathType: Prefix, backend: {service: {name: s, port: {number: "
      "80}}}}]}";
  CHECK(ingress("{host: '*.a.b', " + paths + "}").empty());
  CHECK_FALSE(ingress("{host: A_b, " + paths + "}").empty());
  CHECK_FALSE(ingress("{host: 10.0.0.1, " + paths + "}").empty());
  CHECK_FALSE(ingress("{http: {paths: []}}").empty());
  CHECK_FALSE(findings("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, finalizers: [bad]}\n")
                  .empty());
  CHECK(findings("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, finalizers: [a.b/c]}\n")
            .empty());
}

TEST_CASE("server: pods in custom resources are their operator's; what is found is a warning") {
  const std::string text =
      "apiVersion: leaderworkerset.x-k8s.io/v1\nkind: LeaderWorkerSet\nmetadata: {name: a}\nspec: "
      "{leaderWorkerTemplate: {size: 2, workerTemplate: {spec: {containers: [{name: A_b, image: i, "
      "volumeMounts: [{name: nope, mountPath: /a}]}]}}}}\n";
  CHECK(findings(text).empty());
  CHECK_EQ(findings(text, Severity::kWarning).size(), 2);
}
