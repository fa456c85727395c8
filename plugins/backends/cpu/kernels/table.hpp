// The table of kernels of an instruction set V. Include inside the file's target region only.
#pragma once

#include "plugins/backends/cpu/kernels/attention_kernels.hpp"
#include "plugins/backends/cpu/kernels/linear_kernels.hpp"
#include "plugins/backends/cpu/kernels/vector_kernels.hpp"

namespace aictl::cpu {

template <typename V>
constexpr Kernels make_kernels(std::string_view isa) {
  return {
      .isa = isa,
      .strip = {strip<V, Q8Tile<V>>, strip<V, Q4Tile<V>>, strip<V, Q4KTile<V>>,
                strip<V, Q5KTile<V>>, strip<V, Q6KTile<V>>},
      .unpack = {unpack<V, Q8Tile<V>>, unpack<V, Q4Tile<V>>, unpack<V, Q4KTile<V>>,
                 unpack<V, Q5KTile<V>>, unpack<V, Q6KTile<V>>},
      .gemm = {gemm<V, Q8Tile<V>>, gemm<V, Q4Tile<V>>, gemm<V, Q4KTile<V>>, gemm<V, Q5KTile<V>>,
               gemm<V, Q6KTile<V>>},
      .dense = {dense<V, TileKind::kF32>, dense<V, TileKind::kF16>, dense<V, TileKind::kBF16>},
      .sum_squares = sum_squares<V>,
      .quantize = quantize<V>,
      .silu_mul = silu_mul<V>,
      .to_f16 = to_f16<V>,
      .exp = exp_array<V>,
      .attend_f16 = attend<V, F16Cache<V>>,
      .attend_f32 = attend<V, F32Cache<V>>,
      .read_stream = read_stream<V>,
      .int8_chains = int8_chains<V>,
      .fma_chains = fma_chains<V>,
  };
}

}  // namespace aictl::cpu
