// From the text of a spec to what is generated: the laws that hold for every template of specs.
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "core/base/file.hpp"
#include "core/platform/generate/explain/explain.hpp"
#include "core/platform/generate/explain/trace.hpp"
#include "core/platform/run/local/prepare.hpp"
#include "core/platform/spec/templates.hpp"
#include "core/value/yaml.hpp"
#include "tests/unit/plugins/renderers/spec_plan.hpp"
#include "tests/unit/plugins/renderers/written.hpp"

using namespace aictl;
using namespace aictl::platform;

namespace {

// The same tree with the keys of each mapping in another order.
Json shuffled(const Json& tree, std::mt19937& random) {
  if (tree.is_array()) {
    Json list = Json::array();
    for (const Json& item : tree) list.push_back(shuffled(item, random));
    return list;
  }
  if (!tree.is_object()) return tree;
  std::vector<std::string> keys;
  for (const auto& [key, value] : tree.items()) keys.push_back(key);
  std::shuffle(keys.begin(), keys.end(), random);
  Json made = Json::object();
  for (const std::string& key : keys) made[key] = shuffled(tree[key], random);
  return made;
}

// A machine on which every program, model and secret is there, and every port is free.
struct Everything {
  Everything() {
    std::filesystem::create_directories(scratch.path + "/bin");
    machine.ports = {[](int) { return true; }, [this] { return next_port++; },
                     [](int) { return std::string(); }};
    machine.environment = [this](std::string_view name) -> std::optional<std::string> {
      return name == "PATH" ? scratch.path + "/bin" : "something";
    };
    machine.own_program = scratch.path + "/bin/aictl";
    machine.model_file = [this](std::string_view) -> Result<std::filesystem::path> {
      return std::filesystem::path(scratch.path) / "model.gguf";
    };
    machine.secrets = scratch.path;
    program("aictl");
    REQUIRE(write_file_atomically(scratch.path + "/model.gguf", "GGUF").ok());
  }
  void program(const std::string& name) {
    const std::string file =
        scratch.path + "/bin/" + std::filesystem::path(name).filename().string();
    REQUIRE(write_file_atomically(file, "#!/bin/sh\n").ok());
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
  }
  test::Scratch scratch{"everything"};
  LocalMachine machine;
  int next_port = 20000;
};

// The words of the first container of the pods of workload `name`; empty when it has none.
std::vector<std::string> pod_words(const Generated& generated, const std::string& name) {
  for (const RenderedObject& each : generated.objects) {
    const Json& o = each.object;
    const std::string kind = o.value("kind", "");
    if ((kind != "Deployment" && kind != "StatefulSet" && kind != "Job") ||
        o["metadata"]["name"] != name)
      continue;
    const Json& container = o["spec"]["template"]["spec"]["containers"][0];
    std::vector<std::string> words;
    for (const char* key : {"command", "args"})
      if (container.contains(key))
        for (const Json& word : container[key]) words.push_back(word.get<std::string>());
    return words;
  }
  return {};
}

std::string because(const std::vector<Explanation>& list, const std::string& object,
                    const std::string& path) {
  for (const Explanation& each : list)
    if (each.object == object && each.path == path) return each.because;
  return "no " + object + " " + path;
}

}  // namespace

TEST_CASE("law: the words here are those in the pod, addresses and paths apart, of each template") {
  size_t compared = 0;
  for (const SpecTemplate& one : spec_templates()) {
    CAPTURE(one.name);
    const PlatformPlan plan = test::planned(one.text);
    Everything all;
    LocalRequest request{plan.platform.name, "aictl.yaml", "", plan.workloads, {}, {}, {}};
    for (const Workload& w : plan.workloads) {
      if (!w.service.empty()) request.services.push_back(w.service);
      if (const auto* word = w.argv.empty() ? nullptr : std::get_if<std::string>(&w.argv[0][0]))
        all.program(*word);
    }
    auto here = prepare(request, all.machine, StateFolder(all.scratch.path));
    REQUIRE_MESSAGE(here.ok(), (here.ok() ? "" : here.error().message));
    const Generated there = test::written_of(plan, {"kubernetes"});
    for (const Launch& launch : here->plan.launches) {
      CAPTURE(launch.name);
      const Workload* w = plan.workload(launch.workload);
      REQUIRE(w);
      const auto pod = pod_words(there, w->name);
      REQUIRE(pod.size() == launch.argv.size());
      REQUIRE(pod.size() == w->argv.size());
      for (size_t i = 0; i < pod.size(); ++i) {
        const bool refers = std::ranges::any_of(
            w->argv[i], [](const Piece& p) { return std::holds_alternative<Reference>(p); });
        if (!refers) CHECK(launch.argv[i] == pod[i]);
        if (refers) CHECK_FALSE(launch.argv[i].empty());
        if (refers) CHECK_FALSE(pod[i].empty());
      }
      ++compared;
    }
  }
  CHECK(compared >= 14);  // of seven templates
}

TEST_CASE("generate: the order of keys in a spec changes no byte of any target") {
  std::mt19937 random(7);
  for (const SpecTemplate& one : spec_templates()) {
    CAPTURE(one.name);
    auto tree = parse_yaml(one.text);
    REQUIRE(tree.ok());
    const std::string other = dump_yaml(shuffled(tree->tree, random));
    CHECK(other != one.text);
    const Generated a = test::written_of(test::planned(one.text), test::cluster_targets());
    const Generated b = test::written_of(test::planned(other), test::cluster_targets());
    CHECK(a.header == b.header);
    CHECK(test::stream_of(a) == test::stream_of(b));
    CHECK(a.files.size() == b.files.size());
    CHECK(a.notes == b.notes);
    CHECK(a.externals == b.externals);
  }
}

TEST_CASE("explain: each field names the line, measurement, formula or rule that made it") {
  const PlatformPlan plan = test::planned(
      "name: shop\n"                                                                // 1
      "namespace: ai\n"                                                             // 2
      "models:\n"                                                                   // 3
      "- source: hf://Qwen/Qwen2.5-7B-Instruct:v1\n"                                // 4
      "  shape: qwen2.5:7b:bf16\n"                                                  // 5
      "  engine: vllm\n"                                                            // 6
      "  replicas: 8\n"                                                             // 7
      "  concurrency: 8\n"                                                          // 8
      "  context: 32768\n"                                                          // 9
      "  image: example.com/vllm:1\n"                                               // 10
      "agents:\n"                                                                   // 11
      "- {name: worker, image: 'example.com/worker:2', memory: 32Gi, replicas: 2,"  // 12
      " env: {LIMIT: '32768'}}\n"
      "placement: {pools: [{name: gpu, nodes: 2, gpu: H100 SXM, gpus: 8,"  // 13
      " selector: {zone: a}}]}\n");
  Trace trace;
  const Generated generated = test::written_of(plan, {"kubernetes", "kueue"}, &trace);
  const auto list = explain(plan, generated, "/");
  const std::string pod = "spec/template/spec/", container = pod + "containers/0/";
  const std::string qwen = "Deployment/" + plan.models[0].workload;
  const auto says = [&](const std::string& object, const std::string& path) {
    return because(list, object, path);
  };
  const auto has = [&](const std::string& path, const std::string& words) {
    const std::string said = says(qwen, path);
    CHECK_MESSAGE(said.find(words) != std::string::npos, path << ": " << said);
  };
  // Both are 8 in the spec: the line is that of the field, and not of an equal value.
  has("spec/replicas", "aictl.yaml:7 (models[0].replicas)");
  has(container + "image", "aictl.yaml:10 (models[0].image)");
  has(pod + "nodeSelector/zone", "aictl.yaml:13 (placement.pools[0].selector.zone)");
  has(container + "resources/requests/memory", "GPU processes x 4 GiB");
  has(container + "resources/limits/memory", "GPU processes x 4 GiB");
  CHECK(says(qwen, container + "resources/limits/cpu") == "cpus 3 = 2 + 1 GPUs x 1");
  has(container + "startupProbe/failureThreshold", "startup ");
  has(container + "startupProbe/failureThreshold", " s = 2 x (120 s + ");
  CHECK(says(qwen, "metadata/namespace").find("aictl.yaml:2 (namespace)") == 0);
  CHECK(says(qwen, pod + "enableServiceLinks") == "written in templates/shared/pod.yaml.j2");
  const Workload& w = plan.workloads[0];
  const auto flag = [&](const std::string& name) {
    for (size_t i = 1; i + 1 < w.argv.size(); ++i)
      if (w.argv[i] == Word{name}) return container + "args/" + std::to_string(i);
    return "no " + name;
  };
  has(flag("--max-model-len"), "aictl.yaml:9 (models[0].context)");
  has(flag("--max-num-seqs"), "aictl.yaml:8 (models[0].concurrency)");
  has(flag("--tensor-parallel-size"), "the fewest GPUs that hold a replica: weights ");
  has(flag("--served-model-name"), "default of models[0].name");
  // What is equal elsewhere by chance is told apart.
  const std::string worker = "Deployment/worker";
  CHECK(says(worker, "spec/replicas") == "aictl.yaml:12 (agents[0].replicas)");
  CHECK(says(worker, container + "resources/requests/memory")
            .find("aictl.yaml:12 (agents[0].memory)") != std::string::npos);
  for (const Explanation& each : list) CHECK(each.because.find("equal to") == std::string::npos);
}

TEST_CASE("explain: what was generated without a trace is told to be equal, and no more") {
  const PlatformPlan plan = test::planned(
      "name: shop\nmodels: [{source: 'llama:8b', name: chat, engine: vllm, context: 12345}]\n"
      "placement: {pools: [{name: gpu, gpu: H100 SXM}]}\n");
  bool equal = false;
  for (const Explanation& each : explain(plan, test::written_of(plan, {"kubernetes"}), "args"))
    if (each.value == "chat") equal |= each.because.find("equal to aictl.yaml:2 (") == 0;
  CHECK(equal);
}
