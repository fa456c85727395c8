#include "core/placement/report/commands.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace aictl::placement {
namespace {

std::string join(std::initializer_list<std::string_view> words) {
  std::string line;
  for (const std::string_view word : words)
    if (!word.empty()) line += (line.empty() ? "" : " ") + std::string(word);
  return line;
}

// The variable that shows a process its GPUs.
std::string environment(const Option& option, const Replica& replica) {
  if (replica.gpus.empty()) return "";
  const std::string indexes = fmt::format("{}", fmt::join(replica.gpus, ","));
  const std::string devices = shell_word(fmt::format("{}", fmt::join(replica.uuids, ",")));
  if (option.device.vendor == "AMD") return "ROCR_VISIBLE_DEVICES=" + indexes;
  if (option.device.vendor == "Intel") return "ZE_AFFINITY_MASK=" + indexes;
  // NVML counts by PCI address and CUDA, unless told, by speed.
  const bool order = devices == indexes;
  return fmt::format("{}CUDA_VISIBLE_DEVICES={}", order ? "CUDA_DEVICE_ORDER=PCI_BUS_ID " : "",
                     devices);
}

std::string serve_aictl(const std::string& model, const Option& o, const Replica& r, int port) {
  return fmt::format("aictl serve {} --address 127.0.0.1:{} --context {} --concurrency {}{}", model,
                     port, o.load.context, o.load.sequences,
                     o.cpu && r.cores > 0 ? fmt::format(" --threads {}", r.cores)
                     : o.cpu              ? ""
                                          : " --backend cuda");
}

std::string serve_vllm(const std::string& model, const Option& o, int port,
                       const PlanRequest& request) {
  std::string line = fmt::format(
      "vllm serve {} --port {} --tensor-parallel-size {} --max-model-len {} --max-num-seqs {}",
      model, port, o.cut.tp, o.load.context, o.load.sequences);
  if (o.cut.pp > 1) line += fmt::format(" --pipeline-parallel-size {}", o.cut.pp);
  if (!o.cpu) line += fmt::format(" --gpu-memory-utilization {:.2f}", request.devices.utilisation);
  if (request.kv_type == "fp8") line += " --kv-cache-dtype fp8";
  return line;
}

std::string serve_llama_cpp(const std::string& model, const Option& o, const Replica& r, int port,
                            const PlanRequest& request) {
  std::string line = fmt::format("llama-server --model {} --port {} --ctx-size {} --parallel {}",
                                 model, port, o.load.context * o.load.sequences, o.load.sequences);
  if (o.cpu) return line + (r.cores > 0 ? fmt::format(" --threads {}", r.cores) : "");
  line += " --n-gpu-layers 999";
  if (r.gpus.size() > 1) line += fmt::format(" --split-mode {}", o.cut.tp > 1 ? "row" : "layer");
  if (request.kv_type != "f16")
    line += fmt::format(" --cache-type-k {0} --cache-type-v {0}", request.kv_type);
  return line;
}

}  // namespace

std::string shell_word(std::string_view word) {
  const bool plain = !word.empty() && std::ranges::all_of(word, [](unsigned char c) {
    return std::isalnum(c) || std::string_view("_-./:,=@%+").find(char(c)) != std::string::npos;
  });
  if (plain) return std::string(word);
  std::string quoted = "'";
  for (const char c : word) {
    if (c == '\'')
      quoted += "'\\''";
    else
      quoted += c;
  }
  return quoted + "'";
}

Commands commands(const ModelPlan& plan, size_t index, int port, const PlanRequest& request) {
  const Option& option = *plan.chosen;
  const Replica& replica = plan.replicas[index];
  const std::string model = shell_word(plan.shape.path.empty() ? plan.shape.name : plan.shape.path);
  Commands out;
  out.environment = environment(option, replica);
  if (!replica.cpus.empty()) {
    out.numactl = fmt::format("numactl --physcpubind={}", replica.cpus.list());
    out.cpuset = fmt::format("--cpuset-cpus={}", replica.cpus.list());
    if (!replica.nodes.empty()) {
      out.numactl += fmt::format(" --membind={}", replica.nodes.list());
      out.cpuset += fmt::format(" --cpuset-mems={}", replica.nodes.list());
    }
  }
  out.aictl = serve_aictl(model, option, replica, 8000 + port);
  out.vllm = serve_vllm(model, option, 8000 + port, request);
  out.llama_cpp = serve_llama_cpp(model, option, replica, 8000 + port, request);
  const std::string& engine = request.engine == Engine::kVllm       ? out.vllm
                              : request.engine == Engine::kLlamaCpp ? out.llama_cpp
                                                                    : out.aictl;
  out.run = join({out.environment, out.numactl, engine});
  return out;
}

}  // namespace aictl::placement
