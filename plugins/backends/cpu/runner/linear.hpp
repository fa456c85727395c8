// Products of weight strips with the activations of a step, by whichever kernel suits the number of
// tokens; the sums are the same for all.
#pragma once

#include "plugins/backends/cpu/kernels/kernels.hpp"
#include "plugins/backends/cpu/weights/matrix.hpp"

namespace aictl::cpu {

/// What linears read: `rows` tokens, int8 for quantised weights, f32 for dense ones.
struct Activations {
  ActGroup* quantized = nullptr;        // [group][rows]
  float* dense = nullptr;               // [group][rows][256]
  const float* output_scale = nullptr;  // [rows], multiplies the products; null: 1
  int rows = 0;

  ActGroup* group(int g) const { return quantized + static_cast<int64_t>(g) * rows; }
  float* dense_group(int g) const { return dense + static_cast<int64_t>(g) * rows * kGroup; }
};

/// A worker's own memory.
struct WorkerScratch {
  float* sums = nullptr;              // [rows][32]
  float* more_sums = nullptr;         // [rows][32], of up beside gate
  UnpackedGroup* unpacked = nullptr;  // two panels
  float* attention = nullptr;         // two times kAttendRows rows of a padded head
  float* head = nullptr;              // a padded head
};

/// sums[token][32 rows] = the strip's rows times all tokens, without the output scale.
void multiply_strip(const Kernels& kernels, const Matrix& matrix, int64_t strip,
                    const Activations& in, UnpackedGroup* unpacked, float* sums);

/// Puts n inputs (multiple of 32, of one group) of a token in place, times gain where not null, in
/// the forms asked for. `first` is the index of the first input.
void put_activations(const Kernels& kernels, const float* x, const float* gain, int64_t first,
                     int n, int token, bool quantized, bool dense, const Activations& out);

}  // namespace aictl::cpu
