#include "plugins/backends/cpu/runner/linear.hpp"

#include <algorithm>

namespace aictl::cpu {
namespace {

void multiply_dense(const Kernels& kernels, const Matrix& matrix, const std::byte* strip,
                    const Activations& in, float* sums) {
  const auto dense = kernels.dense[static_cast<int>(matrix.kind) - kQuantizedKinds];
  const size_t row_bytes = strip_bytes(matrix.kind, 1);
  for (int g = 0; g < matrix.groups(); ++g) {
    const int64_t first = static_cast<int64_t>(g) * kGroup;
    const int cols = static_cast<int>(std::min<int64_t>(kGroup, matrix.cols - first));
    dense(strip + static_cast<size_t>(first) * row_bytes, cols, in.dense_group(g), in.rows, sums,
          g == 0);
  }
}

}  // namespace

void multiply_strip(const Kernels& kernels, const Matrix& matrix, int64_t index,
                    const Activations& in, UnpackedGroup* unpacked, float* sums) {
  const std::byte* strip = matrix.strip(index);
  if (is_dense(matrix.kind)) return multiply_dense(kernels, matrix, strip, in, sums);
  const int kind = static_cast<int>(matrix.kind);
  if (in.rows <= kernels.strip_tokens[kind])
    return kernels.strip[kind](strip, matrix.blocks(), in.quantized, in.rows, in.rows, sums);
  for (int g = 0; g < matrix.groups(); ++g) {
    const int blocks = std::min(kGroupBlocks, matrix.blocks() - g * kGroupBlocks);
    const size_t bytes = group_bytes(matrix.kind, blocks);
    kernels.unpack[kind](strip, blocks, unpacked);
    kernels.unpack[kind](strip + bytes, blocks, unpacked + 1);
    kernels.gemm[kind](unpacked, blocks, in.group(g), in.rows, sums, g == 0);
    strip += 2 * bytes;
  }
}

void put_activations(const Kernels& kernels, const float* x, const float* gain, int64_t first,
                     int n, int token, bool quantized, bool dense, const Activations& out) {
  const int group = static_cast<int>(first / kGroup), offset = static_cast<int>(first % kGroup);
  if (quantized) kernels.quantize(x, gain, n, out.group(group) + token, offset / kBlock);
  if (dense) {
    float* to = out.dense_group(group) + static_cast<int64_t>(token) * kGroup + offset;
    for (int i = 0; i < n; ++i) to[i] = gain ? gain[i] * x[i] : x[i];
  }
}

}  // namespace aictl::cpu
