// A model as a process: `aictl serve` or `vllm serve`.
#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "core/base/units.hpp"
#include "core/placement/model/formats.hpp"
#include "core/platform/plan/workloads/workloads.hpp"
#include "core/platform/spec/names.hpp"

namespace aictl::platform {
namespace {

using Kind = Reference::Kind;

constexpr int kDrainSeconds = 60, kLingerSeconds = 15;

class Argv {
 public:
  explicit Argv(std::vector<Word>& argv) : argv_(argv) {}
  Argv& word(std::string value) { return argv_.push_back(text(std::move(value))), *this; }
  Argv& word(Word value) { return argv_.push_back(std::move(value)), *this; }
  template <typename T>
  Argv& flag(const char* name, const T& value) {
    return word(name).word(fmt::format("{}", value));
  }

 private:
  std::vector<Word>& argv_;
};

// Where the weights are below their mount: "/models" or "/models/file.gguf".
Word weights(const Mount& mount) {
  return refer(Kind::kPath, mount.name, mount.file.empty() ? "" : "/" + mount.file);
}

Mount model_mount(const ModelEntry& m, const PlannedModel& planned) {
  Mount mount;
  mount.name = "model";
  mount.kind = Mount::Kind::kModel;
  mount.path = "/models";
  mount.source = m.source;
  mount.found = planned.shape.path;
  mount.bytes = planned.weight_bytes;
  const std::filesystem::path path(mount.found.empty() ? m.source : mount.found);
  if (path.extension() == ".gguf" || path.extension() == ".safetensors")
    mount.file = path.filename().string();
  return mount;
}

Mount scratch(std::string name, std::string path, Mount::Kind kind, uint64_t bytes) {
  Mount mount;
  mount.name = std::move(name);
  mount.kind = kind;
  mount.path = std::move(path);
  mount.bytes = bytes;
  return mount;
}

void aictl_argv(const ModelEntry& m, const PlannedModel& p, Workload& w) {
  Argv argv(w.argv);
  argv.word("aictl").word("serve").word(weights(w.mounts.front()));
  argv.word("--address").word(refer(Kind::kListen, "http"));
  argv.flag("--name", m.name).flag("--context", p.context).flag("--concurrency", p.sequences);
  argv.flag("--kv-memory", exact_bytes(p.kv_memory));
  if (p.cpu)
    argv.flag("--backend", "cpu").flag("--threads", std::max(1, int(p.cpus)));
  else
    argv.flag("--backend", "cuda");
  argv.flag("--drain-timeout", fmt::format("{}s", kDrainSeconds));
  argv.word(
      "--insecure");  // in a pod it listens beyond loopback, and a network policy stands guard
}

void vllm_argv(const ModelEntry& m, const PlannedModel& p, Workload& w) {
  Argv argv(w.argv);
  argv.word("vllm").word("serve").word(weights(w.mounts.front()));
  argv.flag("--served-model-name", m.name);
  argv.word("--host").word(refer(Kind::kHost, "http"));
  argv.word("--port").word(refer(Kind::kPort, "http"));
  argv.flag("--tensor-parallel-size", p.tensor);
  if (p.pipeline > 1) argv.flag("--pipeline-parallel-size", p.pipeline);
  argv.flag("--max-model-len", p.context).flag("--max-num-seqs", p.sequences);
  argv.flag("--gpu-memory-utilization", "0.90");
  const std::string quant = placement::canonical_quant(m.quantisation);
  if (quant == "FP8") argv.flag("--quantization", "fp8");
  if (quant == "AWQ") argv.flag("--quantization", "awq");
  if (quant == "GPTQ") argv.flag("--quantization", "gptq");
  if (m.kv_type == "fp8") argv.flag("--kv-cache-dtype", "fp8");
  if (!m.adapters.empty()) {
    argv.word("--enable-lora").word("--lora-modules");
    for (const Adapter& adapter : m.adapters) {
      Word word = text(adapter.name + "=");
      word.emplace_back(
          Reference{Kind::kPath, derived_name("adapter", slug(adapter.name, 40), 63)});
      argv.word(std::move(word));
    }
  }
  argv.flag("--shutdown-timeout", kDrainSeconds);
  argv.flag("--disable-access-log-for-endpoints", "/health,/metrics");
}

void vllm_environment(const ModelEntry& m, Workload& w) {
  const auto set = [&](const char* name, const char* value) {
    EnvironmentVariable variable;
    variable.name = name;
    variable.value = text(value);
    w.environment.push_back(std::move(variable));
  };
  set("HOME", "/tmp");
  set("HF_HUB_OFFLINE", "1");  // weights are mounted; nothing is asked of a hub
  set("CUDA_DEVICE_ORDER", "PCI_BUS_ID");
  set("VLLM_LOGGING_LEVEL", "INFO");
  for (const Adapter& adapter : m.adapters) {
    Mount mount;
    mount.name = derived_name("adapter", slug(adapter.name, 40), 63);
    mount.kind = Mount::Kind::kModel;
    mount.path = "/adapters/" + slug(adapter.name, 40);
    mount.source = adapter.source;
    w.mounts.push_back(std::move(mount));
  }
}

void add_probes(const PlannedModel& p, Workload& w) {
  w.startup_seconds = p.startup_seconds;
  Probe startup;
  startup.failures = (p.startup_seconds + startup.period - 1) / startup.period;
  w.startup = startup;
  Probe ready;
  ready.path = w.service == "inference" ? "/readyz" : "/health";
  ready.period = 5;
  w.ready = ready;
  Probe live;  // tells only that the process lives: it has to be wrong for long
  live.path = w.service == "inference" ? "/livez" : "/health";
  live.period = 15, live.timeout = 10, live.failures = 8;
  w.live = live;
  w.shutdown_seconds = kDrainSeconds + 15;
  w.linger_seconds = kLingerSeconds;
}

void add_why(const ModelEntry& m, const PlannedModel& p, const Platform& platform, Workload& w) {
  // By its name: the number of its line would change with the order of keys.
  const auto said = [&](const char* field, const char* otherwise) {
    const auto index = &m - platform.models.data();
    return platform.places.contains(fmt::format("/models/{}/{}", index, field))
               ? fmt::format("models[{}].{} of the spec", index, field)
               : std::string(otherwise);
  };
  const bool vllm = m.engine == ModelEngine::kVllm;
  const auto arithmetic = [&](std::string_view start) {
    for (const std::string& line : p.arithmetic)
      if (line.starts_with(start)) return line;
    return std::string();
  };
  const std::string fits =
      arithmetic("weights") + "; " + arithmetic("kv cache") + "; " + arithmetic("need");
  w.why["replicas"] = said("replicas", "one, where the spec says nothing");
  w.why[vllm ? "argv.--max-model-len" : "argv.--context"] =
      said("context", "8192, or the trained context if that is less") + "; " +
      arithmetic(fmt::format("kv {} B", p.kv_bytes_per_token));
  w.why[vllm ? "argv.--max-num-seqs" : "argv.--concurrency"] =
      said("concurrency", "8, where the spec says nothing");
  if (vllm) {
    w.why["argv.--tensor-parallel-size"] = m.tensor_parallel > 0
                                               ? said("tensor_parallel", "")
                                               : "the fewest GPUs that hold a replica: " + fits;
    if (p.pipeline > 1)
      w.why["argv.--pipeline-parallel-size"] =
          fmt::format("{} stages of {} GPUs: {}", p.pipeline, p.tensor, fits);
    w.why["argv.--gpu-memory-utilization"] = "what the memory fit reckons with";
  } else {
    w.why["argv.--kv-memory"] = arithmetic("kv cache");
    if (p.cpu) w.why["argv.--threads"] = "as resources.cpus";
  }
  w.why["mounts.model"] = arithmetic("weights");
  w.why["resources.memory"] = arithmetic("memory");
  w.why["resources.cpus"] = m.cpus > 0 ? said("cpus", "") : arithmetic("cpus");
  if (!p.cpu)
    w.why["resources.gpus"] = fmt::format("{} ranks of a group on {} node{}", p.tensor * p.pipeline,
                                          p.nodes, p.nodes == 1 ? "" : "s");
  w.why["resources.ephemeral"] = platform.storage.bring == "download"
                                     ? "1.1 x weights, which are downloaded, + 1 GiB"
                                     : "1 GiB for logs and temporary files";
  if (p.shm > 0) w.why["mounts.shm"] = arithmetic("/dev/shm");
  w.why["startup_seconds"] = arithmetic("startup");
  w.why["shutdown_seconds"] = fmt::format("{} s for running answers + 15 s to end", kDrainSeconds);
}

}  // namespace

Word text(std::string value) { return {Piece(std::move(value))}; }

Word refer(Reference::Kind kind, std::string target, const std::string& rest) {
  Word word;
  word.emplace_back(Reference{kind, std::move(target)});
  if (!rest.empty()) word.emplace_back(rest);
  return word;
}

Workload model_workload(const Platform& platform, const PlannedModel& p) {
  const ModelEntry& m = *p.entry;
  const bool vllm = m.engine == ModelEngine::kVllm;
  constexpr uint64_t kGibibyte = uint64_t{1} << 30;
  Workload w;
  w.name = p.workload;
  w.component = Component::kModel;
  w.pool = p.pool;
  w.service = vllm ? "" : "inference";
  w.model = m.name;
  w.image = !m.image.empty() ? m.image : std::string(vllm ? kVllmImage : kAictlImage);
  w.ports.push_back({"http", 8000});
  w.mounts.push_back(model_mount(m, p));
  if (vllm) vllm_environment(m, w);
  if (p.shm > 0) w.mounts.push_back(scratch("shm", "/dev/shm", Mount::Kind::kMemory, p.shm));
  w.mounts.push_back(scratch("tmp", "/tmp", Mount::Kind::kScratch, kGibibyte));
  if (vllm)
    vllm_argv(m, p, w);
  else
    aictl_argv(m, p, w);
  for (const std::string& arg : m.args) w.argv.push_back(text(arg));
  w.resources.cpus = p.cpus;
  w.resources.memory = p.memory;
  w.resources.gpus = p.gpus_per_node;
  w.resources.ephemeral =
      kGibibyte + (platform.storage.bring == "download" ? p.weight_bytes + p.weight_bytes / 10 : 0);
  w.replicas = m.replicas;
  w.max_replicas = m.max_replicas > 0 ? m.max_replicas : m.replicas;
  w.nodes = p.nodes;
  add_probes(p, w);
  add_why(m, p, platform, w);
  return w;
}

}  // namespace aictl::platform
