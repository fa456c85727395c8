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
           "serve llama:8b --port 8001 --tensor-parallel-size 2 --max-model-len 4096 "
           "--max-num-seqs 3 --gpu-memory-utilization 0.90");
}

TEST_CASE("commands: a replica on CPUs gets threads and no devices") {
  PlanRequest request;
  request.engine = Engine::kAictl;
  const Commands c = commands(placed(true), 0, 0, request);
  CHECK_EQ(c.environment, "");
  CHECK_EQ(c.run,
           "numactl --physcpubind=0-2,8-10 --membind=0 aictl serve llama:8b --address "
           "127.0.0.1:8000 --context 4096 --concurrency 3 --threads 3");
}

TEST_CASE("commands: what a dump calls a GPU cannot leave its word") {
  ModelPlan plan = placed(false);
  plan.replicas[0].uuids = {"GPU-aa", "x'; rm -rf /; '"};
  plan.shape.path = "/models/my model.gguf";
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
}
