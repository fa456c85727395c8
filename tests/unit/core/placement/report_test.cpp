// Commands and wishes: what is pasted into a shell, and what people write after flags.
#include <doctest/doctest.h>

#include "core/placement/plan/wishes.hpp"
#include "core/placement/report/commands.hpp"

using namespace aictl;
using namespace aictl::placement;

namespace {

ModelPlan placed(bool cpu) {
  ModelPlan plan;
  plan.shape.name = "llama:8b";
  plan.shape.source = "table";
  plan.shape.quant = "BF16";
  Option option;
  option.cpu = cpu;
  option.cut = {2, 1};
  option.load = {4096, 3, 2};
  plan.chosen = option;
  Replica replica;
  if (!cpu) replica.gpus = {0, 3}, replica.uuids = {"GPU-aa", "GPU-bb"};
  replica.cpus = *topology::Bitset::parse_list("0-2,8-10");
  replica.nodes.set(0);
  replica.cores = 3;
  plan.replicas = {replica};
  return plan;
}

}  // namespace

TEST_CASE("commands: a replica on GPUs is bound to devices, cores and memory") {
  PlanRequest request;
  request.engine = Engine::kVllm;
  const Commands c = commands(placed(false), 0, 1, request);
  CHECK_EQ(c.environment, "CUDA_VISIBLE_DEVICES=GPU-aa,GPU-bb");
  CHECK_EQ(c.numactl, "numactl --physcpubind=0-2,8-10 --membind=0");
  CHECK_EQ(c.cpuset, "--cpuset-cpus=0-2,8-10 --cpuset-mems=0");
  CHECK_EQ(c.run,
           "CUDA_VISIBLE_DEVICES=GPU-aa,GPU-bb numactl --physcpubind=0-2,8-10 --membind=0 vllm "
           "serve meta-llama/Llama-3.1-8B-Instruct --port 8001 --tensor-parallel-size 2 "
           "--max-model-len 4096 "
           "--max-num-seqs 3 --gpu-memory-utilization 0.90");
}

TEST_CASE("commands: a replica on CPUs gets threads and no devices") {
  PlanRequest request;
  request.engine = Engine::kAictl;
  const Commands c = commands(placed(true), 0, 0, request);
  CHECK_EQ(c.environment, "");
  CHECK_EQ(
      c.run,
      "numactl --physcpubind=0-2,8-10 --membind=0 aictl serve \"${MODEL:?a GGUF file of "
      "llama:8b as BF16}\" --address 127.0.0.1:8000 --context 4096 --concurrency 3 --threads 3");
}

TEST_CASE("commands: a pin that does not help is left out") {
  ModelPlan plan = placed(true);
  plan.replicas[0].pin = false;
  const Commands c = commands(plan, 0, 0, {});
  CHECK_EQ(c.numactl, "");
  CHECK_EQ(c.cpuset, "");
}

TEST_CASE("commands: GPUs that no backend of aictl drives get another engine's command") {
  PlanRequest request;
  request.engine = Engine::kAictl;
  ModelPlan plan = placed(false);
  plan.chosen->device.vendor = "AMD";
  plan.replicas[0].uuids = {"4", "5"};  // as ROCm counts them
  const Commands c = commands(plan, 0, 0, request);
  CHECK_EQ(c.aictl, "");
  CHECK(c.run.starts_with("ROCR_VISIBLE_DEVICES=4,5 numactl "));
  CHECK(c.run.ends_with(c.vllm));
  const auto notes = before_commands(plan, request);
  REQUIRE_EQ(notes.size(), 1);
  CHECK(notes[0].find("no backend for GPUs of AMD") != std::string::npos);
  plan.chosen->device.vendor = "NVIDIA";
  CHECK(commands(plan, 0, 0, request).run.ends_with(" --backend cuda"));
  request.backends = {"cpu", "cuda"};
  CHECK(before_commands(plan, request).empty());
  request.backends = {"cpu"};
  CHECK_EQ(before_commands(plan, request).size(), 1);
}

TEST_CASE("commands: a replica over hosts is vLLM's, and says how the hosts are joined") {
  ModelPlan plan = placed(false);
  plan.chosen->span = 2;
  plan.chosen->cut = {2, 2};
  PlanRequest request;
  const Commands c = commands(plan, 0, 0, request);
  CHECK_EQ(c.aictl, "");
  CHECK_EQ(c.llama_cpp, "");
  CHECK(c.vllm.find(" --distributed-executor-backend ray") != std::string::npos);
  REQUIRE_EQ(before_commands(plan, request).size(), 1);
  CHECK(before_commands(plan, request)[0].find("ray start --head") != std::string::npos);
}

TEST_CASE("references: each engine is told a model it can read") {
  ModelShape shape;
  shape.name = "Llama:8B:q8_0";
  shape.source = "table";
  shape.quant = "Q8_0";
  CHECK_EQ(model_word(shape, Engine::kVllm), "\"${MODEL:?a GGUF file of llama:8b as Q8_0}\"");
  CHECK_EQ(model_word(shape, Engine::kAictl), model_word(shape, Engine::kVllm));
  CHECK_FALSE(reads_on_cpu(shape, Engine::kVllm));
  shape.quant = "FP8";
  CHECK_EQ(model_word(shape, Engine::kVllm), "meta-llama/Llama-3.1-8B-Instruct");
  CHECK_EQ(vllm_weight_flags(shape), " --quantization fp8");
  CHECK_EQ(shape_of_repository("meta-llama/Llama-3.1-8B-Instruct").first, "llama:8b");
  CHECK_EQ(shape_of_repository("deepseek-ai/DeepSeek-V3").second, "FP8");
  CHECK_EQ(shape_of_repository("nobody/nothing").first, "");
  shape.name = "deepseek-v3:671b";
  CHECK_EQ(vllm_weight_flags(shape), "");  // is stored so
  shape.source = "safetensors";
  shape.path = "/m/x/model-00001.safetensors";
  CHECK_EQ(model_word(shape, Engine::kVllm), "/m/x");
  CHECK_EQ(model_word(shape, Engine::kLlamaCpp), "");  // no FP8 in GGUF
  shape.quant = "BF16";
  CHECK(model_word(shape, Engine::kLlamaCpp).starts_with("\"${MODEL:?a GGUF file of "));
  shape.source = "config";  // weights that are not there
  shape.name = "$(reboot)`}\"";
  CHECK_EQ(model_word(shape, Engine::kVllm),
           "\"${MODEL:?a folder or repository of reboot as BF16}\"");
  shape.source = "gguf";
  shape.path = "/m/a b.gguf";
  for (const Engine engine : {Engine::kAictl, Engine::kVllm, Engine::kLlamaCpp})
    CHECK_EQ(model_word(shape, engine), "'/m/a b.gguf'");
}

TEST_CASE("commands: what a dump calls a GPU cannot leave its word") {
  ModelPlan plan = placed(false);
  plan.replicas[0].uuids = {"GPU-aa", "x'; rm -rf /; '"};
  plan.shape.path = "/models/my model.gguf";
  plan.shape.source = "gguf";
  const Commands c = commands(plan, 0, 0, {});
  CHECK_EQ(c.environment, "CUDA_VISIBLE_DEVICES='GPU-aa,x'\\''; rm -rf /; '\\'''");
  CHECK(c.vllm.starts_with("vllm serve '/models/my model.gguf' "));
  plan.replicas[0].uuids = {"0", "3"};
  CHECK_EQ(commands(plan, 0, 0, {}).environment,
           "CUDA_DEVICE_ORDER=PCI_BUS_ID CUDA_VISIBLE_DEVICES=0,3");
}

TEST_CASE("wishes: SLOs, weights and quants are read, and what is wrong is named") {
  const auto slo = parse_slo({"ttft=500ms", "tpot=40ms"});
  REQUIRE(slo.ok());
  CHECK_EQ(*slo->ttft, doctest::Approx(0.5));
  CHECK_EQ(*slo->tpot, doctest::Approx(0.04));
  CHECK_EQ(parse_slo({"ttft=fast"}).error().code, ErrorCode::kInvalidArgument);
  CHECK_EQ(parse_slo({"latency=1s"}).error().message, "--slo has no 'latency'");
  const auto weights = parse_weights({"goodput=2.5", "gpus=1"});
  REQUIRE(weights.ok());
  CHECK_EQ((*weights)[1], 2.5);
  CHECK_EQ(parse_weights({"godput=1"}).error().hint, "did you mean 'goodput'?");
  CHECK_FALSE(parse_weights({"gpus=-1"}).ok());
  CHECK_FALSE(parse_weights({"gpus=nan"}).ok());
  CHECK_EQ(*parse_quants({"q4_k_m", "FP8"}), std::vector<std::string>{"Q4_K_M", "FP8"});
  CHECK_FALSE(parse_quants({"q9"}).ok());
  CHECK_EQ(*parse_gpu("h100-80gb"), "H100 SXM");
  CHECK_EQ(*parse_gpu(""), "");
  CHECK_EQ(parse_gpu("FOO").error().code, ErrorCode::kInvalidArgument);
  CHECK(parse_gpu("FOO").error().hint.starts_with("known are A10, A100 40 GB, "));
  CHECK_EQ(parse_gpu("mi30x").error().hint, "did you mean 'MI300X'?");
}
