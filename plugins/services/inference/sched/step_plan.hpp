// StepPlan: what the scheduler wants computed next: the batch, the block copies before it, and what
// becomes of its rows. Its vectors are filled anew each step and keep their memory.
#pragma once

#include <vector>

#include "core/tensor/batch.hpp"
#include "plugins/services/inference/sched/cost/step_cost.hpp"
#include "plugins/services/inference/sched/sequence.hpp"

namespace aictl::inference {

/// A logit row and who wants it. Choices that fork in this step share the row. The rows of a draft
/// follow each other: each counts only if the one before chose what was drafted, and went on.
struct SampleRow {
  SequenceId sequence;
  int row;             // of the logits matrix
  int position;        // of the token that is chosen
  int32_t draft = -1;  // what was drafted for it; -1: nothing
};

/// Hidden rows of an embedding.
struct HiddenRows {
  SequenceId sequence;
  int first, rows;  // of the hidden matrix
  bool begins;      // nothing of the sequence came before, or what did is computed again
  bool last;        // the sequence is complete with these
};

struct StepPlan {
  std::vector<int32_t> tokens, positions, block_tables, logit_rows, hidden_rows;
  std::vector<SeqView> views;
  std::vector<SequenceId> sequences;  // whose rows views[i] are
  std::vector<BlockCopy> copies;      // to be done in this order, before the batch
  std::vector<SampleRow> samples;     // every choice to be made, ascending rows
  std::vector<HiddenRows> hidden;
  StepShape shape;  // what it computes, without drafts
  int drafted = 0;  // rows of drafts

  StepBatch batch() const {
    return {tokens, positions, views, block_tables, logit_rows, hidden_rows};
  }
  int rows() const { return static_cast<int>(tokens.size()); }

  /// Memory for any step of this size; beyond that only tables with many shared blocks grow.
  void reserve(int max_rows, int max_sequences, int max_logit_rows, int kv_blocks) {
    for (auto* list : {&tokens, &positions, &hidden_rows})
      list->reserve(static_cast<size_t>(max_rows));
    const auto sequences_most = static_cast<size_t>(max_sequences);
    logit_rows.reserve(static_cast<size_t>(max_logit_rows));
    views.reserve(sequences_most);
    sequences.reserve(sequences_most);
    copies.reserve(sequences_most);
    samples.reserve(static_cast<size_t>(max_logit_rows));
    hidden.reserve(sequences_most);
    block_tables.reserve(2 * static_cast<size_t>(kv_blocks));
  }

  void clear() {
    for (auto* list : {&tokens, &positions, &block_tables, &logit_rows, &hidden_rows})
      list->clear();
    views.clear();
    sequences.clear();
    copies.clear();
    samples.clear();
    hidden.clear();
    shape = {};
    drafted = 0;
  }
};

}  // namespace aictl::inference
