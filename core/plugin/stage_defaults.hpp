// PrimitiveStages: the seven stages written in terms of primitive operations. A backend that
// implements the primitives runs every model; a fast one overrides whole stages.
#pragma once

#include "core/plugin/backend.hpp"
#include "core/tensor/batch.hpp"
#include "core/tensor/model_spec.hpp"

namespace aictl {

/// Matrices the default stages need beside the workspace, as many rows as a step has; F32.
struct StageScratch {
  Act normed;     // [rows, hidden]
  Act projected;  // [rows, hidden], what a linear gives before it is added to the residual
  Act up;         // [rows, ffn]
  Act selected;   // [logit_rows, hidden]
};

class PrimitiveStages : public StageOps {
 public:
  /// `spec` must outlive the stages.
  PrimitiveStages(const ModelSpec& spec, const StageScratch& scratch)
      : spec_(spec), scratch_(scratch) {}

  void embed(const StepBatch&, Act x) override;
  void qkv(int layer, const StepBatch&, Act x, Act q, Act k, Act v) override;
  void attend(int layer, const StepBatch&, Act q, Act k, Act v, Act o) override;
  void attn_out(int layer, const StepBatch&, Act o, Act x) override;
  void ffn_in(int layer, const StepBatch&, Act x, Act h) override;
  void ffn_out(int layer, const StepBatch&, Act h, Act x) override;
  void head(const StepBatch&, Act x, Act logits, Act hidden) override;

 protected:
  /// out[r] = row rows[r] of the tensor, decoded.
  virtual void gather_weights(TensorId table, std::span<const int32_t> rows, Act out) = 0;
  /// out[r] = in[rows[r]].
  virtual void gather(Act in, std::span<const int32_t> rows, Act out) = 0;
  /// out[r] = weight . in[r]; out has as many columns as the weight has rows.
  virtual void linear(TensorId weight, Act in, Act out) = 0;
  /// inout[r] += bias
  virtual void add_bias(TensorId bias, Act inout) = 0;
  /// Each group of `width` columns: out = in / sqrt(mean(in^2) + eps) * gain. `in` may be `out`.
  virtual void rmsnorm(TensorId gain, Act in, int width, Act out) = 0;
  /// Turns each head of each row by its position, in place.
  virtual void rope(std::span<const int32_t> positions, Act inout) = 0;
  /// Stores the rows' keys and values in the blocks of their sequences.
  virtual void kv_append(int layer, const StepBatch&, Act k, Act v) = 0;
  /// Causal attention of each row over its sequence's keys and values.
  virtual void attention(int layer, const StepBatch&, Act q, Act o) = 0;
  /// gate = silu(gate) * up
  virtual void act_mul(Act gate, Act up) = 0;
  /// inout += in
  virtual void add(Act in, Act inout) = 0;

  const ModelSpec& spec() const { return spec_; }

 private:
  const ModelSpec& spec_;
  StageScratch scratch_;
};

/// The first `rows` rows of a matrix.
Act first_rows(Act act, int rows);

}  // namespace aictl
