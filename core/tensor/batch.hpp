// What one step computes: rows of tokens from many sequences, prefill chunks and decode rows mixed
// freely; and the activations it flows through.
#pragma once

#include <cstdint>
#include <span>

#include "core/tensor/dtype.hpp"

namespace aictl {

/// Tokens a KV block holds, of all layers. Block tables count in these.
inline constexpr int kKvBlockTokens = 64;

/// One sequence's rows in a step. Its tokens' keys and values go to, and are read from, the blocks
/// of its table: token position p lives in block block_tables[table + p / kKvBlockTokens], slot p %
/// kKvBlockTokens.
struct SeqView {
  int first_row;  // into StepBatch::tokens
  int n_rows;     // >= 1, consecutive positions
  int kv_len;     // positions visible to the last row = its position + 1; counts this step's rows
  int table;      // offset of this sequence's block table in StepBatch::block_tables
};

/// Ragged, token-major. Rows of a sequence are consecutive and in order of position.
struct StepBatch {
  std::span<const int32_t> tokens;        // [rows]
  std::span<const int32_t> positions;     // [rows]
  std::span<const SeqView> seqs;          // cover all rows, in order
  std::span<const int32_t> block_tables;  // flat
  std::span<const int32_t> logit_rows;    // rows whose logits are wanted, ascending
  std::span<const int32_t>
      hidden_rows;  // rows whose final-normed hidden state is wanted, ascending

  int rows() const { return static_cast<int>(tokens.size()); }
};

/// A matrix of activations in backend memory: rows x cols, `ld` elements from row to row.
struct Act {
  void* p = nullptr;
  DType type = DType::kF32;
  int rows = 0, cols = 0, ld = 0;

  float* row(int r) const { return static_cast<float*>(p) + static_cast<int64_t>(r) * ld; }
};

}  // namespace aictl
