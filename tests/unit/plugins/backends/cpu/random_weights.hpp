// Weights and vectors for tests of the CPU backend: random, and reproducible.
#pragma once

#include <cmath>
#include <random>
#include <vector>

#include "core/tensor/dtype.hpp"
#include "plugins/backends/cpu/kernels/tile.hpp"
#include "plugins/backends/cpu/weights/matrix.hpp"

namespace aictl::cpu::test {

inline constexpr DType kWeightTypes[] = {DType::kQ8_0, DType::kQ4_0, DType::kQ4_K, DType::kQ5_K,
                                         DType::kQ6_K, DType::kF32,  DType::kF16,  DType::kBF16};

inline std::vector<float> random_floats(std::mt19937& random, int64_t count) {
  std::normal_distribution<float> normal;
  std::vector<float> out(static_cast<size_t>(count));
  for (float& x : out) x = normal(random);
  return out;
}

/// A matrix three times: as a file's rows, as strips, and decoded.
struct TestMatrix {
  std::vector<std::byte> file, strips;
  std::vector<float> values;  // [rows][cols]
  Matrix matrix;

  TestMatrix(std::mt19937& random, DType type, int64_t rows, int64_t cols) {
    const size_t bytes = row_bytes(type, cols);
    file.resize(bytes * static_cast<size_t>(rows));
    values.resize(static_cast<size_t>(rows * cols));
    for (int64_t r = 0; r < rows; ++r) {
      std::byte* row = file.data() + bytes * static_cast<size_t>(r);
      quant_row(type, random_floats(random, cols).data(), row, cols);
      dequant_row(type, row, values.data() + r * cols, cols);
    }
    pack({file.data(), type, rows, cols, bytes});
  }

 private:
  void pack(const TensorView& view) {
    const TileKind kind = *tile_kind(view.type);
    matrix = {nullptr, strip_bytes(kind, view.cols), kind, view.rows, view.cols};
    // A panel is read with aligned and unaligned loads alike; the arena aligns, here we need not.
    strips.resize(matrix.stride * static_cast<size_t>(matrix.strips()));
    matrix.data = strips.data();
    for (int64_t s = 0; s < matrix.strips(); ++s)
      pack_strip(kind, view, s, matrix.data + static_cast<size_t>(s) * matrix.stride);
  }
};

inline double relative_error(const std::vector<float>& ours, const std::vector<double>& right) {
  double error = 0, norm = 0;
  for (size_t i = 0; i < right.size(); ++i) {
    error += std::pow(ours[i] - right[i], 2);
    norm += std::pow(right[i], 2);
  }
  return norm == 0 ? error : std::sqrt(error / norm);
}

}  // namespace aictl::cpu::test
