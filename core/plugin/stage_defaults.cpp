#include "core/plugin/stage_defaults.hpp"

#include "core/base/check.hpp"

namespace aictl {

Act first_rows(Act act, int rows) {
  CHECK(rows <= act.rows);
  act.rows = rows;
  return act;
}

void PrimitiveStages::embed(const StepBatch& batch, Act x) {
  gather_weights({Slot::kEmbedding}, batch.tokens, x);
}

void PrimitiveStages::qkv(int layer, const StepBatch&, Act x, Act q, Act k, Act v) {
  const Act normed = first_rows(scratch_.normed, x.rows);
  rmsnorm({Slot::kAttnNorm, layer}, x, x.cols, normed);
  linear({Slot::kQ, layer}, normed, q);
  linear({Slot::kK, layer}, normed, k);
  linear({Slot::kV, layer}, normed, v);
  if (!spec_.qkv_bias) return;
  add_bias({Slot::kQBias, layer}, q);
  add_bias({Slot::kKBias, layer}, k);
  add_bias({Slot::kVBias, layer}, v);
}

void PrimitiveStages::attend(int layer, const StepBatch& batch, Act q, Act k, Act v, Act o) {
  if (spec_.qk_norm) {
    rmsnorm({Slot::kQNorm, layer}, q, spec_.head_dim, q);
    rmsnorm({Slot::kKNorm, layer}, k, spec_.head_dim, k);
  }
  rope(batch.positions, q);
  rope(batch.positions, k);
  kv_append(layer, batch, k, v);
  attention(layer, batch, q, o);
}

void PrimitiveStages::attn_out(int layer, const StepBatch&, Act o, Act x) {
  const Act projected = first_rows(scratch_.projected, x.rows);
  linear({Slot::kAttnOut, layer}, o, projected);
  add(projected, x);
}

void PrimitiveStages::ffn_in(int layer, const StepBatch&, Act x, Act h) {
  const Act normed = first_rows(scratch_.normed, x.rows);
  const Act up = first_rows(scratch_.up, x.rows);
  rmsnorm({Slot::kFfnNorm, layer}, x, x.cols, normed);
  linear({Slot::kGate, layer}, normed, h);
  linear({Slot::kUp, layer}, normed, up);
  act_mul(h, up);
}

void PrimitiveStages::ffn_out(int layer, const StepBatch&, Act h, Act x) {
  const Act projected = first_rows(scratch_.projected, x.rows);
  linear({Slot::kDown, layer}, h, projected);
  add(projected, x);
}

void PrimitiveStages::head(const StepBatch& batch, Act x, Act logits, Act hidden) {
  if (!batch.hidden_rows.empty()) {
    gather(x, batch.hidden_rows, hidden);
    rmsnorm({Slot::kFinalNorm}, hidden, hidden.cols, hidden);
  }
  if (batch.logit_rows.empty()) return;
  const Act selected = first_rows(scratch_.selected, logits.rows);
  gather(x, batch.logit_rows, selected);
  rmsnorm({Slot::kFinalNorm}, selected, selected.cols, selected);
  linear({Slot::kHead}, selected, logits);
}

}  // namespace aictl
