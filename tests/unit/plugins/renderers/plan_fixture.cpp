#include "tests/unit/plugins/renderers/plan_fixture.hpp"

namespace aictl::test {
namespace {

using platform::ModelEngine;
using platform::ModelEntry;
using platform::PlannedModel;
using platform::Platform;
using platform::PlatformPlan;

constexpr uint64_t kGi = uint64_t{1} << 30;
using Kind = Reference::Kind;

Word ref(Kind kind, const char* target) { return {Reference{kind, target}}; }

void add_spec(Platform& p, bool wide) {
  p.name = "shop";
  p.space = "ai";
  p.file = "/somewhere/aictl.yaml";
  p.digest = "sha256:0123456789abcdef";
  ModelEntry qwen;
  qwen.name = "Qwen/Qwen2.5-7B-Instruct";
  qwen.source = "hf://Qwen/Qwen2.5-7B-Instruct";
  qwen.revision = "a09a35458c702b33eeacc393d103063234e8bc28";
  qwen.engine = ModelEngine::kVllm;
  qwen.replicas = 2;
  qwen.max_replicas = 4;
  qwen.secret = "hf-token";
  ModelEntry small;
  small.name = "small";
  small.source = "./models/small.gguf";
  p.models = {qwen, small};
  if (wide) {
    ModelEntry big;
    big.name = "big";
    big.source = "hf://org/big:v1";
    big.engine = ModelEngine::kVllm;
    p.models.push_back(big);
  }
  p.gateway.enabled = true;
  p.gateway.listeners = {{"http", 8080, "", ""}, {"https", 8443, "llm.example.com", "llm-tls"}};
  p.gateway.providers = {
      {"openai", "openai", "https://api.openai.com/v1", "openai-key", "apiKey", {"gpt-4o-mini"}}};
  p.gateway.routes = {
      {"qwen", {"Qwen/Qwen2.5-7B-Instruct", "openai"}, "least_loaded", 2, platform::Seconds{600}}};
  p.gateway.budget.tokens = 100000;
  p.gateway.budget.window = platform::Seconds{3600};
  p.state.enabled = true;
  p.events.enabled = true;
  p.events.broker = "kafka";
  p.events.topics = {{"ai.requests", 12, platform::Seconds{604800}},
                     {"ai.dead", 3, platform::Seconds{604800}}};
  p.queues = {{"batch", 8, 64, 512 * kGi, 10, "research"}};
  platform::Job job;
  job.name = "evaluate";
  job.queue = "batch";
  p.jobs = {job};
  platform::Agent agent;
  agent.name = "planner";
  agent.models = {"small"};
  agent.topics = {"ai.requests"};
  agent.state = true;
  p.agents = {agent};
  p.telemetry.enabled = true;
}

Topology gpu_node() {
  Topology t;
  for (int i = 0; i < 2; ++i) {
    topology::Object node;
    node.type = topology::ObjectType::kNuma;
    node.os_index = node.logical_index = i;
    node.bytes = 256 * kGi;
    for (int cpu = 0; cpu < 32; ++cpu) node.cpuset.set(32 * i + cpu);
    t.objects.push_back(node);
  }
  for (int i = 0; i < 64; ++i) {
    topology::Object pu;
    pu.type = topology::ObjectType::kPu;
    pu.os_index = pu.logical_index = i;
    t.objects.push_back(pu);
  }
  for (int i = 0; i < 8; ++i) {
    topology::Gpu gpu;
    gpu.nodeset.set(i / 4);
    gpu.index = i;
    gpu.vendor = "NVIDIA";
    gpu.model = "NVIDIA H200";
    gpu.memory_bytes = 141 * kGi;
    t.gpus.push_back(gpu);
  }
  return t;
}

Workload model_workload(const char* name, const char* model, const char* source, bool vllm) {
  Workload w;
  w.name = name;
  w.model = model;
  w.pool = "gpu";
  w.image = vllm ? "vllm/vllm-openai:v0.22.0" : "ghcr.io/aictl/aictl:0.1.0";
  if (!vllm) w.service = "inference";
  w.argv = vllm ? std::vector<Word>{{"vllm"}, {"serve"}, ref(Kind::kPath, "model")}
                : std::vector<Word>{{"aictl"}, {"serve"}, ref(Kind::kPath, "model")};
  w.argv.push_back({std::string(vllm ? "--port=" : "--listen="),
                    Reference{vllm ? Kind::kPort : Kind::kListen, "http"}});
  w.ports = {{"http", 8000}};
  w.environment = {{"HOME", {"/tmp"}, "", "", false}, {"TOKEN", {}, "hf-token", "HF_TOKEN", true}};
  w.resources = {vllm ? 8.0 : 4.0, 32 * kGi, 10 * kGi, vllm ? 1 : 0, vllm ? "NVIDIA-H200" : ""};
  Mount weights{"model", Mount::Kind::kModel, "/models", source, vllm ? "" : "small.gguf", "", {},
                16 * kGi};
  Mount shm{"shm", Mount::Kind::kMemory, "/dev/shm", "", "", "", {}, 2 * kGi};
  w.mounts = {weights, shm};
  w.startup = Probe{"/health", "http", 10, 5, 3};
  w.ready = Probe{"/health", "http", 5, 5, 2};
  w.live = Probe{"/health", "http", 10, 5, 6};
  w.startup_seconds = 600;
  w.why["resources.memory"] = "shm 2 GiB + 4 GiB a GPU + pinned buffers";
  return w;
}

Workload service(const char* name, Component component, const char* image, int port) {
  Workload w;
  w.name = name;
  w.component = component;
  w.image = image;
  w.ports = {{"http", port}};
  w.resources = {1, 512 << 20, 0, 0, ""};
  w.ready = w.live = w.startup = Probe{};
  w.argv = {{"aictl"}, {name}};
  return w;
}

void add_workloads(PlatformPlan& plan, bool wide) {
  Workload qwen =
      model_workload("qwen", "Qwen/Qwen2.5-7B-Instruct", "hf://Qwen/Qwen2.5-7B-Instruct", true);
  qwen.replicas = 2;
  qwen.max_replicas = 4;
  Workload small = model_workload("small", "small", "./models/small.gguf", false);
  Workload state = service("state", Component::kState, "ghcr.io/aictl/aictl:0.1.0", 8100);
  state.service = "state";
  state.mounts = {{"data", Mount::Kind::kState, "/data", "", "", "", {}, 10 * kGi}};
  Workload gateway = service("gateway", Component::kGateway, "ghcr.io/aictl/aictl:0.1.0", 8080);
  gateway.service = "gateway";
  gateway.replicas = gateway.max_replicas = 2;
  gateway.mounts = {
      {"config",
       Mount::Kind::kConfig,
       "/etc/aictl",
       "",
       "gateway.yaml",
       "",
       {std::string("upstream: \""), Reference{Kind::kUrl, "qwen"}, std::string("\"\nyes: no\n")},
       0}};
  gateway.needs = {"qwen", "small", "state"};
  Workload agent = service("planner", Component::kAgent, "ghcr.io/acme/planner:1.2", 8080);
  agent.environment = {{"SMALL_URL", ref(Kind::kUrl, "small"), "", "", false}};
  agent.argv = {{"python"}, {"-m"}, {"planner"}, {"$(HOME)"}};
  Workload job = service("evaluate", Component::kJob, "ghcr.io/acme/evaluate:1.0", 0);
  job.ports.clear();
  job.startup = job.ready = job.live = std::nullopt;
  job.restart = Restart::kNever;
  job.resources.gpus = 1;
  job.replicas = job.max_replicas = 3;
  plan.workloads = {qwen, small, state, gateway, agent, job};
  if (!wide) return;
  Workload big = model_workload("big", "big", "hf://org/big:v1", true);
  big.nodes = 2;
  big.resources.gpus = 8;
  plan.workloads.push_back(big);
}

}  // namespace

PlatformPlan example_plan(bool wide) {
  PlatformPlan plan;
  add_spec(plan.platform, wide);
  add_workloads(plan, wide);
  plan.pools.push_back(
      {"gpu", {{"nvidia.com/gpu.product", "NVIDIA-H200"}}, 2, gpu_node(), "node.xml"});
  plan.topology = plan.pools.front().topology;
  plan.topology_source = "node.xml";
  plan.topology_digest = "0011223344556677";
  for (size_t i = 0; i < plan.platform.models.size(); ++i) {
    PlannedModel model;
    model.entry = &plan.platform.models[i];
    model.workload = i == 0 ? "qwen" : i == 1 ? "small" : "big";
    model.pool = "gpu";
    model.gpus_per_node = i == 0 ? 1 : i == 1 ? 0 : 8;
    model.nodes = i == 2 ? 2 : 1;
    model.tensor = i == 2 ? 8 : 1;
    model.pipeline = i == 2 ? 2 : 1;
    model.context = 32768;
    model.sequences = 8;
    model.weight_bytes = 15'200'000'000;
    model.shm = 2 * kGi;
    model.memory = 32 * kGi;
    plan.models.push_back(model);
  }
  plan.externals = {{"Secret", "openai-key",
                     "kubectl create secret generic openai-key --from-literal=apiKey=KEY -n ai"},
                    {"Secret", "llm-tls", ""},
                    {"Secret", "hf-token", ""}};
  return plan;
}

}  // namespace aictl::test
