// ModelShape: what placing a model takes: how many bytes its weights are, what a token leaves in
// the KV cache, what a token computes. Filled from a file's header, a config.json or a known name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/placement/model/storage.hpp"

namespace aictl::placement {

/// Layers that cache alike. A token leaves `values` numbers a layer: 2 * kv heads * head dim, or
/// kv_lora_rank + rope dims where attention is latent.
struct CacheLayers {
  int layers = 0;
  int64_t values = 0;
  int64_t window = 0;   // tokens the layer looks back; 0: all
  bool latent = false;  // MLA: every rank of a tensor-parallel group holds all of it

  bool operator==(const CacheLayers&) const = default;
};

struct ModelShape {
  std::string name;                // as it was asked for
  std::string architecture;        // "llama", "deepseek_v3"
  std::string quant;               // "Q4_K_M", "BF16": of the weights
  std::string source;              // "gguf", "safetensors", "config", "table"
  std::string path;                // of the file or folder; empty for a shape
  std::optional<Storage> storage;  // of that on the machine that is planned for; unset: elsewhere

  int64_t layers = 0, hidden = 0, heads = 0, kv_heads = 0, head_dim = 0, ffn = 0, vocab = 0;
  int64_t max_context = 0;  // trained; 0: unknown
  bool tied_head = false;

  std::vector<CacheLayers> cache;
  int64_t state_values = 0;  // of recurrent layers, a sequence, all layers

  int64_t experts = 0, experts_used = 0;  // a layer; 0: dense
  int64_t expert_ffn = 0;
  uint64_t parameters = 0;
  uint64_t expert_parameters = 0;  // of all routed experts
  uint64_t weight_bytes = 0;
  uint64_t expert_bytes = 0;      // of all routed experts
  uint64_t lookup_bytes = 0;      // an embedding table that is only looked up: a row a token
  uint64_t replicated_bytes = 0;  // norms, biases, routers: every rank holds them
  uint64_t quant_group = 1;       // weights a block: d_ff / tp has to be a multiple
  bool exact = false;             // bytes are from a file's tensor table

  /// Parameters a token passes through: all but the routed experts it does not use.
  double active_parameters() const;
};

/// A count as an integer; what no machine could hold stays at 1e18, far from overflow.
uint64_t whole(double count);

/// Bytes of the KV cache of one sequence of `tokens`, all layers; `element` bytes a number.
double kv_bytes(const ModelShape& shape, int64_t tokens, double element);

/// Bytes a token adds while no window is full.
double kv_bytes_per_token(const ModelShape& shape, double element);

/// What one of `tp` ranks holds of kv_bytes: heads are split, and repeated past their number;
/// latent layers are repeated.
double kv_rank_bytes(const ModelShape& shape, int64_t tokens, double element, int tp);

/// The cache as a formula, such as "131072 B/token" or "8192*(10*ctx + 52*min(ctx,1024))".
std::string kv_formula(const ModelShape& shape, double element);

/// Fills parameters and, unless exact, bytes from dimensions and quant. Dense feed-forward in the
/// first `dense_layers` layers of a mixture; `shared_ffn`: width of the shared experts together;
/// `attention`: parameters of one layer's attention.
void count_parameters(ModelShape& shape, int64_t dense_layers, int64_t shared_ffn,
                      double attention);

/// Parameters of a layer's attention with split heads.
double grouped_attention(const ModelShape& shape);

/// The same shape with its weights as another quant, by the table; no change for an unknown one.
ModelShape with_quant(ModelShape shape, const std::string& quant);

}  // namespace aictl::placement
