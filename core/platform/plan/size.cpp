#include "core/platform/plan/size.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/base/units.hpp"
#include "core/placement/cpu/cores.hpp"
#include "core/placement/model/formats.hpp"
#include "core/placement/plan/options.hpp"
#include "core/platform/plan/machine.hpp"

namespace aictl::platform {
namespace {

using placement::Cut;
using placement::Device;
using placement::Engine;
using placement::Load;
using placement::ModelShape;

constexpr uint64_t kMebibyte = uint64_t{1} << 20, kGibibyte = uint64_t{1} << 30;
constexpr double kSpawnSeconds = 120;  // of a startup that no file makes longer

uint64_t round_up(double bytes, uint64_t step) {
  return uint64_t(std::ceil(bytes / double(step))) * step;
}

placement::PlanRequest request_for(const ModelEntry& m, const ModelShape& shape) {
  placement::PlanRequest request;
  request.models = {shape};
  request.context = m.context;
  request.concurrency = m.concurrency;
  request.engine = m.engine == ModelEngine::kVllm ? Engine::kVllm : Engine::kAictl;
  if (!m.kv_type.empty()) request.kv_type = m.kv_type;
  // aictl caches what was computed in F32 as F32, all else as F16.
  if (m.engine == ModelEngine::kAictl && shape.quant == "F32") request.kv_type = "f32";
  request.kv_element = placement::kv_element_bytes(request.kv_type).value_or(2);
  request.devices.utilisation = kGpuShare;
  request.tp = m.tensor_parallel;
  const auto seconds = [](std::chrono::milliseconds t) { return double(t.count()) / 1000; };
  if (m.slo.ttft.count() > 0) request.slo.ttft = seconds(m.slo.ttft);
  if (m.slo.tpot.count() > 0) request.slo.tpot = seconds(m.slo.tpot);
  return request;
}

// A cut and how it fills a device.
struct Choice {
  Cut cut;
  int nodes = 1;
  placement::Fit fit;
  Device device;
  bool slo_met = true;
};

// The fewest GPUs of one node that hold a replica, and keep its SLO where any number does.
std::optional<Choice> on_one_node(const ModelEntry& m, const placement::PlanRequest& request,
                                  const ModelShape& shape, Site& site) {
  const auto options = placement::gpu_options(site.host, request, shape, site.gpus, m.concurrency);
  const placement::Option* best = nullptr;
  const auto key = [](const placement::Option& o) {
    return std::tuple(!o.slo_met, o.cut.ranks(), o.cut.pp);
  };
  for (const placement::Option& option : options.fitting) {
    if (option.replicas != 1 || option.span != 1) continue;
    if (m.engine == ModelEngine::kAictl && option.cut.ranks() > 1) continue;
    if (!best || key(option) < key(*best)) best = &option;
  }
  if (!best) return std::nullopt;
  return Choice{best->cut, 1, best->fit, best->device, best->slo_met};
}

bool divides_heads(const ModelShape& s, int tp) {
  return s.heads % tp == 0 && (s.kv_heads <= 0 || s.kv_heads % tp == 0 || tp % s.kv_heads == 0);
}

// Stages of a pipeline over nodes, as few of them as hold it.
std::optional<Choice> over_nodes(const ModelEntry& m, const Load& load, const ModelShape& shape,
                                 const Site& site) {
  if (m.engine != ModelEngine::kVllm || site.gpus == 0) return std::nullopt;
  const Device& device = site.host.gpus[size_t(site.host.kinds.front().front())];
  const int most = std::min<int>(site.pool.nodes, int(std::min<int64_t>(shape.layers, 64)));
  for (int nodes = 2; nodes <= most; ++nodes)
    for (int tp = site.gpus; tp > 0; --tp) {
      if (m.tensor_parallel > 0 ? tp != m.tensor_parallel : !divides_heads(shape, tp)) continue;
      auto fit = placement::fit_memory(shape, {tp, nodes}, load, Engine::kVllm, device, kGpuShare);
      if (fit.fits) return Choice{{tp, nodes}, nodes, std::move(fit), device};
      break;  // fewer ranks hold less
    }
  return std::nullopt;
}

// All memory nodes as one device: the engine spreads over them.
std::optional<Device> host_device(const Site& site) {
  if (site.host.nodes.empty() || site.memory <= 0) return std::nullopt;
  Device device = site.host.nodes.front();
  device.name = "memory";
  device.memory = site.memory;
  device.cores = site.cores;
  return device;
}

Error refused(const ModelEntry& m, const Site& site, std::string_view what,
              const std::vector<std::string>& arithmetic, std::string hint) {
  std::string message = fmt::format(
      "model '{}' does not fit {} ({} node{}: {}): {}", m.name, site.pool.name, site.pool.nodes,
      site.pool.nodes == 1 ? "" : "s", machine_words(site.pool.topology), what);
  for (const std::string& line : arithmetic) message += "\n  " + line;
  return {ErrorCode::kDataRefused, std::move(message), std::move(hint)};
}

Error no_gpu_room(const ModelEntry& m, const Load& load, const placement::PlanRequest& request,
                  const ModelShape& shape, const Site& site) {
  const Device& device = site.host.gpus[size_t(site.host.kinds.front().front())];
  Cut cut{m.tensor_parallel, 1};
  if (cut.tp == 0)
    for (int tp = m.engine == ModelEngine::kAictl ? 1 : site.gpus; tp > 0 && cut.tp == 0; --tp)
      if (divides_heads(shape, tp)) cut.tp = tp;
  if (cut.tp > site.gpus)
    return refused(m, site,
                   fmt::format("tensor_parallel {} is over its {} GPUs", cut.tp, site.gpus), {},
                   "fewer ranks, or a pool with more GPUs a node");
  if (!divides_heads(shape, cut.tp))
    return refused(m, site,
                   fmt::format("{} heads and {} KV heads cannot be cut over {} GPUs", shape.heads,
                               shape.kv_heads, cut.tp),
                   {}, "leave tensor_parallel out");
  const auto fit = placement::fit_memory(shape, cut, load, request.engine, device, kGpuShare);
  return refused(m, site, placement::verdict(shape, cut, load, request.engine, device, kGpuShare),
                 fit.arithmetic,
                 m.engine == ModelEngine::kAictl
                     ? "engine: vllm cuts a model over several GPUs"
                     : "less context or concurrency, another quantisation, or more GPUs");
}

Result<Choice> choose(const ModelEntry& m, const Load& load, const placement::PlanRequest& request,
                      const ModelShape& shape, Site& site, bool on_gpus) {
  if (on_gpus) {
    if (site.gpus == 0)
      return refused(
          m, site, "it has no GPU that can be used", {},
          m.engine == ModelEngine::kVllm
              ? "placement.pools describes machines with GPUs; engine: aictl runs on CPUs"
              : "device: cpu");
    if (auto one = on_one_node(m, request, shape, site)) return *std::move(one);
    if (auto many = over_nodes(m, load, shape, site)) return *std::move(many);
    return no_gpu_room(m, load, request, shape, site);
  }
  const auto device = host_device(site);
  if (!device)
    return refused(m, site, "nobody knows its memory", {},
                   "placement.pools: [{name: nodes, cpus: 16, memory: 64Gi}] says it");
  Choice choice;
  choice.device = *device;
  choice.fit = placement::fit_memory(shape, {}, load, Engine::kAictl, *device, kHostShare);
  if (choice.fit.fits) return choice;
  return refused(m, site, placement::verdict(shape, {}, load, Engine::kAictl, *device, kHostShare),
                 choice.fit.arithmetic, "less context or concurrency, or another quantisation");
}

void add_host_memory(PlannedModel& out, const Choice& choice) {
  if (out.cpu) {
    out.memory = round_up(choice.fit.need() + double(kGibibyte), kMebibyte);
    out.arithmetic.push_back(fmt::format("memory {} = need {} + 1 GiB for the process",
                                         format_bytes(out.memory),
                                         format_bytes(placement::whole(choice.fit.need()))));
    return;
  }
  // NCCL's shared-memory transport: measured use stays under 1 GiB a rank.
  if (choice.cut.ranks() > 1) out.shm = (1 + uint64_t(out.gpus_per_node)) * kGibibyte;
  if (out.shm > 0)
    out.arithmetic.push_back(fmt::format("/dev/shm {} = 1 GiB + {} GPUs x 1 GiB",
                                         format_bytes(out.shm), out.gpus_per_node));
  out.memory = out.shm + 4 * kGibibyte * uint64_t(out.gpus_per_node);
  out.arithmetic.push_back(fmt::format("memory {} = /dev/shm {} + {} GPU processes x 4 GiB",
                                       format_bytes(out.memory), format_bytes(out.shm),
                                       out.gpus_per_node));
}

void add_startup(PlannedModel& out, const Storage& storage, const Site& site) {
  const LoadRate rate = load_rate(storage, site.pool.topology);
  const double seconds =
      2 * (kSpawnSeconds + double(out.weight_bytes) / std::max(1.0, rate.bytes_per_second));
  out.startup_seconds = int(std::min(std::ceil(seconds), 1e8));
  out.arithmetic.push_back(fmt::format("startup {} s = 2 x (120 s + {:.4g} GB / {})",
                                       out.startup_seconds, double(out.weight_bytes) / 1e9,
                                       rate.words));
}

}  // namespace

Site::Site(const PlannedPool& where)
    : pool(where),
      host(where.topology, {"", 0, 0, kGpuShare}, 1),
      cores(int(placement::usable_cores(where.topology, {}).size())) {
  for (const Device& node : host.nodes) memory += node.memory;
  for (const auto& kind : host.kinds) gpus = std::max(gpus, int(kind.size()));
}

Result<PlannedModel> size_model(const ModelEntry& m, const ModelShape& given, Site& site,
                                const Storage& storage, bool on_gpus) {
  const ModelShape& shape = given;
  if (shape.max_context > 0 && m.context > shape.max_context)
    return Error{ErrorCode::kDataRefused,
                 fmt::format("model '{}': context {} is over the {} tokens it was trained for",
                             m.name, m.context, shape.max_context),
                 fmt::format("context: {} or less", shape.max_context)};
  const placement::PlanRequest request = request_for(m, shape);
  const Load load{placement::planned_context(request, shape), m.concurrency, request.kv_element};
  auto choice = choose(m, load, request, shape, site, on_gpus);
  if (!choice) return std::move(choice).error();
  PlannedModel out;
  out.entry = &m;
  out.shape = shape;
  out.pool = site.pool.name;
  out.cpu = !on_gpus;
  out.tensor = choice->cut.tp;
  out.pipeline = choice->cut.pp;
  out.nodes = choice->nodes;
  out.gpus_per_node = on_gpus ? choice->cut.ranks() / choice->nodes : 0;
  out.context = load.context;
  out.sequences = m.concurrency;
  // Rows of values are padded to 16 numbers there.
  const double padding =
      shape.head_dim > 0 ? double((shape.head_dim + 15) / 16 * 16) / double(shape.head_dim) : 1;
  out.kv_memory = round_up(choice->fit.kv * (1 + padding) / 2, kMebibyte);
  out.weight_bytes = shape.weight_bytes;
  out.kv_bytes_per_token =
      placement::whole(placement::kv_bytes_per_token(shape, request.kv_element));
  out.arithmetic = choice->fit.arithmetic;
  out.arithmetic.push_back(fmt::format(
      "kv {} B/token x {} tokens = {} a sequence", out.kv_bytes_per_token, out.context,
      format_bytes(placement::whole(placement::kv_bytes(shape, out.context, request.kv_element)))));
  if (!choice->slo_met)
    out.arithmetic.push_back("no number of GPUs here keeps the SLO, by the roofline");
  add_host_memory(out, *choice);
  add_startup(out, storage, site);
  return out;
}

}  // namespace aictl::platform
