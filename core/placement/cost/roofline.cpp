#include "core/placement/cost/roofline.hpp"

#include <algorithm>
#include <cmath>

namespace aictl::placement {
namespace {

constexpr double kActivation = 2;  // bytes of what ranks exchange
constexpr double kHopStart = 10e-6;
constexpr int64_t kShortPrompt = 512;

double read_share(const Device& d) { return d.cpu() ? 0.70 : d.consumer ? 0.65 : 0.75; }

// A CPU's arithmetic is given as reached already (cores x clock x vector rate x 0.6).
double prefill_share(const Device& d, int64_t tokens) {
  return d.cpu() ? 1.0 : tokens < kShortPrompt ? 0.35 : 0.50;
}
double decode_share(const Device& d) { return d.cpu() ? 1.0 : 0.25; }

double flops(const ModelShape& s, const Device& d) {
  const bool eight_bit = s.quant == "FP8" && d.fp8_tflops > 0;
  return (eight_bit ? d.fp8_tflops : d.tflops) * 1e12;
}

// Weights a step reads: of routed experts those that any of its tokens wants.
double weights_read(const ModelShape& s, double tokens) {
  const double routed = double(s.expert_bytes);
  const double dense = double(s.weight_bytes) - routed - double(s.lookup_bytes);
  if (s.experts <= 0) return std::max(0.0, dense + routed);
  const double idle = std::pow(1 - double(s.experts_used) / double(s.experts), tokens);
  return std::max(0.0, dense) + routed * (1 - idle);
}

double communication(const ModelShape& s, const Cut& cut, const Ground& g, double tokens) {
  const double bytes = tokens * double(s.hidden) * kActivation;
  return 2.0 * double(s.layers) * all_reduce_seconds(bytes, cut.tp, g.fabric);
}

double hops(const ModelShape& s, const Cut& cut, const Ground& g, double tokens) {
  return (cut.pp - 1) * (kHopStart + tokens * double(s.hidden) * kActivation / (g.hop_gbs * 1e9));
}

}  // namespace

DecodeStep decode_step(const ModelShape& s, const Cut& cut, const Ground& g, int batch,
                       double context, double kv_element) {
  DecodeStep step;
  // Latent caches are on every rank, so tensor parallelism does not divide reading them.
  const double cache = batch * kv_rank_bytes(s, int64_t(context), kv_element, cut.tp) * cut.tp;
  step.read_bytes = weights_read(s, batch) + cache;
  step.read = step.read_bytes / (cut.tp * g.device.gbs * 1e9 * read_share(g.device));
  step.compute =
      2 * s.active_parameters() * batch / (cut.tp * flops(s, g.device) * decode_share(g.device));
  step.communication = communication(s, cut, g, batch);
  step.overhead = step_overhead(g.engine, s, g.device.cpu());
  step.hops = hops(s, cut, g, batch);
  step.bound = step.read >= step.compute ? "memory" : "compute";
  return step;
}

Prefill prefill(const ModelShape& s, const Cut& cut, const Ground& g, int64_t tokens) {
  const int64_t chunk = std::max(1, facts(g.engine).step_tokens);
  const double chunks = double((tokens + chunk - 1) / chunk);
  const double n = double(tokens);
  Prefill p;
  p.compute = (2 * s.active_parameters() * n +
               2.0 * double(s.layers) * double(s.heads) * double(s.head_dim) * n * n) /
              (cut.tp * flops(s, g.device) * prefill_share(g.device, tokens));
  p.read = chunks * weights_read(s, double(std::min(tokens, chunk))) /
           (cut.tp * g.device.gbs * 1e9 * read_share(g.device));
  p.communication = communication(s, cut, g, n);
  p.hops = hops(s, cut, g, n);
  p.overhead = chunks * step_overhead(g.engine, s, g.device.cpu());
  return p;
}

AcrossSockets across_sockets(const ModelShape& s, const Ground& local, int local_tp,
                             const Ground& across, int across_tp, int batch, double context,
                             double kv_element) {
  const Cut near{local_tp, 1}, far{across_tp, 1};
  const DecodeStep a = decode_step(s, near, local, batch, context, kv_element);
  const DecodeStep b = decode_step(s, far, across, batch, context, kv_element);
  return {a.read - b.read, b.communication - a.communication};
}

}  // namespace aictl::placement
