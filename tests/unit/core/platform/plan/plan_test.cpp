#include <algorithm>
#include <numeric>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/placement/model/families.hpp"
#include "core/platform/plan/machine.hpp"
#include "core/platform/plan/planner.hpp"
#include "core/platform/spec/read.hpp"
#include "core/platform/spec/templates.hpp"

using namespace aictl;
using namespace aictl::platform;

namespace {

Platform read(std::string_view text) {
  auto platform = read_platform(text, "aictl.yaml");
  REQUIRE_MESSAGE(platform.ok(), (platform.ok() ? "" : platform.error().message));
  return std::move(*platform);
}

// Plans with shapes alone, on the spec's own pools, or on 8 cores and 16 GiB.
Result<PlatformPlan> plan(Platform platform, bool gpu_backend = false) {
  PlanInputs inputs;
  inputs.gpu_backend = gpu_backend;
  inputs.inspect = [](const ModelEntry& m) {
    return placement::known_shape(m.shape.empty() ? m.source : m.shape,
                                  m.quantisation.empty() ? "BF16" : m.quantisation);
  };
  std::vector<NodePool> pools = platform.placement.pools;
  if (pools.empty()) {
    pools.emplace_back();
    pools.back().name = "default", pools.back().cpus = 8, pools.back().memory = uint64_t{16} << 30;
  }
  for (const NodePool& pool : pools) {
    auto machine = described_machine(pool);
    REQUIRE(machine.ok());
    inputs.pools.push_back(
        {pool.name, pool.selector, pool.nodes, *machine, machine_words(*machine)});
  }
  return plan_platform(std::move(platform), inputs);
}

PlatformPlan planned(std::string_view text) {
  auto made = plan(read(text));
  REQUIRE_MESSAGE(made.ok(), (made.ok() ? "" : made.error().message));
  return std::move(*made);
}

std::string refusal(std::string_view text) {
  auto made = plan(read(text));
  REQUIRE_FALSE(made.ok());
  CHECK(made.error().code == ErrorCode::kDataRefused);
  CHECK_FALSE(made.error().hint.empty());
  return made.error().message;
}

class Book final : public AddressBook {
 public:
  std::string resolve(const Workload&, const Reference& r) const override {
    const char* kinds[] = {"listen", "host", "port", "url", "path"};
    return fmt::format("<{} {}>", kinds[size_t(r.kind)], r.target);
  }
};

std::string command_line(const Workload& w) {
  std::string line;
  for (const Word& word : w.argv) line += (line.empty() ? "" : " ") + spell(word, w, Book());
  return line;
}

constexpr std::string_view kQwen =
    "name: d\n"
    "models: [{source: hf://Qwen/Qwen2.5-7B-Instruct, shape: qwen2.5:7b:bf16, engine: vllm,\n"
    "  context: 32768, concurrency: 16}]\n"
    "placement: {pools: [{name: gpu, gpu: H100 SXM, gpus: 8}]}\n";

}  // namespace

TEST_CASE(
    "plan: Qwen2.5-7B takes 57,344 B a token, 1.75 GiB for 32,768 tokens, 15.2 GB of weights") {
  const PlatformPlan p = planned(kQwen);
  REQUIRE(p.models.size() == 1);
  const PlannedModel& m = p.models[0];
  CHECK(m.kv_bytes_per_token == 57'344);
  CHECK(m.kv_bytes_per_token * 32'768 == (uint64_t{7} << 28));  // 1.75 GiB
  CHECK(double(m.weight_bytes) == doctest::Approx(15.2e9).epsilon(0.005));
  CHECK(m.context == 32768);
  CHECK(m.sequences == 16);
  CHECK(m.tensor == 1);
  CHECK(m.pipeline == 1);
  CHECK(m.gpus_per_node == 1);
  CHECK(m.cpus == 3);  // 2 + 1 a GPU
  CHECK(m.shm == 0);
  CHECK(m.memory == uint64_t{4} << 30);  // 4 GiB a GPU process
  // 2 x (120 s + 15.23 GB / 1 GB/s)
  CHECK(m.startup_seconds == 271);
  CHECK(std::ranges::any_of(m.arithmetic, [](const std::string& line) {
    return line == "kv 57344 B/token x 32768 tokens = 1.75 GiB a sequence";
  }));
}

TEST_CASE("plan: the command line of vllm has what was worked out, and references for the rest") {
  const PlatformPlan p = planned(kQwen);
  const Workload& w = p.workloads[0];
  CHECK(w.name == "qwen2-5-7b-instruct");
  CHECK(command_line(w) ==
        "vllm serve <path model> --served-model-name qwen2-5-7b-instruct --host <host http> "
        "--port <port http> --tensor-parallel-size 1 --max-model-len 32768 --max-num-seqs 16 "
        "--gpu-memory-utilization 0.90 --shutdown-timeout 60 "
        "--disable-access-log-for-endpoints /health,/metrics");
  CHECK(w.service.empty());
  CHECK(w.resources.gpus == 1);
  CHECK(w.startup->failures * w.startup->period >= w.startup_seconds);
  CHECK(w.why.at("startup_seconds").find("2 x (120 s") != std::string::npos);
  CHECK(w.why.at("argv.--max-model-len").starts_with("models[0].context of the spec"));
  CHECK(w.pool == "gpu");
}

TEST_CASE("plan: aictl serves on cores, with threads and the memory of its cache") {
  const PlatformPlan p = planned("name: d\nmodels: [{source: 'llama:1b:q4_k_m', name: small}]\n");
  const PlannedModel& m = p.models[0];
  CHECK(m.cpu);
  CHECK(m.cpus == 7);  // one core stays free
  CHECK(m.context == 8192);
  const Workload& w = p.workloads[0];
  CHECK(w.service == "inference");
  CHECK(command_line(w) ==
        fmt::format("aictl serve <path model> --address <listen http> --name small --context 8192 "
                    "--concurrency 8 --kv-memory {} --backend cpu --threads 7 --drain-timeout 60s "
                    "--insecure",
                    "2Gi"));
  CHECK(m.kv_memory == uint64_t{2} << 30);  // 8 x 8192 x 2 x 16 x 8 x 64 x 2 B
  CHECK(m.memory > m.weight_bytes + m.kv_memory);
  CHECK(p.notes.size() == 1);  // a shape is no weights
}

TEST_CASE("plan: a model that one GPU does not hold is cut over as few as do") {
  const PlatformPlan p = planned(
      "name: d\nmodels: [{source: hf://m/l, shape: llama:70b:bf16, engine: vllm}]\n"
      "placement: {pools: [{name: gpu, gpu: H100 SXM, gpus: 8}]}\n");
  const PlannedModel& m = p.models[0];
  CHECK(m.tensor * m.pipeline > 1);
  CHECK(m.nodes == 1);
  CHECK(m.gpus_per_node == m.tensor * m.pipeline);
  CHECK(m.shm == (uint64_t(1 + m.gpus_per_node) << 30));
  CHECK(m.memory == m.shm + (uint64_t(4 * m.gpus_per_node) << 30));
  CHECK(m.cpus == 2 + m.gpus_per_node);
  const auto& mounts = p.workloads[0].mounts;
  CHECK(std::ranges::any_of(mounts, [](const Mount& x) { return x.path == "/dev/shm"; }));
}

TEST_CASE("plan: a model that one node does not hold spans nodes, one stage each") {
  const PlatformPlan p = planned(
      "name: d\nmodels: [{source: hf://m/l, shape: llama:405b:bf16, engine: vllm, concurrency: "
      "4}]\n"
      "placement: {pools: [{name: gpu, gpu: H100 SXM, gpus: 8, nodes: 4}]}\n");
  const PlannedModel& m = p.models[0];
  CHECK(m.nodes == 2);
  CHECK(m.tensor == 8);
  CHECK(m.pipeline == 2);
  CHECK(m.gpus_per_node == 8);
  CHECK(p.workloads[0].nodes == 2);
}

TEST_CASE("plan: what cannot fit is refused with the arithmetic") {
  const std::string big = refusal(
      "name: d\nmodels: [{source: hf://m/l, shape: llama:70b:bf16, engine: vllm}]\n"
      "placement: {pools: [{name: gpu, gpu: L4, gpus: 1}]}\n");
  CHECK(big.starts_with("aictl.yaml:2:"));
  CHECK(big.find("1 x L4") != std::string::npos);
  CHECK(big.find("\n  weights ") != std::string::npos);
  CHECK(big.find("> usable") != std::string::npos);
  const std::string many = refusal(
      "name: d\nmodels: [{source: hf://m/l, shape: llama:8b:bf16, engine: vllm, replicas: 1000}]\n"
      "placement: {pools: [{name: gpu, gpu: H100 SXM, gpus: 8, nodes: 2}]}\n");
  CHECK(many.find("16 of 1000 replicas find room in gpu (2 nodes)") != std::string::npos);
  CHECK(many.find("1000 x 1 GPU (l) = 1000 GPUs; there are 2 nodes x 8 = 16") != std::string::npos);
  CHECK(refusal("name: d\nmodels: [{source: hf://m/l, shape: llama:8b, engine: vllm}]\n")
            .find("no GPU that can be used") != std::string::npos);
  CHECK(refusal("name: d\nmodels: [{source: 'llama:1b', context: 200000}]\n")
            .find("context 200000 is over the 131072 tokens") != std::string::npos);
  CHECK(refusal("name: d\nmodels: [{source: 'llama:70b:q8_0'}]\n").find("> usable") !=
        std::string::npos);
  CHECK(refusal("name: d\nmodels: [{source: 'llama:1b', cpus: 9}]\n").find("a node of default") !=
        std::string::npos);
  CHECK(refusal("name: d\nmodels: ['llama:1b']\njobs: [{name: j, command: [x], gpus: 2}]\n")
            .find("2 GPUs, and no node has more than 0") != std::string::npos);
}

TEST_CASE("plan: no replicas are planned as well, so that they can be scaled") {
  const PlatformPlan p = planned("name: d\nmodels: [{source: 'llama:1b', replicas: 0}]\n");
  CHECK(p.workloads[0].replicas == 0);
  CHECK(p.models[0].cpus == 7);
}

TEST_CASE("plan: replicas fill nodes, and a group larger than what is left of each has no room") {
  // Three groups of four on two nodes of six: the sum is there, the nodes are not.
  const std::string message = refusal(
      "name: d\nmodels: [{source: hf://m/l, shape: llama:70b:bf16, engine: vllm, replicas: 3,\n"
      "  tensor_parallel: 4}]\n"
      "placement: {pools: [{name: gpu, gpu: H100 SXM, gpus: 6, nodes: 2}]}\n");
  CHECK(message.find("2 of 3 replicas find room") != std::string::npos);
}

TEST_CASE("plan: a model goes to its pool, or to the first that has room") {
  const PlatformPlan p = planned(
      "name: d\nmodels:\n- {source: hf://m/a, shape: llama:8b, engine: vllm, replicas: 2}\n"
      "- {source: hf://m/b, shape: llama:8b, engine: vllm}\n"
      "- {source: hf://m/c, shape: llama:8b, engine: vllm, pool: two}\n"
      "- {source: 'llama:1b', name: cores}\n"
      "placement: {pools: [{name: one, gpu: H100 SXM, gpus: 2}, {name: two, gpu: L40S, gpus: "
      "2}]}\n");
  CHECK(p.models[0].pool == "one");
  CHECK(p.models[1].pool == "two");
  CHECK(p.models[2].pool == "two");
  CHECK(p.models[3].cpu);
  CHECK(p.pools.size() == 2);
}

TEST_CASE("plan: workloads come after what they need") {
  const PlatformPlan p = planned(
      "name: d\nmodels: [{source: 'llama:1b', name: b, needs: [a]}, {source: 'smollm2:135m', "
      "name: a}]\ngateway:\nstate:\nevents: {topics: [t]}\n"
      "agents: [{name: helper, command: [run], models: [a], state: true, topics: [t]}]\n"
      "jobs: [{name: nightly, command: [go], model: b, needs: [helper]}]\n");
  std::vector<std::string> names;
  for (const Workload& w : p.workloads) names.push_back(w.name);
  CHECK(names ==
        std::vector<std::string>{"a", "b", "state", "events", "gateway", "helper", "nightly"});
  for (size_t i = 0; i < p.workloads.size(); ++i)
    for (const std::string& need : p.workloads[i].needs) {
      const auto at = std::ranges::find(names, need);
      REQUIRE(at != names.end());
      CHECK(size_t(at - names.begin()) < i);
    }
  const Workload& helper = *p.workload("helper");
  const auto value = [&](std::string_view name) {
    for (const EnvironmentVariable& v : helper.environment)
      if (v.name == name) return spell(v.value, helper, Book());
    return std::string();
  };
  CHECK(value("OPENAI_BASE_URL") == "<url gateway>/v1");
  CHECK(value("AICTL_STATE_URL") == "<url state>");
  CHECK(value("AICTL_EVENTS_URL") == "<url events>");
  CHECK(p.workload("gateway")->service == "gateway");
  CHECK(p.workload("state")->service == "state");
  const Mount& config = p.workload("gateway")->mounts.front();
  CHECK(spell(config.content, *p.workload("gateway"), Book()).find("url: \"<url a>\"") !=
        std::string::npos);
}

TEST_CASE("plan: every reference of a workload is to something it or its platform has") {
  for (const SpecTemplate& one : spec_templates()) {
    INFO(one.name);
    const PlatformPlan p = planned(one.text);
    for (const Workload& w : p.workloads) {
      const auto check = [&](const Word& word) {
        for (const Piece& piece : word) {
          const auto* r = std::get_if<Reference>(&piece);
          if (!r) continue;
          const bool there =
              r->kind == Reference::Kind::kUrl ? p.workload(r->target) != nullptr
              : r->kind == Reference::Kind::kPath
                  ? std::ranges::any_of(w.mounts,
                                        [&](const Mount& m) { return m.name == r->target; })
                  : std::ranges::any_of(w.ports,
                                        [&](const Port& x) { return x.name == r->target; });
          CHECK_MESSAGE(there, w.name, " ", r->target);
        }
      };
      for (const Word& word : w.argv) check(word);
      for (const EnvironmentVariable& v : w.environment) check(v.value);
      for (const Mount& m : w.mounts) check(m.content);
    }
  }
}

TEST_CASE("plan: every template is read and planned, and says what has to be there") {
  CHECK(spec_templates().size() == 7);
  for (const SpecTemplate& one : spec_templates()) {
    INFO(one.name);
    const PlatformPlan p = planned(one.text);
    CHECK(p.platform.name == one.name);
    CHECK(p.workloads.size() >= p.platform.models.size());
    CHECK_FALSE(one.summary().empty());
    for (const Workload& w : p.workloads)
      for (const EnvironmentVariable& v : w.environment)
        if (!v.secret.empty())
          CHECK(std::ranges::any_of(p.externals,
                                    [&](const External& e) { return e.name == v.secret; }));
  }
  CHECK(find_spec_template("gpu-nod").error().hint == "did you mean 'gpu-node'?");
}

TEST_CASE("machine: words become sockets, cores, memory and linked GPUs") {
  NodePool pool;
  pool.name = "p", pool.gpu = "H100 SXM", pool.gpus = 8;
  auto machine = described_machine(pool);
  REQUIRE(machine.ok());
  CHECK(machine->gpus.size() == 8);
  CHECK(machine->links.size() == 28);
  CHECK(machine->links[0].level == topology::Level::kNv);
  CHECK(topology::objects_of(*machine, topology::ObjectType::kNuma).size() == 2);
  CHECK(topology::objects_of(*machine, topology::ObjectType::kCore).size() == 72);
  CHECK(topology::host_memory(*machine).value() >= uint64_t(2 * 8 * 80e9));
  pool.gpu.clear(), pool.gpus = 0, pool.cpus = 3, pool.sockets = 8;
  machine = described_machine(pool);
  REQUIRE(machine.ok());
  CHECK(topology::objects_of(*machine, topology::ObjectType::kPackage).size() == 3);
}
