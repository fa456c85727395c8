// The one forward pass: a loop over layers that calls the stages of a backend.
#pragma once

#include "core/plugin/backend.hpp"
#include "core/tensor/batch.hpp"
#include "core/tensor/model_spec.hpp"

namespace aictl::inference {

/// Computes one step. Afterwards row i of `workspace.logits` belongs to batch.logit_rows[i], and
/// row i of `workspace.hidden` to batch.hidden_rows[i]. The batch must fit the workspace and be
/// well-formed (see StepBatch); allocates nothing. Called from the engine's thread.
void forward(StageOps& stages, const ModelSpec& spec, const StepBatch& batch, Workspace& workspace);

}  // namespace aictl::inference
