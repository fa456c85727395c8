#include "core/placement/model/families.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "core/base/nearest.hpp"
#include "core/placement/model/formats.hpp"

namespace aictl::placement {
namespace {

// What a family's layers differ in beyond their sizes.
struct Mixture {
  int64_t experts = 0, used = 0, ffn = 0, shared_ffn = 0, dense_layers = 0;
};
struct Latent {
  int64_t rank = 0, rope = 0, nope = 0, value = 0, query_rank = 0;
};

struct Known {
  std::string_view family, size;
  int64_t layers, hidden, heads, kv_heads, head_dim, ffn, vocab, context;
  bool tied = false;
  int64_t window = 0, every = 0;  // each `every`-th layer is full, the others have a window
  Mixture mixture = {};
  Latent latent = {};
};

constexpr Known kKnown[] = {
    {"llama", "1b", 16, 2048, 32, 8, 64, 8192, 128256, 131072, true},
    {"llama", "3b", 28, 3072, 24, 8, 128, 8192, 128256, 131072, true},
    {"llama", "8b", 32, 4096, 32, 8, 128, 14336, 128256, 131072},
    {"llama", "70b", 80, 8192, 64, 8, 128, 28672, 128256, 131072},
    {"llama", "405b", 126, 16384, 128, 8, 128, 53248, 128256, 131072},
    {"llama2", "7b", 32, 4096, 32, 32, 128, 11008, 32000, 4096},
    {"llama2", "13b", 40, 5120, 40, 40, 128, 13824, 32000, 4096},
    {"llama2", "70b", 80, 8192, 64, 8, 128, 28672, 32000, 4096},
    {"mistral", "7b", 32, 4096, 32, 8, 128, 14336, 32768, 32768},
    {"mistral", "24b", 40, 5120, 32, 8, 128, 32768, 131072, 131072},
    {"mixtral",
     "8x7b",
     32,
     4096,
     32,
     8,
     128,
     14336,
     32000,
     32768,
     false,
     0,
     0,
     {8, 2, 14336, 0, 0}},
    {"mixtral",
     "8x22b",
     56,
     6144,
     48,
     8,
     128,
     16384,
     32768,
     65536,
     false,
     0,
     0,
     {8, 2, 16384, 0, 0}},
    {"qwen2.5", "0.5b", 24, 896, 14, 2, 64, 4864, 151936, 32768, true},
    {"qwen2.5", "1.5b", 28, 1536, 12, 2, 128, 8960, 151936, 32768, true},
    {"qwen2.5", "3b", 36, 2048, 16, 2, 128, 11008, 151936, 32768, true},
    {"qwen2.5", "7b", 28, 3584, 28, 4, 128, 18944, 152064, 32768},
    {"qwen2.5", "14b", 48, 5120, 40, 8, 128, 13824, 152064, 32768},
    {"qwen2.5", "32b", 64, 5120, 40, 8, 128, 27648, 152064, 32768},
    {"qwen2.5", "72b", 80, 8192, 64, 8, 128, 29568, 152064, 32768},
    {"qwen3", "0.6b", 28, 1024, 16, 8, 128, 3072, 151936, 40960, true},
    {"qwen3", "1.7b", 28, 2048, 16, 8, 128, 6144, 151936, 40960, true},
    {"qwen3", "4b", 36, 2560, 32, 8, 128, 9728, 151936, 40960, true},
    {"qwen3", "8b", 36, 4096, 32, 8, 128, 12288, 151936, 40960},
    {"qwen3", "14b", 40, 5120, 40, 8, 128, 17408, 151936, 40960},
    {"qwen3", "32b", 64, 5120, 64, 8, 128, 25600, 151936, 40960},
    {"qwen3",
     "30b-a3b",
     48,
     2048,
     32,
     4,
     128,
     6144,
     151936,
     40960,
     false,
     0,
     0,
     {128, 8, 768, 0, 0}},
    {"qwen3",
     "235b-a22b",
     94,
     4096,
     64,
     4,
     128,
     12288,
     151936,
     40960,
     false,
     0,
     0,
     {128, 8, 1536, 0, 0}},
    {"gemma2", "2b", 26, 2304, 8, 4, 256, 9216, 256000, 8192, true, 4096, 2},
    {"gemma2", "9b", 42, 3584, 16, 8, 256, 14336, 256000, 8192, true, 4096, 2},
    {"gemma2", "27b", 46, 4608, 32, 16, 128, 36864, 256000, 8192, true, 4096, 2},
    {"gemma3", "1b", 26, 1152, 4, 1, 256, 6912, 262144, 32768, true, 512, 6},
    {"gemma3", "4b", 34, 2560, 8, 4, 256, 10240, 262208, 131072, true, 1024, 6},
    {"gemma3", "12b", 48, 3840, 16, 8, 256, 15360, 262208, 131072, true, 1024, 6},
    {"gemma3", "27b", 62, 5376, 32, 16, 128, 21504, 262208, 131072, true, 1024, 6},
    {"phi3", "3.8b", 32, 3072, 32, 32, 96, 8192, 32064, 131072},
    {"phi4", "14b", 40, 5120, 40, 10, 128, 17920, 100352, 16384},
    {"deepseek-v2",
     "16b",
     27,
     2048,
     16,
     16,
     192,
     10944,
     102400,
     163840,
     false,
     0,
     0,
     {64, 6, 1408, 2816, 1},
     {512, 64, 128, 128, 0}},
    {"deepseek-v3",
     "671b",
     61,
     7168,
     128,
     128,
     192,
     18432,
     129280,
     163840,
     false,
     0,
     0,
     {256, 8, 2048, 2048, 3},
     {512, 64, 128, 128, 1536}},
    {"deepseek-r1",
     "671b",
     61,
     7168,
     128,
     128,
     192,
     18432,
     129280,
     163840,
     false,
     0,
     0,
     {256, 8, 2048, 2048, 3},
     {512, 64, 128, 128, 1536}},
    {"gpt-oss",
     "20b",
     24,
     2880,
     64,
     8,
     64,
     2880,
     201088,
     131072,
     false,
     128,
     2,
     {32, 4, 2880, 0, 0}},
    {"gpt-oss",
     "120b",
     36,
     2880,
     64,
     8,
     64,
     2880,
     201088,
     131072,
     false,
     128,
     2,
     {128, 4, 2880, 0, 0}},
    {"smollm2", "135m", 30, 576, 9, 3, 64, 1536, 49152, 8192, true},
    {"smollm2", "360m", 32, 960, 15, 5, 64, 2560, 49152, 8192, true},
    {"smollm2", "1.7b", 24, 2048, 32, 32, 64, 8192, 49152, 8192, true},
};

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t colon = text.find(':');
    parts.push_back(text.substr(0, colon));
    if (colon == std::string_view::npos) return parts;
    text.remove_prefix(colon + 1);
  }
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

double latent_attention(const Known& k) {
  const double d = double(k.hidden), h = double(k.heads);
  const Latent& l = k.latent;
  const double query = l.query_rank > 0 ? double(l.query_rank) * (d + h * double(l.nope + l.rope))
                                        : d * h * double(l.nope + l.rope);
  return query + d * double(l.rank + l.rope) + double(l.rank) * h * double(l.nope + l.value) +
         h * double(l.value) * d;
}

ModelShape shape_of(const Known& k, const std::string& quant) {
  ModelShape s;
  s.architecture = k.family;
  s.source = "table";
  s.quant = quant;
  s.layers = k.layers, s.hidden = k.hidden, s.heads = k.heads, s.kv_heads = k.kv_heads;
  s.head_dim = k.head_dim, s.ffn = k.ffn, s.vocab = k.vocab, s.max_context = k.context;
  s.tied_head = k.tied;
  s.experts = k.mixture.experts, s.experts_used = k.mixture.used, s.expert_ffn = k.mixture.ffn;
  if (k.latent.rank > 0) {
    s.cache = {{int(k.layers), k.latent.rank + k.latent.rope, 0, true}};
  } else {
    const int64_t values = 2 * k.kv_heads * k.head_dim;
    const int full = int(k.every > 0 ? k.layers / k.every : k.layers);
    s.cache = {{full, values, 0, false}};
    if (full < k.layers) s.cache.push_back({int(k.layers) - full, values, k.window, false});
  }
  count_parameters(s, k.mixture.dense_layers, k.mixture.shared_ffn,
                   k.latent.rank > 0 ? latent_attention(k) : grouped_attention(s));
  return s;
}

Error unknown(std::string_view family, std::string_view size) {
  std::vector<std::string_view> families, sizes;
  for (const Known& k : kKnown) {
    if (families.empty() || families.back() != k.family) families.push_back(k.family);
    if (k.family == family) sizes.push_back(k.size);
  }
  if (!sizes.empty())
    return {ErrorCode::kNotFound, fmt::format("no size '{}' of '{}' is known", size, family),
            fmt::format("known are {}; --config takes any model's config.json",
                        fmt::join(sizes, ", "))};
  std::string hint = did_you_mean(family, families);
  return {ErrorCode::kNotFound, fmt::format("no model family '{}' is known", family),
          hint.empty() ? fmt::format("known are {}; --config takes any model's config.json",
                                     fmt::join(families, ", "))
                       : std::move(hint)};
}

}  // namespace

bool looks_like_shape(std::string_view text) {
  const auto parts = split(text);
  return (parts.size() == 2 || parts.size() == 3) && text.find('/') == std::string_view::npos &&
         std::ranges::none_of(parts, [](std::string_view part) { return part.empty(); });
}

Result<ModelShape> known_shape(std::string_view text, std::string_view default_quant) {
  const auto parts = split(text);
  const std::string family = lower(parts[0]), size = parts.size() > 1 ? lower(parts[1]) : "";
  const std::string_view wanted = parts.size() > 2 ? parts[2] : default_quant;
  const std::string quant = canonical_quant(wanted);
  if (quant.empty())
    return Error{ErrorCode::kInvalidArgument, fmt::format("no weight format '{}' is known", wanted),
                 "such as bf16, fp8, q8_0, q6_k, q4_k_m or awq"};
  for (const Known& k : kKnown)
    if (k.family == family && k.size == size) {
      ModelShape shape = shape_of(k, quant);
      shape.name = text;
      return shape;
    }
  return unknown(family, size);
}

}  // namespace aictl::placement
