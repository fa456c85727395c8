#include "plugins/backends/cpu/runner/attention.hpp"

#include <algorithm>

namespace aictl::cpu {
namespace {

// a = a and b together: both outputs to the common maximum, then added.
void merge(const Kernels& kernels, AttendArgs& a, const AttendArgs& b, int row_of_a, int row_of_b) {
  alignas(kVector) float exponents[kLanes] = {}, factors[kLanes];
  const float maximum = std::max(a.maximum[row_of_a], b.maximum[row_of_b]);
  exponents[0] = a.maximum[row_of_a] - maximum;
  exponents[1] = b.maximum[row_of_b] - maximum;
  kernels.exp(exponents, factors, kLanes);
  a.maximum[row_of_a] = maximum;
  a.sum[row_of_a] = a.sum[row_of_a] * factors[0] + b.sum[row_of_b] * factors[1];
  float* out = a.out[row_of_a];
  const float* more = b.out[row_of_b];
  for (int d = 0; d < a.padded_dim; ++d) out[d] = out[d] * factors[0] + more[d] * factors[1];
}

}  // namespace

Attention::Attention(const ModelSpec& spec, const Kernels& kernels, const KvPool& kv, int max_rows)
    : spec_(spec), kernels_(kernels), kv_(kv), units_before_(static_cast<size_t>(max_rows) + 1) {}

void Attention::plan(const StepBatch& batch) {
  const int group = spec_.n_heads / spec_.n_kv_heads;
  int32_t units = 0, furthest = 0;
  seqs_ = batch.seqs.size();
  for (size_t s = 0; s < seqs_; ++s) {
    const SeqView& seq = batch.seqs[s];
    units_before_[s] = units;
    units += (seq.n_rows * group + kAttendRows - 1) / kAttendRows;
    const auto last = static_cast<size_t>(seq.first_row + seq.n_rows - 1);
    if (seq.n_rows > 0) furthest = std::max(furthest, batch.positions[last]);
  }
  units_before_[seqs_] = units;
  unit_bytes_ = (int64_t{furthest} + 1) * kv_.padded_dim() * (kv_.is_f32() ? 8 : 4);
}

void Attention::run(int layer, const StepBatch& batch, int64_t unit, Act q, Act o,
                    const WorkerScratch& scratch) const {
  const auto first = units_before_.begin();
  const auto last = first + static_cast<int64_t>(seqs_) + 1;
  const int64_t units = *(last - 1);
  // The latest rows first: they see most tokens, and small units at the end even out the finish.
  const int64_t in_head = units - 1 - unit % units;
  const auto seq = std::upper_bound(first, last, static_cast<int32_t>(in_head)) - first - 1;
  attend(layer, batch, batch.seqs[static_cast<size_t>(seq)], static_cast<int>(unit / units),
         static_cast<int>(in_head - units_before_[static_cast<size_t>(seq)]) * kAttendRows, q, o,
         scratch);
}

void Attention::attend(int layer, const StepBatch& batch, const SeqView& seq, int head,
                       int first_row, Act q, Act o, const WorkerScratch& scratch) const {
  const int group = spec_.n_heads / spec_.n_kv_heads, dim = spec_.head_dim;
  AttendArgs total{};
  total.pool = kv_.data();
  total.block_bytes = kv_.block_bytes();
  total.k_offset = kv_.key_offset(layer, head);
  total.v_offset = kv_.value_offset(layer, head);
  total.table = batch.block_tables.data() + seq.table;
  total.head_dim = dim;
  total.padded_dim = kv_.padded_dim();
  total.rows = std::min(kAttendRows, seq.n_rows * group - first_row);
  float* results[kAttendRows];
  for (int r = 0; r < total.rows; ++r) {
    const int row = seq.first_row + (first_row + r) / group;
    const int64_t column = static_cast<int64_t>(head * group + (first_row + r) % group) * dim;
    total.positions[r] = batch.positions[static_cast<size_t>(row)];
    total.q[r] = q.row(row) + column;
    total.out[r] = scratch.attention + r * total.padded_dim;
    results[r] = o.row(row) + column;
  }
  total.first_token = 0;
  total.end_token = kSplitTokens;
  const auto attend_tiles = kv_.is_f32() ? kernels_.attend_f32 : kernels_.attend_f16;
  attend_tiles(total);

  for (int split = kSplitTokens; split <= total.positions[total.rows - 1]; split += kSplitTokens) {
    AttendArgs part = total;  // the rows that see this split: the last ones
    const auto* seeing = std::lower_bound(total.positions, total.positions + total.rows, split);
    const int skipped = static_cast<int>(seeing - total.positions);
    part.rows = total.rows - skipped;
    for (int r = 0; r < part.rows; ++r) {
      part.q[r] = total.q[r + skipped];
      part.positions[r] = total.positions[r + skipped];
      part.out[r] = scratch.attention + (kAttendRows + r) * total.padded_dim;
    }
    part.first_token = split;
    part.end_token = split + kSplitTokens;
    attend_tiles(part);
    for (int r = 0; r < part.rows; ++r) merge(kernels_, total, part, r + skipped, r);
  }
  for (int r = 0; r < total.rows; ++r)
    for (int d = 0; d < dim; ++d) results[r][d] = total.out[r][d] / total.sum[r];
}

}  // namespace aictl::cpu
