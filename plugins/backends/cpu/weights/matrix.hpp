// A weight matrix in strips of 32 rows, and how it gets there from the file's rows.
#pragma once

#include <cstdint>

#include "core/base/result.hpp"
#include "core/tensor/dtype.hpp"
#include "plugins/backends/cpu/kernels/kernels.hpp"
#include "plugins/backends/cpu/kernels/tile.hpp"

namespace aictl::cpu {

/// Strips at data, data + stride, ...; not owned. Rows of the last strip past `rows` are zero.
struct Matrix {
  std::byte* data = nullptr;
  size_t stride = 0;
  TileKind kind = TileKind::kF32;
  int64_t rows = 0, cols = 0;

  int64_t strips() const { return (rows + kStripRows - 1) / kStripRows; }
  const std::byte* strip(int64_t i) const { return data + static_cast<size_t>(i) * stride; }
  int blocks() const { return static_cast<int>(cols / kBlock); }
  int groups() const { return static_cast<int>((cols + kGroup - 1) / kGroup); }
};

/// The tile of a file's type. Errors: kUnsupported.
Result<TileKind> tile_kind(DType type);

/// Writes rows 32 * strip .. 32 * strip + 31 of `view` as one strip, whose memory is zero.
void pack_strip(TileKind kind, const TensorView& view, int64_t strip, std::byte* out);

/// Decodes one row of a matrix to `out[cols]`, the values the file's decoder gives.
void unpack_row(const Kernels& kernels, const Matrix& matrix, int64_t row, float* out);

}  // namespace aictl::cpu
