// ModelSpec: a decoder as plain data, enough for one forward pass to run any supported
// architecture; and the logical names of its tensors. Filled from a model file by the loader, read
// by the engine and by every backend.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/tensor/dtype.hpp"

namespace aictl {

/// Which pairs of a head rotary embedding turns: neighbours (2i, 2i+1), or halves (i, i + dims/2).
enum class RopeStyle : uint8_t { kPair, kHalf };

/// Rotary embedding with every scaling (linear, YaRN, llama3 factors) already worked into the
/// table, so that no consumer knows scalings: angle(position, i) = position * inv_freq[i]; cos and
/// sin are multiplied by `amplitude`.
struct Rope {
  RopeStyle style = RopeStyle::kPair;
  int dims = 0;                  // rotated dims at the front of each head; the rest pass through
  std::vector<double> inv_freq;  // [dims / 2]
  float amplitude = 1;
};

enum class Pooling : uint8_t { kLast, kMean };

struct ModelSpec {
  std::string arch;  // as the file spells it: "llama"
  std::string name;  // general.name, or empty
  int n_layers = 0, hidden = 0, n_heads = 0, n_kv_heads = 0, head_dim = 0, ffn = 0, vocab = 0;
  int max_positions = 0;  // trained context
  float norm_eps = 1e-5f;
  float attn_scale = 0;    // multiplies q.k; 1/sqrt(head_dim) unless the file says otherwise
  bool qk_norm = false;    // per-head RMSNorm of q and k, before rope
  bool qkv_bias = false;   // bias on q, k and v
  bool tied_head = false;  // the head is the embedding table
  Rope rope;
  Pooling pooling = Pooling::kLast;  // what an embedding is made of
  // Of cached keys and values: kF16; kF32 for models whose matrices are F32, which then lose
  // nothing.
  DType kv_type = DType::kF16;

  int q_dim() const { return n_heads * head_dim; }
  int kv_dim() const { return n_kv_heads * head_dim; }
};

/// Logical tensors. Matrices are [out, in], row-major, as files hold them; norms and biases are F32
/// vectors.
enum class Slot : uint8_t {
  kEmbedding,  // [vocab, hidden]
  kFinalNorm,  // [hidden]
  kHead,       // [vocab, hidden]; absent when tied
  kAttnNorm,   // [hidden], per layer from here on
  kQ,
  kK,
  kV,  // [q_dim | kv_dim, hidden]
  kQBias,
  kKBias,
  kVBias,  // [q_dim | kv_dim], with qkv_bias
  kQNorm,
  kKNorm,    // [head_dim], with qk_norm
  kAttnOut,  // [hidden, q_dim]
  kFfnNorm,  // [hidden]
  kGate,
  kUp,    // [ffn, hidden]
  kDown,  // [hidden, ffn]
};

struct TensorId {
  Slot slot;
  int layer = -1;  // -1 for model-wide tensors
};

/// Where a backend takes weights from while it loads. The loader has checked every tensor the spec
/// calls for: present, right shape, right type (vectors are F32). Callable from several threads.
class TensorSource {
 public:
  virtual ~TensorSource() = default;
  /// The tensor's bytes, or an empty view (`data == nullptr`) when the model has none. For a tied
  /// head, kHead is the embedding. Views live as long as the source.
  virtual TensorView get(TensorId id) const = 0;
};

}  // namespace aictl
