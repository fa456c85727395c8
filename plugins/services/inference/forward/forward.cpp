#include "plugins/services/inference/forward/forward.hpp"

#include "core/base/check.hpp"

namespace aictl::inference {
namespace {

// The first `rows` rows. A matrix a fused backend does not need is empty and stays so.
Act rows_of(Act act, size_t rows) {
  if (!act.p) return act;
  CHECK(rows <= static_cast<size_t>(act.rows));
  act.rows = static_cast<int>(rows);
  return act;
}

}  // namespace

void forward(StageOps& stages, const ModelSpec& spec, const StepBatch& batch,
             Workspace& workspace) {
  const size_t rows = batch.tokens.size();
  CHECK(rows > 0 && batch.positions.size() == rows);
  const Act x = rows_of(workspace.x, rows), q = rows_of(workspace.q, rows);
  const Act k = rows_of(workspace.k, rows), v = rows_of(workspace.v, rows);
  const Act o = rows_of(workspace.o, rows), h = rows_of(workspace.h, rows);

  stages.begin(batch);
  stages.embed(batch, x);
  for (int layer = 0; layer < spec.n_layers; ++layer) {
    stages.qkv(layer, batch, x, q, k, v);
    stages.attend(layer, batch, q, k, v, o);
    stages.attn_out(layer, batch, o, x);
    stages.ffn_in(layer, batch, x, h);
    stages.ffn_out(layer, batch, h, x);
  }
  stages.head(batch, x, rows_of(workspace.logits, batch.logit_rows.size()),
              rows_of(workspace.hidden, batch.hidden_rows.size()));
}

}  // namespace aictl::inference
