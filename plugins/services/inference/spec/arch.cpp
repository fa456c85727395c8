#include "plugins/services/inference/spec/arch.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "core/base/nearest.hpp"
#include "plugins/services/inference/spec/rope.hpp"

namespace aictl::inference {
namespace {

constexpr std::array<Arch, 3> kArchs = {{
    {"llama", "Llama, Mistral, SmolLM, Yi, TinyLlama", RopeStyle::kPair, QkvBias::kIfPresent,
     false},
    {"qwen2", "Qwen 2 and 2.5", RopeStyle::kHalf, QkvBias::kAlways, false},
    {"qwen3", "Qwen 3", RopeStyle::kHalf, QkvBias::kIfPresent, true},
}};

// Settings of other families. A file that turns one on means something the forward pass does not
// do.
constexpr std::array<std::string_view, 10> kMustBeOff = {
    "expert_count",         "attn_logit_softcapping",   "final_logit_softcapping",
    "logit_scale",          "embedding_scale",          "residual_scale",
    "attention.clamp_kqv",  "attention.max_alibi_bias", "nextn_predict_layers",
    "attention.q_lora_rank"};

constexpr int64_t kMaxLayers = 1024, kMaxWidth = 1 << 20, kMaxHeads = 4096;

Result<void> refuse_unsupported(const Meta& file, const std::string& prefix) {
  for (std::string_view setting : kMustBeOff) {
    auto value = file.number_or(prefix + std::string(setting), 0);
    if (!value) return std::move(value).error();
    if (*value != 0)
      return Error{ErrorCode::kUnsupported,
                   fmt::format("{}: key '{}{}': found {}, expected 0 or none", file.place(), prefix,
                               setting, *value),
                   "this variant of the architecture is not supported yet"};
  }
  auto causal = file.boolean_or(prefix + "attention.causal", true);
  if (!causal) return std::move(causal).error();
  if (!*causal)
    return Error{ErrorCode::kUnsupported,
                 fmt::format("{}: key '{}attention.causal': found false, expected true",
                             file.place(), prefix),
                 "encoders are not supported yet"};
  return {};
}

// A row of sizes: key, default (0: required), greatest value, where it goes.
struct Size {
  std::string key;
  int64_t fallback, high;
  int* into;
};

Result<void> read_sizes(const Meta& file, std::span<const Size> sizes) {
  for (const Size& size : sizes) {
    auto value = size.fallback > 0 ? file.integer_or(size.key, size.fallback, 1, size.high)
                                   : file.integer(size.key, 1, size.high);
    if (!value) return std::move(value).error();
    *size.into = static_cast<int>(*value);
  }
  return {};
}

Error refuse(const Meta& file, std::string what, std::string hint = "") {
  return {ErrorCode::kUnsupported, fmt::format("{}: {}", file.place(), what), std::move(hint)};
}

Result<void> read_heads(const Meta& file, const std::string& prefix, ModelSpec& spec) {
  const Size heads[] = {{prefix + "attention.head_count", 0, kMaxHeads, &spec.n_heads}};
  if (auto done = read_sizes(file, heads); !done) return done;
  const std::string key_length = prefix + "attention.key_length";
  if (!file.has(key_length) && spec.hidden % spec.n_heads != 0)
    return refuse(
        file, fmt::format("{} heads do not divide an embedding of {}", spec.n_heads, spec.hidden));
  const int even_share = std::max(1, spec.hidden / spec.n_heads);
  int value_length = 0;
  const Size rest[] = {
      {prefix + "attention.head_count_kv", spec.n_heads, kMaxHeads, &spec.n_kv_heads},
      {key_length, even_share, kMaxWidth, &spec.head_dim},
      {prefix + "attention.value_length", even_share, kMaxWidth, &value_length}};
  if (auto done = read_sizes(file, rest); !done) return done;
  if (spec.n_heads % spec.n_kv_heads != 0)
    return refuse(file,
                  fmt::format("{} kv heads do not divide {} heads", spec.n_kv_heads, spec.n_heads));
  if (value_length != spec.head_dim)
    return refuse(file, fmt::format("values of {} dimensions beside keys of {}", value_length,
                                    spec.head_dim));
  if (int64_t{spec.n_heads} * spec.head_dim > kMaxWidth)
    return refuse(file, fmt::format("{} heads of {} dimensions, expected at most {} in all",
                                    spec.n_heads, spec.head_dim, kMaxWidth));
  return {};
}

// The vocabulary is as long as the embedding table says; the metadata must not contradict it.
Result<int> read_vocab_size(const Meta& file, const std::string& prefix) {
  const FileTensor* table = file.tensor("token_embd.weight");
  if (!table)
    return Error{ErrorCode::kDataRefused,
                 fmt::format("{}: tensor 'token_embd.weight' is missing", file.place()),
                 file.tensors().empty() ? "the file holds a vocabulary and no weights" : ""};
  const int64_t rows = static_cast<int64_t>(table->dims[1]);  // below 2^31, the parser saw to it
  auto named = file.integer_or(prefix + "vocab_size", rows, 1, INT32_MAX);
  if (!named) return std::move(named).error();
  if (*named != rows)
    return Error{ErrorCode::kDataRefused,
                 fmt::format("{}: tensor 'token_embd.weight' has {} rows, key '{}vocab_size' says "
                             "{}",
                             file.place(), rows, prefix, *named),
                 ""};
  return static_cast<int>(rows);
}

Result<void> read_floats(const Meta& file, const std::string& prefix, ModelSpec& spec) {
  const std::string eps_key = prefix + "attention.layer_norm_rms_epsilon";
  auto eps = file.number(eps_key);
  if (!eps) return std::move(eps).error();
  if (!(*eps > 0 && *eps < 1))
    return Error{ErrorCode::kDataRefused,
                 fmt::format("{}: key '{}': found {}, expected a number between 0 and 1",
                             file.place(), eps_key, *eps),
                 ""};
  spec.norm_eps = static_cast<float>(*eps);
  auto scale = file.number_or(prefix + "attention.scale", 0);
  if (!scale) return std::move(scale).error();
  spec.attn_scale =
      static_cast<float>(*scale != 0 ? *scale : 1 / std::sqrt(static_cast<double>(spec.head_dim)));
  return {};
}

// Within its window, windowed attention sees all there is: such a model runs with full attention up
// to the window's length.
Result<void> bound_context_by_window(const Meta& file, const std::string& prefix, ModelSpec& spec) {
  auto window = file.integer_or(prefix + "attention.sliding_window", 0, 0, INT32_MAX);
  if (!window) return std::move(window).error();
  if (*window > 0) spec.max_positions = std::min(spec.max_positions, static_cast<int>(*window));
  return {};
}

bool has_bias(const Meta& file, const Arch& arch) {
  if (arch.qkv_bias == QkvBias::kIfPresent) return file.tensor("blk.0.attn_q.bias") != nullptr;
  return arch.qkv_bias == QkvBias::kAlways;
}

}  // namespace

std::span<const Arch> archs() { return kArchs; }

Result<const Arch*> find_arch(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Arch& arch : kArchs) {
    if (arch.name == name) return &arch;
    names.push_back(arch.name);
  }
  std::string hint = did_you_mean(name, names);
  return Error{
      ErrorCode::kUnsupported, fmt::format("architecture '{}' is not supported", name),
      hint.empty() ? fmt::format("supported are {}", fmt::join(names, ", ")) : std::move(hint)};
}

Result<ModelSpec> read_spec(const Meta& file) {
  auto name = file.text("general.architecture");
  if (!name) return std::move(name).error();
  auto arch = find_arch(name->substr(0, 64));
  if (!arch) return std::move(arch).error().within(file.place());
  const std::string prefix = fmt::format("{}.", *name);
  if (auto done = refuse_unsupported(file, prefix); !done) return std::move(done).error();

  ModelSpec spec;
  spec.arch = *name;
  auto title = file.text_or("general.name", "");
  if (!title) return std::move(title).error();
  spec.name = title->substr(0, 256);
  const Size sizes[] = {{prefix + "block_count", 0, kMaxLayers, &spec.n_layers},
                        {prefix + "embedding_length", 0, kMaxWidth, &spec.hidden},
                        {prefix + "feed_forward_length", 0, kMaxWidth, &spec.ffn},
                        {prefix + "context_length", 0, INT32_MAX, &spec.max_positions}};
  if (auto done = read_sizes(file, sizes); !done) return std::move(done).error();
  if (auto done = read_heads(file, prefix, spec); !done) return std::move(done).error();
  if (auto done = read_floats(file, prefix, spec); !done) return std::move(done).error();
  if (auto done = bound_context_by_window(file, prefix, spec); !done)
    return std::move(done).error();
  auto vocab = read_vocab_size(file, prefix);
  if (!vocab) return std::move(vocab).error();
  spec.vocab = *vocab;
  auto rope = read_rope(file, *name, (*arch)->rope, spec.head_dim);
  if (!rope) return std::move(rope).error();
  spec.rope = std::move(*rope);
  spec.qk_norm = (*arch)->qk_norm;
  spec.qkv_bias = has_bias(file, **arch);
  spec.tied_head = file.tensor("output.weight") == nullptr;
  return spec;
}

}  // namespace aictl::inference
