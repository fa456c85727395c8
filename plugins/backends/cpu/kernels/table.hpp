// The table of kernels of an instruction set V. Include inside the file's target region only.
#pragma once

#include "plugins/backends/cpu/kernels/attention_kernels.hpp"
#include "plugins/backends/cpu/kernels/linear_kernels.hpp"
#include "plugins/backends/cpu/kernels/vector_kernels.hpp"

namespace aictl::cpu {

// Measured on Zen 4, shares of the VNNI peak: 8 tokens 74 % from the packed strip against 58 %
// unpacked, 64 tokens 77 % against 74 %; Q6_K costs more to unpack: 8 tokens 54 % against 46 %, 64
// tokens 57 % against 62 %. AVX2 gains nothing on Q6_K, and plain arrays unpack slowly.
template <typename V>
constexpr int most_strip_tokens(TileKind kind) {
  if (V::kTokens < 3) return 6;
  if (kind == TileKind::kQ6_K) return V::kTokens < 6 ? 6 : 16;
  return 64;
}

template <typename V>
constexpr Kernels make_kernels(std::string_view isa) {
  return {
      .isa = isa,
      .strip = {strip<V, Q8Tile<V>>, strip<V, Q4Tile<V>>, strip<V, Q4KTile<V>>,
                strip<V, Q5KTile<V>>, strip<V, Q6KTile<V>>},
      .strip_tokens = {most_strip_tokens<V>(TileKind::kQ8_0), most_strip_tokens<V>(TileKind::kQ4_0),
                       most_strip_tokens<V>(TileKind::kQ4_K), most_strip_tokens<V>(TileKind::kQ5_K),
                       most_strip_tokens<V>(TileKind::kQ6_K)},
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
