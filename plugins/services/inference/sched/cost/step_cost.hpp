// StepCost: how long a step will take. Two terms, the bytes it reads and the operations it does,
// each with a price that is fitted to the steps that were measured. engine.md section 8.
#pragma once

#include <cstdint>

#include "core/base/clock.hpp"

namespace aictl::inference {

/// What computing with a model takes, from its shape. All zero: unknown, and nothing is predicted.
struct ModelWork {
  double weight_bytes = 0;         // read once a step
  double position_bytes = 0;       // keys and values of a position, read once a sequence
  double row_operations = 0;       // of the layers' matrices, a row
  double logit_operations = 0;     // of the head, a row of logits
  double position_operations = 0;  // of attention, a row and position it sees

  bool known() const { return weight_bytes > 0 && row_operations > 0; }
};

/// What a step computes, counted as it is planned.
struct StepShape {
  int rows = 0, logit_rows = 0;
  int64_t positions = 0;  // seen by each sequence's last row, summed over sequences
  int64_t pairs = 0;      // of a row and a position it sees

  void add(int sequence_rows, int sequence_logits, int kv_len) {
    rows += sequence_rows;
    logit_rows += sequence_logits;
    positions += kv_len;
    pairs += int64_t{sequence_rows} * kv_len;
  }
};

/// Times are seconds. Used by one thread; pure: what it says depends on what it was told.
class StepCost {
 public:
  explicit StepCost(const ModelWork& work) : work_(work) {}

  bool known() const { return work_.known(); }
  /// 0 when nothing is known of the model.
  double predict(const StepShape& shape) const;
  /// Of one more row, which sees `context` positions and has logits or not.
  double row(int context, bool logits) const;
  /// Rows from which on reading the weights is less than an eighth of what the rows take: to fill a
  /// step further gains little. More than any step has when nothing is known.
  int enough_rows() const;

  /// `shape` took `seconds`. Least squares of the relative error over about the last 64 steps; what
  /// they say nothing about stays as it was. A step that was disturbed counts within bounds.
  void observe(const StepShape& shape, double seconds);

 private:
  struct Terms {
    double bytes, operations;  // seconds each at the first guess of its price
  };
  Terms terms(const StepShape& shape) const;
  void fit();

  const ModelWork work_;
  double bytes_price_ = 1, operations_price_ = 1;    // multiples of the first guess
  double bb_ = 0, bo_ = 0, oo_ = 0, b_ = 0, o_ = 0;  // decaying sums of the normal equations
  int observed_ = 0;
};

}  // namespace aictl::inference
