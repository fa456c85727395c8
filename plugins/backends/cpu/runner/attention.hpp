// Attention of a step over the paged KV blocks. A unit of work is up to kAttendRows (query, head)
// rows of one sequence that share a KV head; workers share them out. A row's result
// depends on its position alone: splits of 512 tokens, each walked in order and merged in order.
#pragma once

#include <vector>

#include "core/tensor/batch.hpp"
#include "core/tensor/model_spec.hpp"
#include "plugins/backends/cpu/runner/kv.hpp"
#include "plugins/backends/cpu/runner/linear.hpp"

namespace aictl::cpu {

inline constexpr int kSplitTokens = 512;

class Attention {
 public:
  /// Allocates for steps of up to max_rows rows.
  Attention(const ModelSpec& spec, const Kernels& kernels, const KvPool& kv, int max_rows);

  /// Counts the step's units. Once a step, before the layers.
  void plan(const StepBatch& batch);
  /// Units of a layer, and the bytes of keys and values that the longest of them reads.
  int64_t units() const { return int64_t{units_before_[seqs_]} * spec_.n_kv_heads; }
  int64_t unit_bytes() const { return unit_bytes_; }
  /// Computes one unit. q is rotated and scaled. Any worker, any order.
  void run(int layer, const StepBatch& batch, int64_t unit, Act q, Act o,
           const WorkerScratch& scratch) const;

 private:
  void attend(int layer, const StepBatch& batch, const SeqView& seq, int head, int first_row, Act q,
              Act o, const WorkerScratch& scratch) const;

  const ModelSpec& spec_;
  const Kernels& kernels_;
  const KvPool& kv_;
  std::vector<int32_t> units_before_;  // [seqs + 1], of one KV head
  size_t seqs_ = 0;
  int64_t unit_bytes_ = 1;
};

}  // namespace aictl::cpu
