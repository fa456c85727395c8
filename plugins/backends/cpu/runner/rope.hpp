// Rotary embedding: cos and sin of a step's positions, and the turn of a head.
#pragma once

#include <span>
#include <vector>

#include "core/tensor/model_spec.hpp"

namespace aictl::cpu {

class RopeTable {
 public:
  RopeTable(const Rope& rope, int max_rows);
  /// Fills row `row` for a position.
  void set(int row, int32_t position);
  /// Turns the first dims of a head in place.
  void turn(int row, float* head) const;

 private:
  const Rope& rope_;
  size_t half_;
  std::vector<float> cos_, sin_;  // [rows][dims / 2]
};

}  // namespace aictl::cpu
