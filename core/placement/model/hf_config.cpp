#include "core/placement/model/hf_config.hpp"

#include <algorithm>
#include <initializer_list>

#include <fmt/format.h>

#include "core/placement/model/formats.hpp"

namespace aictl::placement {
namespace {

constexpr int64_t kMost = int64_t{1} << 24;  // of any dimension: products stay inside 2^63

// Reads integers by any of several names; remembers the first that does not read.
class Reader {
 public:
  Reader(const Json& config, std::string_view place) : config_(config), place_(place) {}

  int64_t get(std::initializer_list<const char*> names, int64_t fallback) {
    for (const char* name : names) {
      const auto at = config_.find(name);
      if (at == config_.end() || at->is_null()) continue;
      if (at->is_number_integer() && at->get<int64_t>() >= 0 && at->get<int64_t>() <= kMost)
        return at->get<int64_t>();
      fail(name, *at, fmt::format("an integer in 0..{}", kMost));
      return fallback;
    }
    return fallback;
  }

  int64_t need(std::initializer_list<const char*> names, int64_t most) {
    const int64_t value = get(names, 0);
    if (!error_ && (value < 1 || value > most))
      error_ = Error{ErrorCode::kDataRefused,
                     fmt::format("{}: key '{}': found {}, expected an integer in 1..{}", place_,
                                 *names.begin(), value == 0 ? "none" : std::to_string(value), most),
                     "it has to be the config.json of a language model"};
    return value;
  }

  bool flag(const char* name, bool fallback) const {
    const auto at = config_.find(name);
    return at != config_.end() && at->is_boolean() ? at->get<bool>() : fallback;
  }

  std::string text(const char* name) const {
    const auto at = config_.find(name);
    return at != config_.end() && at->is_string() ? at->get<std::string>().substr(0, 64) : "";
  }

  const Json* list(const char* name) const {
    const auto at = config_.find(name);
    return at != config_.end() && at->is_array() ? &*at : nullptr;
  }

  const std::optional<Error>& error() const { return error_; }

 private:
  void fail(const char* name, const Json& found, const std::string& expected) {
    if (!error_)
      error_ = Error{ErrorCode::kDataRefused,
                     fmt::format("{}: key '{}': found {}, expected {}", place_, name,
                                 dump_json(found).substr(0, 64), expected),
                     ""};
  }

  const Json& config_;
  std::string place_;
  std::optional<Error> error_;
};

// How many layers see everything, only a window, or keep a state.
struct LayerKinds {
  int full = 0, windowed = 0, recurrent = 0;
  int64_t window = 0;
};

LayerKinds kinds_from_list(const Json& types, int64_t layers, int64_t window) {
  LayerKinds kinds{0, 0, 0, window};
  for (const Json& type : types) {
    const std::string word = type.is_string() ? type.get<std::string>() : "";
    if (word.find("sliding") != word.npos || word.find("chunked") != word.npos)
      ++kinds.windowed;
    else if (word.find("linear") != word.npos || word.find("mamba") != word.npos ||
             word.find("recurrent") != word.npos || word.find("conv") != word.npos)
      ++kinds.recurrent;
    else
      ++kinds.full;
    if (kinds.full + kinds.windowed + kinds.recurrent == layers) break;
  }
  if (window == 0) kinds.full += kinds.windowed, kinds.windowed = 0;
  return kinds;
}

// Which layers have a window, when the config does not list them one by one.
LayerKinds kinds_from_rule(Reader& read, const std::string& type, int64_t layers, int64_t window) {
  LayerKinds kinds{int(layers), 0, 0, window};
  int64_t every = read.get({"sliding_window_pattern", "_sliding_window_pattern"}, 0);
  if (every == 0 && type.starts_with("gemma3")) every = 6;
  if (every == 0 && (type == "gemma2" || type == "gpt_oss")) every = 2;
  if (window > 0 && read.flag("use_sliding_window", true)) {
    // Qwen2 gives a window to the layers from max_window_layers on; the others to all.
    const int64_t first = type.starts_with("qwen") ? read.get({"max_window_layers"}, layers) : 0;
    kinds.full = int(every > 0 ? layers / every : std::min(first, layers));
    kinds.windowed = int(layers) - kinds.full;
  }
  const int64_t attention_every = read.get({"attn_layer_period", "full_attention_interval"}, 0);
  if (attention_every > 1 && kinds.windowed == 0) {
    kinds.full = int(layers / attention_every);
    kinds.recurrent = int(layers) - kinds.full;
  }
  if (type == "mamba" || type == "mamba2") kinds = {0, 0, int(layers), 0};
  return kinds;
}

// Numbers a recurrent layer keeps for a sequence: its state and the tail of its convolution.
double state_of_layer(Reader& read, int64_t hidden) {
  const int64_t value_heads = read.get({"linear_num_value_heads"}, 0);
  if (value_heads > 0) {
    const int64_t key_heads = read.get({"linear_num_key_heads"}, value_heads);
    const int64_t key = read.get({"linear_key_head_dim"}, 128);
    const int64_t value = read.get({"linear_value_head_dim"}, 128);
    const int64_t convolution = read.get({"linear_conv_kernel_dim"}, 4);
    return double(value_heads) * double(key) * double(value) +
           double(convolution) * double(2 * key_heads * key + value_heads * value);
  }
  const int64_t inner = read.get({"mamba_d_inner", "intermediate_size"},
                                 std::min(kMost, hidden * read.get({"mamba_expand", "expand"}, 2)));
  const int64_t state = read.get({"mamba_d_state", "state_size", "ssm_state_size"}, 128);
  const int64_t convolution = read.get({"mamba_d_conv", "conv_kernel"}, 4);
  const int64_t groups = read.get({"mamba_n_groups", "n_groups"}, 1);
  return double(inner) * double(state) + double(convolution) * double(inner + 2 * groups * state);
}

std::string quant_of(const Json& config) {
  const auto quantised = config.find("quantization_config");
  if (quantised != config.end() && quantised->is_object()) {
    const auto method = quantised->find("quant_method");
    const std::string word =
        method != quantised->end() && method->is_string() ? method->get<std::string>() : "";
    const std::string name = canonical_quant(word);
    if (!name.empty()) return name;
    const auto bits = quantised->find("bits");
    if (bits != quantised->end() && bits->is_number_integer())
      return bits->get<int64_t>() == 4 ? "INT4" : "INT8";
  }
  for (const char* key : {"torch_dtype", "dtype"}) {
    const auto type = config.find(key);
    if (type == config.end() || !type->is_string()) continue;
    const std::string word = type->get<std::string>();
    if (word == "float32") return "F32";
    if (word == "float16") return "F16";
    if (word.starts_with("float8")) return "FP8";
  }
  return "BF16";
}

// Latent attention: fills the cache and returns the parameters of a layer's attention.
double read_latent(Reader& read, ModelShape& s) {
  const int64_t rank = read.get({"kv_lora_rank"}, 0), rope = read.get({"qk_rope_head_dim"}, 64);
  const int64_t nope = read.get({"qk_nope_head_dim"}, 128), value = read.get({"v_head_dim"}, 128);
  const int64_t query_rank = read.get({"q_lora_rank"}, 0);
  s.cache = {{int(s.layers), rank + rope, 0, true}};
  s.head_dim = nope + rope;
  const double d = double(s.hidden), h = double(s.heads);
  const double query = query_rank > 0 ? double(query_rank) * (d + h * double(nope + rope))
                                      : d * h * double(nope + rope);
  return query + d * double(rank + rope) + double(rank) * h * double(nope + value) +
         h * double(value) * d;
}

double read_grouped(Reader& read, const std::string& type, ModelShape& s) {
  const int64_t window = read.get({"sliding_window", "attention_chunk_size"}, 0);
  const Json* types = read.list("layer_types");
  const LayerKinds kinds = types ? kinds_from_list(*types, s.layers, window)
                                 : kinds_from_rule(read, type, s.layers, window);
  const int64_t values = 2 * s.kv_heads * s.head_dim;
  if (kinds.full > 0) s.cache.push_back({kinds.full, values, 0, false});
  if (kinds.windowed > 0) s.cache.push_back({kinds.windowed, values, kinds.window, false});
  if (kinds.recurrent > 0)
    s.state_values = int64_t(std::min(1e18, kinds.recurrent * state_of_layer(read, s.hidden)));
  return grouped_attention(s);
}

void read_dimensions(Reader& read, const std::string& type, ModelShape& s) {
  s.layers = read.need({"num_hidden_layers", "n_layer", "num_layers", "n_layers"}, 4096);
  s.hidden = read.need({"hidden_size", "n_embd", "d_model"}, 1 << 20);
  s.heads = read.get({"num_attention_heads", "n_head", "n_heads"}, 0);
  if (type.starts_with("mamba") && s.heads == 0) s.heads = 1;
  if (s.heads == 0) s.heads = read.need({"num_attention_heads"}, 1 << 16);
  s.kv_heads = read.get({"num_key_value_heads", "num_kv_heads"}, 0);
  if (s.kv_heads == 0) s.kv_heads = read.flag("multi_query", false) ? 1 : s.heads;
  s.head_dim = read.get({"head_dim"}, 0);
  if (s.head_dim == 0) s.head_dim = s.hidden / std::max<int64_t>(s.heads, 1);
  s.ffn = read.get({"intermediate_size", "n_inner", "ffn_dim"}, 4 * s.hidden);
  s.vocab = read.get({"vocab_size"}, type.starts_with("gemma3") ? 262208 : 32000);
  s.max_context = read.get({"max_position_embeddings", "n_positions", "seq_length"}, 0);
  s.tied_head = read.flag("tie_word_embeddings", type.starts_with("gemma") || type == "gpt2");
  s.experts = read.get({"n_routed_experts", "num_local_experts", "num_experts"}, 0);
  s.experts_used = read.get({"num_experts_per_tok", "num_experts_per_token", "moe_top_k"},
                            s.experts > 0 ? 2 : 0);
  s.experts_used = std::min(s.experts_used, s.experts);
  s.expert_ffn = read.get({"moe_intermediate_size", "expert_ffn_hidden_size"}, s.ffn);
}

}  // namespace

Result<ModelShape> shape_from_config(const Json& whole, std::string_view place,
                                     std::string_view quant) {
  if (!whole.is_object())
    return Error{ErrorCode::kDataRefused,
                 fmt::format("{}: found {}, expected an object", place, whole.type_name()), ""};
  const auto text = whole.find("text_config");
  const Json& config = text != whole.end() && text->is_object() ? *text : whole;
  Reader read(config, place);
  ModelShape s;
  const std::string type = read.text("model_type");
  s.architecture = type.empty() ? "unknown" : type;
  s.source = "config";
  s.quant = quant.empty() ? quant_of(whole.contains("quantization_config") ? whole : config)
                          : canonical_quant(quant);
  if (s.quant.empty())
    return Error{ErrorCode::kInvalidArgument, fmt::format("no weight format '{}' is known", quant),
                 "such as bf16, fp8, q8_0, q4_k_m or awq"};
  read_dimensions(read, type, s);
  if (read.error()) return *read.error();
  const bool latent = read.get({"kv_lora_rank"}, 0) > 0;
  const double attention = latent ? read_latent(read, s) : read_grouped(read, type, s);
  const int64_t shared =
      read.get({"shared_expert_intermediate_size"},
               read.get({"n_shared_experts", "num_shared_experts"}, 0) * s.expert_ffn);
  const int64_t dense = std::min(read.get({"first_k_dense_replace"}, 0), s.layers);
  if (read.error()) return *read.error();
  count_parameters(s, dense, shared, attention);
  return s;
}

}  // namespace aictl::placement
