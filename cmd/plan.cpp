// aictl plan: where models go, and what they will do there.
#include <memory>

#include <fmt/format.h>

#include "cmd/plan_models.hpp"
#include "cmd/root.hpp"
#include "core/base/file.hpp"
#include "core/cli/context.hpp"
#include "core/placement/kueue/kueue.hpp"
#include "core/placement/model/formats.hpp"
#include "core/placement/plan/planner.hpp"
#include "core/placement/plan/wishes.hpp"
#include "core/placement/report/json.hpp"
#include "core/placement/report/text.hpp"
#include "core/placement/verify/pin_trial.hpp"
#include "core/platform/plan/inspect.hpp"
#include "core/platform/plan/planner.hpp"
#include "core/platform/spec/read.hpp"

namespace aictl {
namespace {

using placement::Engine;
using placement::KueueAlgorithm;

struct PlanFlags {
  std::vector<std::string> models;
  TopologyInput input;
  std::string config, ceilings, platform;
  std::vector<std::string> slo, weights, quants;
  std::optional<std::string> engine;
  placement::PlanRequest request;
  int hosts = 1;
  bool explain = false, verify = false;
  std::optional<std::string> algorithm;
  std::vector<int32_t> capacities;
  int pods = 1, slice_size = 1;
};

std::vector<Row> machine_rows(PlanFlags& f) {
  std::vector<Row> rows;
  rows.push_back(Row("input", &f.input.file, "plan for the machine of this dump").file());
  rows.push_back(Row("sysroot", &f.input.sysroot, "plan for this captured /sys").folder());
  rows.push_back(Row("synthetic", &f.input.synthetic, "plan for a machine in hwloc's words"));
  rows.push_back(Row("hosts", &f.hosts, "so many machines like it").range(1, 100000));
  rows.push_back(Row("gpu", &f.request.devices.gpu,
                     "model of GPUs whose model the dump does not tell, such as 'H100 SXM'"));
  rows.push_back(Row("ceilings", &f.ceilings,
                     "measured speed of the CPUs: what `aictl bench ceilings -o json` printed")
                     .file());
  rows.push_back(
      Row("gpu-memory-utilization", &f.request.devices.utilisation, "share of memory to use")
          .range(0.1, 1));
  rows.push_back(Row("cpu", &f.request.cpu_only, "leave GPUs alone"));
  return rows;
}

std::vector<Row> wish_rows(PlanFlags& f) {
  std::vector<Row> rows;
  rows.push_back(Row("slo", &f.slo, "what answers must keep: ttft=500ms,tpot=40ms"));
  rows.push_back(
      Row("context", &f.request.context, "tokens a sequence; 0: 8192").range(0, 1 << 30));
  rows.push_back(Row("prompt", &f.request.prompt, "tokens of a prompt").range(1, 1 << 30));
  rows.push_back(Row("concurrency", &f.request.concurrency, "sequences in flight, of each model")
                     .range(1, 1'000'000));
  rows.push_back(
      Row("engine", &f.engine, "what will run it; unset: aictl where it has a backend, else vllm")
          .choices({"aictl", "vllm", "llama.cpp"}));
  rows.push_back(Row("quant", &f.quants, "weight formats to choose from; empty: the model's"));
  rows.push_back(Row("kv-type", &f.request.kv_type, "element type of the KV cache")
                     .choices({"f32", "f16", "bf16", "fp8", "q8_0", "q4_0"}));
  rows.push_back(Row("tp", &f.request.tp, "ranks a replica must have; 0: searched").range(0, 64));
  rows.push_back(
      Row("file", &f.platform, "all models of a platform: its aictl.yaml").file().letter('f'));
  rows.push_back(Row("config", &f.config,
                     "a model's config.json: instead of MODEL, or for safetensors elsewhere; "
                     "`aictl --config FILE plan` names aictl's own")
                     .file());
  rows.push_back(Row("weights", &f.weights,
                     "weigh the objective's terms instead of comparing them in order: "
                     "goodput=5,gpus=1"));
  rows.push_back(Row("explain", &f.explain,
                     "show the arithmetic, every alternative and what a failure stops"));
  rows.push_back(
      Row("verify", &f.verify,
          "run the benchmark bound as planned and left alone, in turns, and keep the pin "
          "only where it is faster beyond chance; on this machine's CPUs, minutes"));
  return rows;
}

std::vector<Row> kueue_rows(PlanFlags& f) {
  std::vector<Row> rows;
  rows.push_back(Row("algorithm", &f.algorithm, "only assign pods to domains, as Kueue does")
                     .choices({"kueue-bestfit", "kueue-leastfree", "kueue-balanced"}));
  rows.push_back(Row("capacities", &f.capacities, "pods each domain has room for"));
  rows.push_back(Row("pods", &f.pods, "pods to assign").range(1, 1'000'000));
  rows.push_back(
      Row("slice-size", &f.slice_size, "pods that stay in one domain").range(1, 1'000'000));
  return rows;
}

Result<int> assign_pods(const PlanFlags& f, cli::Context& context) {
  const KueueAlgorithm algorithm = *f.algorithm == "kueue-bestfit"     ? KueueAlgorithm::kBestFit
                                   : *f.algorithm == "kueue-leastfree" ? KueueAlgorithm::kLeastFree
                                                                       : KueueAlgorithm::kBalanced;
  auto given = placement::kueue_assign(algorithm, f.capacities, f.pods, f.slice_size);
  if (!given) return std::move(given).error();
  context.print_result({{"assignment", *given}}, [&](std::ostream& out) {
    out << fmt::format("{}\n", fmt::join(*given, ","));
  });
  return 0;
}

/// This machine, and not a dump: the models' files are here.
bool is_live(const TopologyInput& input) {
  return !input.file && !input.sysroot && !input.synthetic;
}

// What `bench ceilings` measured, in place of what the planner would assume.
Result<void> read_ceilings(PlanFlags& f) {
  if (f.ceilings.empty()) return {};
  auto text = read_file(f.ceilings);
  if (!text) return std::move(text).error();
  auto tree = parse_json(*text);
  if (!tree) return std::move(tree).error().within(f.ceilings);
  const auto number = [&](const char* key) {
    const Json::json_pointer place(std::string("/ceilings/") + key);
    return tree->contains(place) && (*tree)[place].is_number() ? (*tree)[place].get<double>() : 0.0;
  };
  f.request.devices.cpu_gbs = number("read_gbs");
  f.request.devices.cpu_tflops = number("f32_tflops");
  if (f.request.devices.cpu_gbs > 0) return {};
  return Error{ErrorCode::kDataRefused,
               fmt::format("{}: key 'ceilings.read_gbs' is missing or not positive", f.ceilings),
               "it has to be what `aictl bench ceilings -o json` printed"};
}

Result<void> read_models(App& app, PlanFlags& f) {
  const bool one = f.request.quants.size() == 1;
  const std::string quant = one ? f.request.quants[0] : "";
  const std::string fallback = f.request.engine == Engine::kVllm ? "BF16" : "Q4_K_M";
  if (f.models.empty() && !f.config.empty()) {
    auto shape = platform::config_shape(f.config, quant);
    if (!shape) return std::move(shape).error();
    f.request.models.push_back(*std::move(shape));
  }
  if (!f.platform.empty())
    if (auto read = platform_models(app, f.platform, f.request); !read)
      return std::move(read).error();
  for (const std::string& model : f.models) {
    auto shape = platform::open_shape(app.plugins, model, f.config, one ? quant : fallback);
    if (!shape) return std::move(shape).error();
    f.request.models.push_back(*std::move(shape));
  }
  if (is_live(f.input))
    for (placement::ModelShape& shape : f.request.models) find_files(shape);
  return {};
}

// What is asked of the planner, but for the models.
Result<void> read_wishes(PlanFlags& f) {
  auto slo = placement::parse_slo(f.slo);
  if (!slo) return std::move(slo).error();
  f.request.slo = *slo;
  auto quants = placement::parse_quants(f.quants);
  if (!quants) return std::move(quants).error();
  f.request.quants = *std::move(quants);
  if (!f.weights.empty()) {
    auto weights = placement::parse_weights(f.weights);
    if (!weights) return std::move(weights).error();
    f.request.weights = *weights;
  }
  auto gpu = placement::parse_gpu(f.request.devices.gpu);
  if (!gpu) return std::move(gpu).error();
  f.request.devices.gpu = *std::move(gpu);
  f.request.kv_element = placement::kv_element_bytes(f.request.kv_type).value_or(2);
  return read_ceilings(f);
}

// The machines to plan for: those the spec describes, unless a flag names another.
Result<std::vector<platform::PlannedPool>> read_machines(App& app, const PlanFlags& f) {
  if (!f.platform.empty() && is_live(f.input)) {
    auto spec = platform::load_platform(f.platform, &app.plugins);
    if (!spec) return std::move(spec).error();
    return platform::platform_pools(*spec, app.plugins);
  }
  auto topology = read_topology(app.plugins, f.input);
  if (!topology) return std::move(topology).error();
  std::vector<platform::PlannedPool> machines(1);
  machines[0].nodes = f.hosts;
  machines[0].topology = *std::move(topology);
  return machines;
}

void choose_engine(App& app, const Topology& topology, PlanFlags& f) {
  for (const auto& row : app.plugins.backends.rows()) f.request.backends.push_back(row.name);
  f.request.engine = !f.engine              ? placement::suitable_engine(topology, f.request)
                     : *f.engine == "vllm"  ? Engine::kVllm
                     : *f.engine == "aictl" ? Engine::kAictl
                                            : Engine::kLlamaCpp;
}

Result<int> run_plan(App& app, PlanFlags& f, cli::Context& context) {
  if (f.algorithm) return assign_pods(f, context);
  if (auto read = read_wishes(f); !read) return std::move(read).error();
  auto pools = read_machines(app, f);
  if (!pools) return std::move(pools).error();
  choose_engine(app, pools->front().topology, f);
  if (f.verify && (!is_live(f.input) || f.hosts > 1 || f.request.engine != Engine::kAictl))
    return Error{ErrorCode::kInvalidArgument, "--verify measures aictl on this machine",
                 "leave out --input, --sysroot, --synthetic and --hosts; --cpu leaves GPUs alone"};
  if (auto read = read_models(app, f); !read) return std::move(read).error();
  std::vector<placement::Machine> machines;
  for (const platform::PlannedPool& pool : *pools) machines.push_back({&pool.topology, pool.nodes});
  auto plan = placement::make_plan(machines, f.request);
  if (!plan) return std::move(plan).error();
  if (f.verify) {
    auto done = placement::verify_pins(*plan, f.request, "/proc/self/exe",
                                       [&](std::string_view line) { context.note(line); });
    if (!done) return std::move(done).error();
  }
  context.print_result(placement::to_json(*plan, f.request, f.explain), [&](std::ostream& out) {
    placement::print(*plan, f.request, f.explain, out);
  });
  return plan->placed() ? 0 : 1;
}

}  // namespace

cli::Command plan_command(App& app) {
  auto flags = std::make_shared<PlanFlags>();
  cli::Command command;
  command.name = "plan";
  command.summary = "Place models on a machine: GPUs, cores, memory, and the speed to expect";
  command.description =
      "MODEL is a GGUF or safetensors file or folder (its header is read, never its weights), or a "
      "shape such as llama:8b:q4_k_m. The machine is this one, those a spec of -f describes, or "
      "what "
      "--input, --sysroot or --synthetic name.\n\n"
      "Every way to cut and lay a model is priced by a memory fit and a roofline; the best one "
      "meets the SLO, then answers most tokens a second, then takes fewest GPUs, then the "
      "best-joined ones. Exit status 1: a model has no place.";
  command.examples = {
      {"aictl plan llama:70b:q4_k_m --input node.xml", "for a machine elsewhere"},
      {"aictl plan model.gguf --slo ttft=500ms,tpot=40ms --explain", "with all the arithmetic"},
      {"aictl plan model.gguf --cpu --verify", "and measure whether the pin helps here"},
      {"aictl plan --config config.json --hosts 4 --engine vllm -o json", "a model not yet here"},
      {"aictl plan -f aictl.yaml", "all models of a platform, each as it asks"},
      {"aictl plan --algorithm kueue-bestfit --capacities 3,3,2,1 --pods 7", "Kueue's answer"}};
  command.arguments = {
      {Row("MODEL", &flags->models, "a file, a folder, a name or a shape").file(), false}};
  std::vector<Row> rows = wish_rows(*flags);
  for (Row& row : machine_rows(*flags)) rows.push_back(std::move(row));
  for (Row& row : kueue_rows(*flags)) rows.push_back(std::move(row));
  for (Row& row : rows) row = std::move(row).flag_only();
  command.options = Schema("plan", std::move(rows));
  command.run = [&app, flags](cli::Context& context) { return run_plan(app, *flags, context); };
  return command;
}

}  // namespace aictl
