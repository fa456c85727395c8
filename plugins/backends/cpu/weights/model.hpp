// A model's weights in the backend's form.
#pragma once

#include <vector>

#include "core/base/result.hpp"
#include "core/tensor/model_spec.hpp"
#include "plugins/backends/cpu/team/arena.hpp"
#include "plugins/backends/cpu/team/team.hpp"
#include "plugins/backends/cpu/weights/matrix.hpp"

namespace aictl::cpu {

struct Layer {
  const float *attn_norm, *ffn_norm;         // [hidden], zero up to a multiple of 32
  const float *q_bias, *k_bias, *v_bias;     // null without
  const float *q_norm, *k_norm;              // [head_dim], null without
  Matrix q, k, v, attn_out, gate, up, down;  // gate and up strips alternate in memory
};

struct Model {
  ModelSpec spec;
  Matrix embedding, head;  // the same when tied
  const float* final_norm = nullptr;
  std::vector<Layer> layers;
  Arena arena;

  /// Packs all tensors with the team; each worker packs the rows it will multiply. Errors:
  /// kUnsupported naming the tensor, kResourceExhausted.
  static Result<Model> load(const ModelSpec& spec, const TensorSource& source, Team& team);
};

/// Elements a row of `cols` activations takes, so that vectors can run over its end.
constexpr int64_t padded(int64_t cols) { return (cols + kBlock - 1) / kBlock * kBlock; }

}  // namespace aictl::cpu
