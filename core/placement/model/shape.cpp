#include "core/placement/model/shape.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/placement/model/formats.hpp"

namespace aictl::placement {
namespace {

int64_t held(const CacheLayers& run, int64_t tokens) {
  return run.window > 0 ? std::min(tokens, run.window) : tokens;
}

}  // namespace

uint64_t whole(double count) {
  if (!(count > 0)) return 0;
  return count < 1e18 ? uint64_t(count) : uint64_t{1'000'000'000'000'000'000};
}

double ModelShape::active_parameters() const {
  const double total = double(parameters), routed = double(expert_parameters);
  if (experts <= 0) return total;
  return total - routed + routed * double(experts_used) / double(experts);
}

double kv_bytes(const ModelShape& shape, int64_t tokens, double element) {
  double sum = double(shape.state_values) * element;
  for (const CacheLayers& run : shape.cache)
    sum += double(run.layers) * double(run.values) * double(held(run, tokens)) * element;
  return sum;
}

double kv_bytes_per_token(const ModelShape& shape, double element) {
  double sum = 0;
  for (const CacheLayers& run : shape.cache) sum += double(run.layers) * double(run.values);
  return sum * element;
}

double kv_rank_bytes(const ModelShape& shape, int64_t tokens, double element, int tp) {
  const int64_t split = std::clamp<int64_t>(tp, 1, std::max<int64_t>(shape.kv_heads, 1));
  double sum = double(shape.state_values) * element / tp;
  for (const CacheLayers& run : shape.cache)
    sum += double(run.layers) * double(run.values) * double(held(run, tokens)) * element /
           (run.latent ? 1.0 : double(split));
  return sum;
}

std::string kv_formula(const ModelShape& shape, double element) {
  const bool windowed =
      std::ranges::any_of(shape.cache, [](const CacheLayers& run) { return run.window > 0; });
  std::string text;
  if (!windowed) {
    text = fmt::format("{:.0f} B/token", kv_bytes_per_token(shape, element));
  } else {
    const bool alike = std::ranges::all_of(shape.cache, [&](const CacheLayers& run) {
      return run.values == shape.cache.front().values;
    });
    for (const CacheLayers& run : shape.cache) {
      const std::string tokens = run.window > 0 ? fmt::format("min(ctx,{})", run.window) : "ctx";
      text += text.empty() ? "" : " + ";
      text += alike ? fmt::format("{}*{}", run.layers, tokens)
                    : fmt::format("{:.0f}*{}*{}", double(run.values) * element, run.layers, tokens);
    }
    if (alike)
      text = fmt::format("{:.0f}*({}) B", double(shape.cache.front().values) * element, text);
  }
  if (shape.state_values > 0)
    text += fmt::format(" + {:.0f} B/sequence", double(shape.state_values) * element);
  return text;
}

double grouped_attention(const ModelShape& s) {
  return double(s.hidden) * double(s.head_dim) * double(2 * s.heads + 2 * s.kv_heads);
}

void count_parameters(ModelShape& s, int64_t dense_layers, int64_t shared_ffn, double attention) {
  const double d = double(s.hidden), L = double(s.layers);
  const double moe = s.experts > 0 ? L - double(dense_layers) : 0;
  const double table = double(s.vocab) * d;
  const double norms = 2 * d * L + d;
  const double router = moe * d * double(s.experts);
  const double routed = moe * double(s.experts) * 3 * d * double(s.expert_ffn);
  const double dense = (L - moe) * 3 * d * double(s.ffn) + moe * 3 * d * double(shared_ffn);
  const double matrices = L * attention + dense + routed + table * (s.tied_head ? 1 : 2);
  s.parameters = whole(matrices + norms + router);
  s.expert_parameters = whole(routed);
  if (s.exact) return;
  const double weight = bits_per_weight(s.quant).value_or(16) / 8;
  s.replicated_bytes = whole((norms + router) * 2);
  s.expert_bytes = whole(routed * weight);
  s.lookup_bytes = s.tied_head ? 0 : whole(table * weight);
  s.weight_bytes = whole(matrices * weight) + s.replicated_bytes;
  s.quant_group = uint64_t(quant_block(s.quant));
}

ModelShape with_quant(ModelShape s, const std::string& quant) {
  const auto from = bits_per_weight(s.quant), to = bits_per_weight(quant);
  if (!from || !to || *from <= 0) return s;
  const double scale = *to / *from;
  const auto scaled = [&](uint64_t bytes) { return whole(double(bytes) * scale); };
  s.weight_bytes = scaled(s.weight_bytes - s.replicated_bytes) + s.replicated_bytes;
  s.expert_bytes = scaled(s.expert_bytes);
  s.lookup_bytes = scaled(s.lookup_bytes);
  s.quant_group = uint64_t(quant_block(quant));
  s.exact = s.exact && quant == s.quant;
  s.quant = quant;
  return s;
}

}  // namespace aictl::placement
