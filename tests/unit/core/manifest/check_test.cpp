#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/manifest/check/check.hpp"
#include "core/manifest/check/walk.hpp"

using namespace aictl;
using namespace aictl::manifest;

namespace {

// "path: message" of each problem, a line each.
std::string problems_of(std::string_view yaml, const std::string& file = "f.yaml") {
  Reading reading = read_text(yaml, file);
  Report report;
  for (Document& document : reading.documents)
    check_structure(Catalog::builtin(), document, report);
  std::string text;
  for (const Problem& problem : report.problems())
    text += fmt::format("{}: {}{}\n", problem.path, problem.message,
                        problem.hint.empty() ? "" : "; " + problem.hint);
  return text;
}

std::string pod(std::string_view spec) {
  return fmt::format("apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec: {}\n", spec);
}

}  // namespace

TEST_CASE("catalog: every kind has a schema, and the catalog knows its sources") {
  const Catalog& catalog = Catalog::builtin();
  CHECK_GE(catalog.kinds().size(), 300);
  for (const Kind* kind : catalog.kinds()) {
    const Kind* found = catalog.find(kind->api_version, kind->name);
    REQUIRE_EQ(found, kind);
    REQUIRE_MESSAGE(found->schema != nullptr, kind->name);
  }
  CHECK_EQ(catalog.find("v1", "Deployment"), nullptr);
  CHECK_EQ(catalog.nearest("Deployment"), "this kind exists in apps/v1");
  CHECK_EQ(catalog.nearest("Deploiment"), "did you mean kind Deployment?");
  CHECK_EQ(catalog.nearest("Zwxqk"), "");
  CHECK_EQ(catalog.find("v1", "Node")->scope, Scope::kCluster);
  CHECK_GE(catalog.versions().size(), 30);
}

TEST_CASE("structure: a good pod has no problem") {
  CHECK_EQ(problems_of(
               pod("{containers: [{name: a, image: b, resources: {limits: {cpu: 1, memory: 1Gi}}, "
                   "ports: [{containerPort: 80}], livenessProbe: {httpGet: {port: http}}}]}")),
           "");
}

TEST_CASE("structure: fields that are unknown, missing or of the wrong type") {
  CHECK_EQ(problems_of(pod("{containers: [{name: a, volumMounts: []}]}")),
           "spec.containers[0].volumMounts: unknown field; did you mean volumeMounts?\n");
  CHECK_EQ(problems_of(pod("{}")), "spec.containers: required field is missing\n");
  CHECK_EQ(problems_of(pod("{containers: null}")), "spec.containers: required field is missing\n");
  CHECK_EQ(problems_of(pod("{containers: [null]}")),
           "spec.containers[0]: null where object is expected\n");
  CHECK_EQ(problems_of(pod("{containers: [{name: 7}]}")),
           "spec.containers[0].name: integer (7) where string is expected; quote it: \"7\"\n");
  CHECK_EQ(problems_of(pod("{containers: {}}")),
           "spec.containers: object where array is expected\n");
  CHECK_EQ(problems_of(pod("{containers: [], terminationGracePeriodSeconds: 30.0}")), "");
  CHECK_EQ(problems_of(pod("{containers: [], hostNetwork: 'yes'}")),
           "spec.hostNetwork: string ('yes') where boolean is expected\n");
}

TEST_CASE("structure: enums, quantities, bytes and numbers too large") {
  CHECK_EQ(problems_of(pod("{containers: [{name: a, imagePullPolicy: Sometimes}]}")),
           "spec.containers[0].imagePullPolicy: 'Sometimes' is not one of 'Always', "
           "'IfNotPresent', 'Never'\n");
  CHECK_EQ(
      problems_of(pod("{containers: [{name: a, resources: {limits: {memory: 32GiB}}}]}")),
      "spec.containers[0].resources.limits.memory: '32GiB' is not a quantity; write a number and "
      "a unit: 500m, 16Gi\n");
  CHECK_EQ(
      problems_of("apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {k: not base64!}\n"),
      "data.k: 'not base64!' is not a valid byte\n");
  CHECK_EQ(problems_of(pod("{containers: [{name: a, ports: [{containerPort: 99999999999}]}]}")),
           "spec.containers[0].ports[0].containerPort: 99999999999 is not a valid int32\n");
}

TEST_CASE("structure: custom resources get their defaults first and have unique list maps") {
  const std::string queue =
      "apiVersion: kueue.x-k8s.io/v1beta2\nkind: ClusterQueue\nmetadata: {name: a}\nspec:\n";
  CHECK_EQ(problems_of(queue + "  cohort: x\n"),
           "spec.cohort: unknown field; did you mean cohortName?\n");
  CHECK_EQ(problems_of(queue + "  preemption: {withinClusterQueue: Always}\n").substr(0, 35),
           "spec.preemption.withinClusterQueue:");
  CHECK_EQ(
      problems_of("apiVersion: jobset.x-k8s.io/v1alpha2\nkind: JobSet\nmetadata: {name: a}\nspec:\n"
                  "  replicatedJobs:\n  - {name: a, template: {}}\n  - {name: a, template: {}}\n")
              .find("spec.replicatedJobs[1]: duplicate entry for name") != std::string::npos,
      true);
}

TEST_CASE("structure: apiVersion and kind say what to write instead") {
  CHECK_EQ(problems_of("apiVersion: apps/v2\nkind: Deployment\n"),
           "apiVersion: no schema for apps/v2 Deployment; this kind exists in apps/v1\n");
  CHECK_EQ(problems_of("kind: Pod\n"), "apiVersion: missing or not a string\n");
  CHECK_EQ(problems_of("apiVersion: v1\nkind: [Pod]\n"), "kind: missing or not a string\n");
  CHECK_EQ(problems_of("- a\n"), ".: not a mapping but array\n");
}

TEST_CASE("structure: files of other tools are known by name or by their keys") {
  CHECK_EQ(problems_of("resources: [a.yaml]\n", "x/kustomization.yaml"), "");
  CHECK_EQ(problems_of("resorces: [a.yaml]\n", "kustomization.yml"),
           "resorces: unknown field; did you mean resources?\n");
  CHECK_EQ(problems_of("queue: q\njobSetId: s\njobs: [{podSpecc: {}}]\n").substr(0, 16),
           "jobs[0].podSpecc");
}

TEST_CASE("structure: an embedded resource needs its apiVersion and kind, and has metadata") {
  Schema schema;
  schema.type = Type::kObject;
  schema.embedded_resource = true;
  const WalkOptions options{.custom = true, .object_meta = Catalog::builtin().object_meta()};
  const auto told = [&](const Json& value) {
    std::string text;
    walk(value, schema, options,
         [&text](const std::string& path, std::string_view, std::string message, std::string) {
           text += path + ": " + message + "\n";
         });
    return text;
  };
  CHECK_EQ(told({{"apiVersion", "v1"}, {"kind", "Pod"}, {"metadata", {{"name", "a"}}}}), "");
  CHECK_EQ(told({{"kind", "Pod"}, {"metadata", {{"nam", "a"}}}, {"spec", 1}}),
           "apiVersion: required field of an embedded object is missing\n"
           "metadata.nam: unknown field\nspec: unknown field\n");
}

TEST_CASE("structure: values that are no tree of a manifest never crash the check") {
  for (const char* kind : {"v1/Pod", "apps/v1/Deployment", "kueue.x-k8s.io/v1beta2/ClusterQueue",
                           "serving.kserve.io/v1beta1/InferenceService"}) {
    const std::string text = kind;
    const size_t slash = text.rfind('/');
    for (const char* value :
         {"null", "[]", "1", "x", "{a: {b: [1, {c: null}]}}", "[[[]]]", "-1.5e300"})
      for (const char* field : {"spec", "metadata", "status"})
        (void)problems_of(fmt::format("apiVersion: {}\nkind: {}\n{}: {}\n", text.substr(0, slash),
                                      text.substr(slash + 1), field, value));
  }
}
