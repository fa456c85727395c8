// The stages of a forward pass, fused: norms end in quantised activations, gate and up in the
// quantised product, projections in the residual stream.
#pragma once

#include <memory>
#include <vector>

#include "core/plugin/backend.hpp"
#include "plugins/backends/cpu/runner/attention.hpp"
#include "plugins/backends/cpu/runner/kv.hpp"
#include "plugins/backends/cpu/runner/linear.hpp"
#include "plugins/backends/cpu/runner/rope.hpp"
#include "plugins/backends/cpu/team/team.hpp"
#include "plugins/backends/cpu/weights/model.hpp"

namespace aictl::cpu {

class Stages final : public StageOps {
 public:
  /// Memory for steps of `options.max_rows` rows, taken from `arena`. All is borrowed.
  Stages(const Model& model, const Kernels& kernels, Team& team, KvPool& kv, Arena& arena,
         const RunnerOptions& options);
  /// What the constructor takes from its arena.
  static size_t bytes(const ModelSpec& spec, const RunnerOptions& options, int workers);

  void begin(const StepBatch& batch) override;
  void embed(const StepBatch& batch, Act x) override;
  void qkv(int layer, const StepBatch& batch, Act x, Act q, Act k, Act v) override;
  void attend(int layer, const StepBatch& batch, Act q, Act k, Act v, Act o) override;
  void attn_out(int layer, const StepBatch& batch, Act o, Act x) override;
  void ffn_in(int layer, const StepBatch& batch, Act x, Act h) override;
  void ffn_out(int layer, const StepBatch& batch, Act h, Act x) override;
  void head(const StepBatch& batch, Act x, Act logits, Act hidden) override;

 private:
  struct Form {  // of activations a stage's weights ask for
    bool quantized = false, dense = false;
  };
  static Form form_of(std::initializer_list<const Matrix*> matrices);
  Activations inputs(int rows) const;

  void put_row(const float* x, const float* gain, int64_t cols, int token, Form form,
               const Activations& out) const;
  void put_normed_row(const float* x, const float* gain, int token, Form form,
                      const Activations& out) const;
  void put_normed_rows(Act x, const float* gain, Form form, const Activations& out);
  template <typename Work>
  void share_strips(const Matrix& matrix, int rows, const Work& work);
  void rotate_and_append(int layer, const StepBatch& batch, int row, int head, Act q, Act k, Act v,
                         const WorkerScratch& scratch);
  void norm_head(const float* gain, float* head, const WorkerScratch& scratch) const;
  void put_products(const Activations& in, int64_t strip, Form form, const WorkerScratch& scratch,
                    const Activations& out) const;

  const Model& model_;
  const ModelSpec& spec_;
  const Kernels& kernels_;
  Team& team_;
  KvPool& kv_;
  Attention attention_;
  RopeTable rope_;
  std::vector<int32_t> block_of_row_;  // KV block each row of the step goes to
  std::vector<WorkerScratch> scratch_;
  Activations in_, ffn_;  // of hidden or q_dim columns, of ffn columns; rows are set by the stage
  float* inverse_rms_;    // [rows]
};

}  // namespace aictl::cpu
