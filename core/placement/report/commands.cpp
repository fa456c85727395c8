#include "core/placement/report/commands.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/placement/report/references.hpp"
#include "core/placement/report/visible.hpp"

namespace aictl::placement {
namespace {

constexpr int kMostSequences = 1024;  // of aictl serve --concurrency

std::string join(std::initializer_list<std::string_view> words) {
  std::string line;
  for (const std::string_view word : words)
    if (!word.empty()) line += (line.empty() ? "" : " ") + std::string(word);
  return line;
}

// The backend of aictl that computes there; empty: it has none for these devices.
std::string_view backend_for(const Option& option) {
  if (option.cpu) return "cpu";
  return option.device.vendor == "AMD" || option.device.vendor == "Intel" ? "" : "cuda";
}

std::string serve_aictl(const ModelShape& shape, const Option& o, const Replica& r, int port) {
  const std::string_view backend = backend_for(o);
  const std::string model = model_word(shape, Engine::kAictl);
  if (backend.empty() || model.empty() || o.span > 1) return "";
  std::string line =
      fmt::format("aictl serve {} --address 127.0.0.1:{} --context {} --concurrency {}", model,
                  port, o.load.context, std::min(o.load.sequences, kMostSequences));
  if (!o.cpu) return line + fmt::format(" --backend {}", backend);
  return line + (r.cores > 0 ? fmt::format(" --threads {}", r.cores) : "");
}

std::string serve_vllm(const ModelShape& shape, const Option& o, int port,
                       const PlanRequest& request) {
  if (o.cpu && !reads_on_cpu(shape, Engine::kVllm)) return "";
  std::string line = fmt::format(
      "vllm serve {} --port {} --tensor-parallel-size {} --max-model-len {} --max-num-seqs {}",
      model_word(shape, Engine::kVllm), port, o.cut.tp, o.load.context, o.load.sequences);
  // On CPUs a replica is one process over its nodes.
  if (o.cut.pp > 1 && !o.cpu) line += fmt::format(" --pipeline-parallel-size {}", o.cut.pp);
  if (o.span > 1) line += " --distributed-executor-backend ray";
  if (!o.cpu) line += fmt::format(" --gpu-memory-utilization {:.2f}", request.devices.utilisation);
  line += vllm_weight_flags(shape);
  if (request.kv_type == "fp8") line += " --kv-cache-dtype fp8";
  return line;
}

std::string serve_llama_cpp(const ModelShape& shape, const Option& o, const Replica& r, int port,
                            const PlanRequest& request) {
  const std::string model = model_word(shape, Engine::kLlamaCpp);
  if (model.empty() || o.span > 1) return "";
  std::string line = fmt::format("llama-server --model {} --port {} --ctx-size {} --parallel {}",
                                 model, port, o.load.context * o.load.sequences, o.load.sequences);
  if (o.cpu) {
    line += r.cores > 0 ? fmt::format(" --threads {}", r.cores) : "";
  } else {
    line += " --n-gpu-layers 999";
    if (r.gpus.size() > 1) line += fmt::format(" --split-mode {}", o.cut.tp > 1 ? "row" : "layer");
  }
  if (request.kv_type != "f16" && request.kv_type != "fp8")
    line += fmt::format(" --cache-type-k {0} --cache-type-v {0}", request.kv_type);
  return line;
}

std::string bound_by(const Replica& replica, std::string_view cpus, std::string_view nodes) {
  if (replica.cpus.empty()) return "";
  std::string text = fmt::format("{}{}", cpus, replica.cpus.list());
  if (!replica.nodes.empty()) text += fmt::format(" {}{}", nodes, replica.nodes.list());
  return text;
}

}  // namespace

Commands commands(const ModelPlan& plan, size_t index, int port, const PlanRequest& request) {
  const Option& option = *plan.chosen;
  const Replica& replica = plan.replicas[index];
  Commands out;
  if (!replica.gpus.empty())
    out.environment = visible_devices(option.device.vendor, replica.uuids, replica.gpus);
  if (replica.pin) {
    out.numactl = bound_by(replica, "numactl --physcpubind=", "--membind=");
    out.cpuset = bound_by(replica, "--cpuset-cpus=", "--cpuset-mems=");
  }
  out.aictl = serve_aictl(plan.shape, option, replica, 8000 + port);
  out.vllm = serve_vllm(plan.shape, option, 8000 + port, request);
  out.llama_cpp = serve_llama_cpp(plan.shape, option, replica, 8000 + port, request);
  const std::string& asked = request.engine == Engine::kVllm       ? out.vllm
                             : request.engine == Engine::kLlamaCpp ? out.llama_cpp
                                                                   : out.aictl;
  std::string engine = asked;
  for (const std::string& line : {out.vllm, out.llama_cpp, out.aictl})
    if (engine.empty()) engine = line;
  out.run = join({out.environment, out.numactl, engine});
  return out;
}

std::vector<std::string> before_commands(const ModelPlan& plan, const PlanRequest& request) {
  std::vector<std::string> lines;
  const Option& option = *plan.chosen;
  if (option.span > 1)
    lines.push_back(fmt::format(
        "{}: first join {} hosts: `ray start --head` on one, which gets the command; `ray "
        "start --address=HEAD:6379` on the others",
        plan.shape.name, option.span));
  const std::string_view backend = backend_for(option);
  if (request.engine == Engine::kAictl && backend.empty())
    lines.push_back(fmt::format("{}: aictl has no backend for GPUs of {}: vLLM's command instead",
                                plan.shape.name, option.device.vendor));
  else if (!backend.empty() && !request.backends.empty() && option.span == 1 &&
           !model_word(plan.shape, Engine::kAictl).empty() &&
           std::ranges::find(request.backends, backend) == request.backends.end())
    lines.push_back(
        fmt::format("{}: `aictl serve --backend {}` takes a build of aictl with it; "
                    "this one has {}",
                    plan.shape.name, backend, fmt::join(request.backends, ", ")));
  if (option.device.vendor == "AMD" && plan.shape.quant == "FP8" && option.device.fp8_tflops == 0)
    lines.push_back(fmt::format("{}: {} has no FP8 arithmetic, and vLLM refuses FP8 weights there",
                                plan.shape.name, option.device.model));
  if (facts(request.engine).kv_types.find(request.kv_type) == std::string_view::npos)
    lines.push_back(fmt::format("{}: {} keeps no KV cache of {}: it has {}", plan.shape.name,
                                facts(request.engine).name, request.kv_type,
                                facts(request.engine).kv_types));
  return lines;
}

}  // namespace aictl::placement
