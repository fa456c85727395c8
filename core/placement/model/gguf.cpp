#include "core/placement/model/gguf.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "core/placement/model/formats.hpp"

namespace aictl::placement {
namespace {

constexpr int64_t kMost = int64_t{1} << 24;

// Architectures in which each n-th layer sees everything and the file does not say so.
constexpr std::pair<std::string_view, int> kEvery[] = {
    {"gemma2", 2}, {"gemma3", 6}, {"gpt-oss", 2}, {"cohere2", 4}, {"llama4", 4}, {"exaone4", 4}};

// The metadata of an architecture: values by the key behind its prefix.
class Metadata {
 public:
  Metadata(const Json& tree, const std::string& architecture)
      : tree_(tree), prefix_(architecture + ".") {}

  const Json* find(const std::string& key) const {
    const auto at = tree_.find(prefix_ + key);
    return at == tree_.end() ? nullptr : &*at;
  }

  /// An integer; of an array, one a layer, the largest.
  int64_t integer(const std::string& key, int64_t fallback) const {
    const Json* value = find(key);
    if (!value) return fallback;
    if (!value->is_array()) return plain(*value, fallback);
    int64_t most = 0;
    for (const Json& item : *value) most = std::max(most, plain(item, 0));
    return most;
  }

  /// The value of layer `layer`, whether the file has one a layer or one for all.
  int64_t of_layer(const std::string& key, size_t layer, int64_t fallback) const {
    const Json* value = find(key);
    if (!value) return fallback;
    if (!value->is_array()) return plain(*value, fallback);
    return layer < value->size() ? plain((*value)[layer], fallback) : fallback;
  }

 private:
  static int64_t plain(const Json& value, int64_t fallback) {
    if (value.is_boolean()) return value.get<bool>() ? 1 : 0;
    if (!value.is_number_integer()) return fallback;
    return std::clamp<int64_t>(value.get<int64_t>(), 0, kMost);
  }

  const Json& tree_;
  std::string prefix_;
};

bool has_window(const Metadata& meta, const std::string& architecture, int64_t layer) {
  if (const Json* pattern = meta.find("attention.sliding_window_pattern")) {
    if (pattern->is_array())
      return meta.of_layer("attention.sliding_window_pattern", size_t(layer), 0) != 0;
    const int64_t every = meta.integer("attention.sliding_window_pattern", 1);
    return every > 0 && (layer + 1) % every != 0;
  }
  for (const auto& [name, every] : kEvery)
    if (name == architecture) return (layer + 1) % every != 0;
  return true;
}

// Layers that cache alike, merged, in the order they first occur; layers without heads of their own
// keep a state.
void read_cache(const Metadata& meta, ModelShape& s) {
  const int64_t rank = meta.integer("attention.kv_lora_rank", 0);
  if (rank > 0) {
    s.cache = {{int(s.layers), rank + meta.integer("rope.dimension_count", 64), 0, true}};
    return;
  }
  const int64_t window = meta.integer("attention.sliding_window", 0);
  const int64_t key = meta.integer("attention.key_length", s.head_dim);
  const int64_t value = meta.integer("attention.value_length", s.head_dim);
  const int64_t interval = meta.integer("full_attention_interval", 1);
  int recurrent = 0;
  for (int64_t layer = 0; layer < s.layers; ++layer) {
    const int64_t heads =
        meta.of_layer("attention.head_count_kv", size_t(layer),
                      meta.of_layer("attention.head_count", size_t(layer), s.heads));
    if (heads == 0 || (interval > 1 && (layer + 1) % interval != 0)) {
      ++recurrent;
      continue;
    }
    CacheLayers one{1, heads * (key + value), 0, false};
    if (window > 0 && has_window(meta, s.architecture, layer)) one.window = window;
    const auto same = std::ranges::find_if(s.cache, [&](const CacheLayers& run) {
      return run.values == one.values && run.window == one.window;
    });
    if (same == s.cache.end())
      s.cache.push_back(one);
    else
      ++same->layers;
  }
  const double inner = double(meta.integer("ssm.inner_size", 0));
  const double state = double(meta.integer("ssm.state_size", 0));
  const double groups = double(meta.integer("ssm.group_count", 1));
  const double tail = double(meta.integer("ssm.conv_kernel", 0));
  s.state_values =
      int64_t(std::min(1e18, recurrent * (inner * state + tail * (inner + 2 * groups * state))));
}

struct Sums {
  uint64_t lookup = 0;
  bool has_head = false;
  std::map<std::string, uint64_t> by_type;
};

void add_tensor(const Json& tensor, ModelShape& s, Sums& sums) {
  const std::string& name = tensor["name"].get_ref<const std::string&>();
  const std::string& type = tensor["type"].get_ref<const std::string&>();
  const uint64_t bytes = tensor["bytes"], elements = tensor["elements"];
  s.weight_bytes += bytes;
  s.parameters += elements;
  sums.by_type[type] += bytes;
  if (name.find("_exps.") != name.npos) s.expert_bytes += bytes, s.expert_parameters += elements;
  if (tensor["dims"].size() < 2 || name.find("ffn_gate_inp") != name.npos)
    s.replicated_bytes += bytes;
  else
    s.quant_group = std::max(s.quant_group, uint64_t(quant_block(type)));
  if (name == "token_embd.weight") {
    sums.lookup = bytes;
    if (s.vocab == 0) s.vocab = int64_t(elements / std::max<uint64_t>(s.hidden, 1));
  }
  if (name == "output.weight") sums.has_head = true;
}

std::string main_type(const std::map<std::string, uint64_t>& by_type) {
  std::string main;
  uint64_t most = 0;
  for (const auto& [type, bytes] : by_type)
    if (bytes > most) main = type, most = bytes;
  return main;
}

}  // namespace

Result<ModelShape> shape_from_gguf(const Json& inspected) {
  const std::string file = inspected.value("file", "");
  ModelShape s;
  s.architecture = inspected.value("architecture", "");
  s.source = "gguf";
  const Metadata meta(inspected["metadata"], s.architecture);
  s.layers = meta.integer("block_count", 0);
  s.hidden = meta.integer("embedding_length", 0);
  for (const auto& [key, value] :
       {std::pair{"block_count", s.layers}, std::pair{"embedding_length", s.hidden}})
    if (value < 1 || value > (1 << 20))
      return Error{ErrorCode::kDataRefused,
                   fmt::format("{}: key '{}.{}': found {}, expected an integer in 1..{}", file,
                               s.architecture, key, value, 1 << 20),
                   "only language models can be planned"};
  s.heads = std::max<int64_t>(meta.integer("attention.head_count", 1), 1);
  s.kv_heads = std::max<int64_t>(meta.integer("attention.head_count_kv", s.heads), 1);
  s.head_dim = meta.integer("attention.key_length", s.hidden / s.heads);
  s.ffn = meta.integer("feed_forward_length", 4 * s.hidden);
  s.max_context = meta.integer("context_length", 0);
  s.vocab = meta.integer("vocab_size", 0);
  s.experts = meta.integer("expert_count", 0);
  s.experts_used = std::min(meta.integer("expert_used_count", s.experts > 0 ? 2 : 0), s.experts);
  s.expert_ffn = meta.integer("expert_feed_forward_length", s.ffn);
  if (inspected["tensors"].empty())
    return Error{ErrorCode::kDataRefused, fmt::format("{}: has no tensors", file),
                 "a vocabulary alone cannot be placed; name the model's weights"};
  Sums sums;
  for (const Json& tensor : inspected["tensors"]) add_tensor(tensor, s, sums);
  s.tied_head = !sums.has_head;
  s.lookup_bytes = sums.has_head ? sums.lookup : 0;
  s.quant = main_type(sums.by_type);
  s.exact = true;
  read_cache(meta, s);
  return s;
}

}  // namespace aictl::placement
