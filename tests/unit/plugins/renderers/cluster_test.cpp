#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>

#include "core/base/file.hpp"
#include "core/manifest/validate/validate.hpp"
#include "core/value/yaml.hpp"
#include "tests/unit/plugins/renderers/plan_fixture.hpp"
#include "tests/unit/plugins/renderers/written.hpp"

using namespace aictl;

namespace {

struct Wanted {
  const char* target;
  std::set<std::string> kinds;
};

// What each target must hold, by the platform that has everything.
const Wanted kWanted[] = {
    {"kubernetes",
     {"Namespace", "Role", "RoleBinding", "ServiceAccount", "PersistentVolumeClaim", "Deployment",
      "StatefulSet", "Service", "DaemonSet", "Job", "PodDisruptionBudget", "ScaledObject",
      "NetworkPolicy", "PriorityClass", "PodMonitor", "ConfigMap"}},
    {"kserve", {"ServingRuntime", "InferenceService"}},
    {"kueue",
     {"Topology", "ResourceFlavor", "ClusterQueue", "LocalQueue", "WorkloadPriorityClass"}},
    {"topology", {"ResourceClaimTemplate", "NodeFeatureRule", "NodeResourceTopology"}},
    {"monitoring", {"PrometheusRule", "PodMonitor", "ConfigMap"}},
    {"opentelemetry", {"OpenTelemetryCollector", "Instrumentation", "ClusterRole"}},
    {"envoy-ai-gateway",
     {"GatewayClass", "Gateway", "AIGatewayRoute", "AIServiceBackend", "Backend",
      "BackendSecurityPolicy", "BackendTLSPolicy", "BackendTrafficPolicy", "Certificate"}},
    {"inference-extension", {"InferencePool", "Deployment", "Service", "Role", "ConfigMap"}},
    {"dapr", {"Component", "Subscription", "Resiliency", "Configuration"}},
    {"knative", {"Service", "Broker", "Trigger", "KafkaSource"}},
    {"strimzi", {"KafkaNodePool", "Kafka", "KafkaTopic", "KafkaUser", "KafkaRebalance"}},
    {"vitess", {"VitessCluster", "PodMonitor"}},
    {"rook", {"CephCluster", "CephFilesystem", "StorageClass", "PersistentVolumeClaim"}},
    {"kuberay", {"RayService", "RayJob"}},
    {"volcano", {"Queue", "HyperNode", "Job", "PodGroup"}},
    {"armada", {}},
    {"leaderworkerset", {"LeaderWorkerSet", "Service"}},
    {"jobset", {"JobSet", "Service"}},
};

size_t text_files(const platform::Generated& generated) {
  size_t documents = 0;
  for (const RenderedFile& file : generated.files) {
    documents += file.path.ends_with(".yaml") ? 1 : 0;
    for (size_t at = 0; (at = file.content.find("\n---\n", at)) != std::string::npos; ++at)
      ++documents;
  }
  return documents;
}

bool is_wide(const std::string& target) {
  return target == "leaderworkerset" || target == "jobset";
}

}  // namespace

TEST_CASE("renderers: what each target writes is clean under the strict checker") {
  for (const Wanted& each : kWanted) {
    CAPTURE(each.target);
    const auto generated = test::written(test::example_plan(is_wide(each.target)), {each.target});
    const std::string text = test::stream_of(generated);
    if (const char* folder = std::getenv("AICTL_DUMP"))
      CHECK(write_file_atomically(
                std::filesystem::path(folder) / (std::string(each.target) + ".yaml"), text)
                .ok());
    CHECK(test::complaints(text, generated.externals) == "");
    manifest::Validator validator({.references = true, .external = generated.externals});
    validator.add(text, each.target);
    const manifest::Outcome outcome = std::move(validator).finish();
    for (const manifest::Problem& problem : outcome.problems)
      FAIL_CHECK(manifest::text_line(problem));
    CHECK(outcome.documents == generated.objects.size() + text_files(generated));
  }
}

TEST_CASE("renderers: each target holds the kinds it is for") {
  for (const Wanted& each : kWanted) {
    CAPTURE(each.target);
    std::set<std::string> kinds;
    const auto generated = test::written(test::example_plan(is_wide(each.target)), {each.target});
    for (const RenderedObject& object : generated.objects)
      kinds.insert(object.object.value("kind", ""));
    for (const std::string& kind : each.kinds) {
      CAPTURE(kind);
      CHECK(kinds.contains(kind));
    }
  }
}

TEST_CASE("renderers: many targets together make one clean set of objects") {
  const std::vector<std::string> targets = {
      "kueue",   "monitoring", "opentelemetry",  "dapr", "envoy-ai-gateway", "inference-extension",
      "strimzi", "rook",       "leaderworkerset"};
  const auto generated = test::written(test::example_plan(true), targets);
  CHECK(test::complaints(test::stream_of(generated), generated.externals) == "");
}

TEST_CASE("renderers: the order in which targets are named changes no byte") {
  const auto one = test::written(test::example_plan(), {"kueue", "monitoring", "dapr"});
  const auto two =
      test::written(test::example_plan(), {"dapr", "kubernetes", "kueue", "monitoring"});
  CHECK(test::stream_of(one) == test::stream_of(two));
}

TEST_CASE("renderers: time zone, locale and folder change no byte") {
  const std::string before = test::stream_of(test::written(test::example_plan(), {"kubernetes"}));
  const auto folder = std::filesystem::current_path();
  setenv("TZ", "Pacific/Kiritimati", 1);
  setlocale(LC_ALL, "C.UTF-8");
  std::filesystem::current_path("/");
  const std::string after = test::stream_of(test::written(test::example_plan(), {"kubernetes"}));
  std::filesystem::current_path(folder);
  unsetenv("TZ");
  setlocale(LC_ALL, "C");
  CHECK(before == after);
}

TEST_CASE("renderers: a model of several nodes asks for a target that starts them together") {
  auto generated = platform::generate(test::example_plan(true), test::renderers().renderers,
                                      {{"kubernetes"}, "", "0.1.0"});
  REQUIRE(!generated);
  CHECK(generated.error().code == ErrorCode::kUnsupported);
  CHECK(generated.error().message.find("'big' spans 2 nodes") != std::string::npos);
}

TEST_CASE("renderers: a knob of the spec that is not there, or of another kind, is refused") {
  auto plan = test::example_plan();
  plan.platform.targets["kueue"] = {{"level", Json::array()}};
  auto generated = platform::generate(plan, test::renderers().renderers, {{"kueue"}, "", "0.1.0"});
  REQUIRE(!generated);
  CHECK(generated.error().message.find("targets.kueue.level") != std::string::npos);
  CHECK(generated.error().hint.find("levels") != std::string::npos);
  plan.platform.targets["kueue"] = {{"levels", "one"}};
  CHECK(!platform::generate(plan, test::renderers().renderers, {{"kueue"}, "", "0.1.0"}));
}

TEST_CASE("renderers: a comment in a template stands beside its field, and the text is literal") {
  const auto generated = test::written(test::example_plan(), {"kubernetes"});
  const std::string text = test::stream_of(generated);
  CHECK(text.find("memory: 32Gi  # shm 2 GiB + 4 GiB a GPU + pinned buffers") != std::string::npos);
  CHECK(text.find("$$(HOME)") != std::string::npos);  // a kubelet would expand $(HOME)
  CHECK(text.find("upstream: \"http://qwen.ai.svc:8000\"") != std::string::npos);
}

TEST_CASE(
    "renderers: a template of the user's stands in for one of ours, and its faults are named") {
  const test::Scratch scratch("templates");
  const std::string file = scratch.path + "/kubernetes/40-agent.yaml.j2";
  REQUIRE(write_file_atomically(file, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: mine\n")
              .ok());
  auto generated = platform::generate(test::example_plan(), test::renderers().renderers,
                                      {{"kubernetes"}, scratch.path, "0.1.0"});
  REQUIRE(generated);
  const std::string text = test::stream_of(*generated);
  CHECK(text.find("name: mine") != std::string::npos);
  CHECK(text.find("kind: DaemonSet") == std::string::npos);
  REQUIRE(write_file_atomically(file, "a: 1\nb: {{ absent }}\n").ok());
  generated = platform::generate(test::example_plan(), test::renderers().renderers,
                                 {{"kubernetes"}, scratch.path, "0.1.0"});
  REQUIRE(!generated);
  CHECK(generated.error().message.find("40-agent.yaml.j2") != std::string::npos);
  CHECK(generated.error().message.find("line 2") != std::string::npos);
}

TEST_CASE("renderers: what waits in a queue of Kueue never takes more than the queue has") {
  auto plan = test::example_plan();
  plan.platform.queues = {{"small", 3, 0, 0, 0, ""}};
  plan.platform.jobs[0].queue = "small";
  const auto generated = test::written(plan, {"kueue"});
  std::map<std::string, int64_t> quota, taken;
  for (const RenderedObject& each : generated.objects) {
    const Json& object = each.object;
    if (object["kind"] != "ClusterQueue") continue;
    const auto name = object["metadata"]["name"].get<std::string>();
    for (const Json& flavor : object["spec"]["resourceGroups"][0]["flavors"])
      for (const Json& resource : flavor["resources"])
        if (resource["name"] == "nvidia.com/gpu")
          quota[name] += std::stoll(resource["nominalQuota"].get<std::string>());
  }
  for (const RenderedObject& each : generated.objects) {
    const Json& labels = each.object["metadata"]["labels"];
    if (!labels.contains("kueue.x-k8s.io/queue-name")) continue;
    const auto queue = "shop-" + labels["kueue.x-k8s.io/queue-name"].get<std::string>();
    CAPTURE(queue);
    REQUIRE(quota.contains(queue));
    const Workload* w = plan.workload(each.object["metadata"]["name"].get<std::string>());
    if (w) taken[queue] += int64_t{w->resources.gpus} * w->nodes * w->max_replicas;
  }
  CHECK(taken == std::map<std::string, int64_t>{{"shop-shop-serving", 4}, {"shop-small", 3}});
  for (const auto& [queue, gpus] : taken) CHECK(gpus <= quota[queue]);

  plan.platform.queues[0].gpus = 2;
  for (const char* target : {"kueue", "volcano"}) {
    const auto refused =
        platform::generate(plan, test::renderers().renderers, {{target}, "", "0.1.0"});
    REQUIRE(!refused);
    CHECK(refused.error().message.find("job 'evaluate' takes 3 x 1 GPUs = 3 at once, and its queue "
                                       "'small' has 2") != std::string::npos);
  }
}

TEST_CASE("renderers: an object of a template whose names are no text is refused by its place") {
  const test::Scratch scratch("names");
  const std::string file = scratch.path + "/kubernetes/40-agent.yaml.j2";
  const std::pair<const char*, const char*> cases[] = {
      {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 5}\n", "ConfigMap/5: metadata.name is 5"},
      {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: no}\n", "metadata.name is false"},
      {"apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n", "metadata.name is missing"},
      {"apiVersion: v1\nkind: ConfigMap\n", "metadata is missing"},
      {"apiVersion: 1\nkind: ConfigMap\nmetadata: {name: a}\n", "apiVersion is 1"},
      {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: 7}\n",
       "metadata.namespace is 7"},
      {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {b: 1}}\n",
       "metadata.labels.b is 1"},
      {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: [b]}\n",
       "metadata.annotations is"},
      {"[a]\n", "not an object"}};
  for (const auto& each : cases) {
    const std::string text = each.first, said = each.second;
    CAPTURE(text);
    REQUIRE(write_file_atomically(file, text).ok());
    const auto generated = platform::generate(test::example_plan(), test::renderers().renderers,
                                              {{"kubernetes"}, scratch.path, "0.1.0"});
    REQUIRE(!generated);
    CHECK(generated.error().code == ErrorCode::kDataRefused);
    CHECK(generated.error().message.find("40-agent.yaml.j2") != std::string::npos);
    CHECK(generated.error().message.find(said) != std::string::npos);
  }
}
