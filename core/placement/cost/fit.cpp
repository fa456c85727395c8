#include "core/placement/cost/fit.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/base/units.hpp"
#include "core/placement/model/formats.hpp"

namespace aictl::placement {
namespace {

constexpr double kNcclBytes = 0.35e9, kFragmentation = 0.025, kCpuFixed = 0.1e9;
constexpr int64_t kLongest = int64_t{1} << 30;
constexpr int kMostSequences = 1 << 20, kMostRanks = 1024;

std::string text(double bytes) { return format_bytes(whole(bytes)); }

double weights_of(const ModelShape& s, const Cut& cut) {
  const double split = double(s.weight_bytes - std::min(s.replicated_bytes, s.weight_bytes));
  return (split / cut.tp + double(s.replicated_bytes)) / cut.pp;
}

// Stages are cut at layers, so the first ones may have one more.
double stage_share(const ModelShape& s, int pp) {
  const int64_t layers = std::max<int64_t>(s.layers, 1);
  return double((layers + pp - 1) / pp) / double(layers);
}

double kv_of(const ModelShape& s, const Cut& cut, const Load& load, Engine engine) {
  const int64_t block = facts(engine).block;
  const int64_t tokens = (load.context + block - 1) / block * block;
  return load.sequences * kv_rank_bytes(s, tokens, load.kv_element, cut.tp) *
         stage_share(s, cut.pp);
}

double activations_of(const ModelShape& s, const Cut& cut, const Load& load, Engine engine) {
  const EngineFacts& e = facts(engine);
  const double ffn =
      s.experts > 0 ? double(s.experts_used) * double(s.expert_ffn) * 2 : double(s.ffn);
  return e.step_tokens * (8.0 * double(s.hidden) + 4 * ffn / cut.tp) * e.activation +
         load.sequences * double(s.vocab) * 4 / cut.tp;
}

struct Needs {
  double weights, kv, activations, fixed;
  double sum() const { return weights + kv + activations + fixed; }
};

Needs needs_of(const ModelShape& s, const Cut& cut, const Load& load, Engine engine, bool cpu) {
  Needs n{weights_of(s, cut), kv_of(s, cut, load, engine), activations_of(s, cut, load, engine), 0};
  const EngineFacts& e = facts(engine);
  n.fixed = cpu ? kCpuFixed
                : e.context_bytes + e.graph_bytes + (cut.tp > 1 ? kNcclBytes : 0) +
                      kFragmentation * (n.weights + n.kv + n.activations);
  return n;
}

bool fits(const ModelShape& s, const Cut& cut, const Load& load, Engine engine, const Device& d,
          double utilisation) {
  return needs_of(s, cut, load, engine, d.cpu()).sum() <= usable_bytes(d, utilisation);
}

// The largest value in 1..most for which `good` holds, which it does up to some value; 0: none.
template <typename T, typename Good>
T largest(T most, Good good) {
  T low = 0;
  for (T high = most; low < high;) {
    const T middle = low + (high - low + 1) / 2;
    if (good(middle))
      low = middle;
    else
      high = middle - 1;
  }
  return low;
}

std::vector<std::string> arithmetic(const ModelShape& s, const Cut& cut, const Load& load,
                                    Engine engine, const Device& d, const Fit& fit,
                                    double utilisation) {
  const EngineFacts& e = facts(engine);
  const bool latent = !s.cache.empty() && s.cache.front().latent;
  const std::string shard =
      latent ? "on every rank (latent)"
             : fmt::format("/ {} (min of tp {}, kv heads {})",
                           std::min<int64_t>(cut.tp, std::max<int64_t>(s.kv_heads, 1)), cut.tp,
                           s.kv_heads);
  const std::string stage = cut.pp > 1 ? fmt::format(" / pp {}", cut.pp) : "";
  std::vector<std::string> lines;
  lines.push_back(fmt::format("weights {} = {} {} / tp {}{}, {} of it on every rank",
                              text(fit.weights), text(double(s.weight_bytes)), s.quant, cut.tp,
                              stage, text(double(s.replicated_bytes))));
  lines.push_back(fmt::format("kv cache {} = {} x {} tokens x {} {}{}", text(fit.kv),
                              counted(load.sequences, "sequence"), load.context,
                              kv_formula(s, load.kv_element), shard, stage));
  lines.push_back(
      fmt::format("activations {} = {} tokens x (8 x {} + 4 x {} / tp {}) x {} B + logits",
                  text(fit.activations), e.step_tokens, s.hidden,
                  s.experts > 0 ? s.experts_used * s.expert_ffn * 2 : s.ffn, cut.tp, e.activation));
  lines.push_back(fmt::format("fixed {} = {}", text(fit.fixed),
                              d.cpu()      ? "process"
                              : cut.tp > 1 ? "context, graphs, NCCL, 2.5 % fragmentation"
                                           : "context, graphs, 2.5 % fragmentation"));
  lines.push_back(fmt::format("need {} {} usable {} = ({} - {} taken) x {:.2f}{} on {} ({})",
                              text(fit.need()), fit.fits ? "<=" : ">", text(fit.usable),
                              text(d.memory), text(d.taken), utilisation,
                              d.consumer ? " - 0.6 GB for a display" : "", d.name, d.model));
  return lines;
}

}  // namespace

std::string counted(int64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

Fit fit_memory(const ModelShape& s, const Cut& cut, const Load& load, Engine engine,
               const Device& d, double utilisation) {
  const Needs n = needs_of(s, cut, load, engine, d.cpu());
  Fit fit{n.weights, n.kv, n.activations, n.fixed, usable_bytes(d, utilisation), false, 0, 0,
          0,         {}};
  fit.fits = fit.need() <= fit.usable;
  const int64_t longest = s.max_context > 0 ? s.max_context : kLongest;
  const auto with = [&](int64_t context, int sequences) {
    Load other = load;
    other.context = context;
    other.sequences = sequences;
    return fits(s, cut, other, engine, d, utilisation);
  };
  fit.max_context = largest<int64_t>(longest, [&](int64_t c) { return with(c, load.sequences); });
  fit.max_sequences = largest<int>(kMostSequences, [&](int b) { return with(load.context, b); });
  const double token = kv_rank_bytes(s, 1, load.kv_element, cut.tp) * stage_share(s, cut.pp);
  const double left = fit.usable - (fit.need() - fit.kv);
  const int64_t block = facts(engine).block;
  if (left > 0 && token > 0)
    fit.token_capacity = int64_t(std::min(1e15, left / (token * double(block)))) * block;
  fit.arithmetic = arithmetic(s, cut, load, engine, d, fit, utilisation);
  return fit;
}

std::string verdict(const ModelShape& s, const Cut& cut, const Load& load, Engine engine,
                    const Device& d, double utilisation) {
  const Fit fit = fit_memory(s, cut, load, engine, d, utilisation);
  const std::string bytes = fmt::format("{} a rank, {} usable", text(fit.need()), text(fit.usable));
  if (fit.fits) return fmt::format("fits: {}", bytes);
  if (fit.max_context >= std::min<int64_t>(load.context, 1024))
    return fmt::format("fits with ctx <= {}: {} sequences of {} need {}", fit.max_context,
                       load.sequences, load.context, bytes);
  if (fit.max_sequences > 0)
    return fmt::format("fits with {} sequences instead of {}: {}", fit.max_sequences,
                       load.sequences, bytes);
  const double now = bits_per_weight(s.quant).value_or(0);
  for (const std::string_view quant : quant_ladder())
    if (bits_per_weight(quant).value_or(99) < now &&
        fits(with_quant(s, std::string(quant)), cut, load, engine, d, utilisation))
      return fmt::format("fits with quant {} instead of {}: {}", quant, s.quant, bytes);
  for (int tp = cut.tp * 2; tp * cut.pp <= kMostRanks; tp *= 2)
    if (fits(s, {tp, cut.pp}, load, engine, d, utilisation))
      return fmt::format("needs {} {}: {}", tp * cut.pp, d.cpu() ? "memory nodes" : "GPUs", bytes);
  return fmt::format("does not fit: {}", bytes);
}

}  // namespace aictl::placement
