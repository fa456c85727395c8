// Attention of a step over the paged KV blocks. A unit of work is up to kAttendRows (query, head)
// rows of one sequence that share a KV head; workers take units from a counter. A row's result
// depends on its position alone: splits of 512 tokens, each walked in order and merged in order.
#pragma once

#include <atomic>
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
  /// Makes the units of a layer available. By one worker, with a barrier before run().
  void rewind() { next_.store(0, std::memory_order_relaxed); }
  /// Computes units until none is left. q is rotated and scaled. On every worker.
  void run(int layer, const StepBatch& batch, Act q, Act o, const WorkerScratch& scratch);

 private:
  void attend(int layer, const StepBatch& batch, const SeqView& seq, int head, int first_row, Act q,
              Act o, const WorkerScratch& scratch) const;

  const ModelSpec& spec_;
  const Kernels& kernels_;
  const KvPool& kv_;
  std::vector<int32_t> units_before_;  // [seqs + 1], of one KV head
  std::atomic<int64_t> next_{0};
};

}  // namespace aictl::cpu
