// The inner loops of the CPU backend as one table of functions an instruction set. All tables give
// the same bits: the order of every floating-point operation is part of their contract.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "plugins/backends/cpu/kernels/tile.hpp"

namespace aictl::cpu {

/// (query, head) rows an attention unit takes at once.
inline constexpr int kAttendRows = 6;

/// One piece of attention: some (query, head) rows that share a KV head, over the tiles of a split.
struct AttendArgs {
  const std::byte* pool;       // KV blocks
  size_t block_bytes;          // from block to block
  size_t k_offset, v_offset;   // of this layer's and head's tiles in a block
  const int32_t* table;        // block ids of the sequence
  int first_token, end_token;  // of the split; first_token is a multiple of the tile
  int head_dim, padded_dim;
  int rows;                     // 1..kAttendRows
  const float* q[kAttendRows];  // [head_dim], already times the attention scale
  int positions[kAttendRows];   // a row sees tokens 0..position; ascending, >= first_token
  float* out[kAttendRows];      // [padded_dim], not yet divided by `sum`
  float maximum[kAttendRows], sum[kAttendRows];  // results of the online softmax
};

struct Kernels {
  std::string_view isa;

  /// acc[token][32 rows] = the strip's rows times `rows` tokens; `acts` is [group][stride]
  /// ActGroups. Per row, blocks ascending: acc = fma(fma(float(sum u*x), dx,
  /// off*sx), d, acc); formats with minimums: acc = fma(float(sum u*x)*dx, d, acc), then acc =
  /// fma(sx, m, acc).
  using Strip = void (*)(const std::byte* strip, int blocks, const ActGroup* acts, int stride,
                         int rows, float* acc);
  Strip strip[kQuantizedKinds];
  /// Up to so many tokens `strip` is the faster way; above, `unpack` and `gemm`.
  int strip_tokens[kQuantizedKinds];

  /// Spreads one panel's group into 8-bit codes and f32 scales.
  using Unpack = void (*)(const std::byte* group, int blocks, UnpackedGroup* out);
  Unpack unpack[kQuantizedKinds];

  /// The sum of `strip` over one group of two unpacked panels and any number of tokens; `first`
  /// starts from zero, else adds to acc.
  using Gemm = void (*)(const UnpackedGroup* panels, int blocks, const ActGroup* acts, int rows,
                        float* acc, bool first);
  Gemm gemm[kQuantizedKinds];

  /// acc[token][32 rows] (+)= strip [cols][32] times x[token][256], one group of at most 256
  /// inputs, ascending: acc = fma(w, x, acc); `first` starts from zero. Index: kind - kF32.
  using Dense = void (*)(const std::byte* strip, int cols, const float* x, int rows, float* acc,
                         bool first);
  Dense dense[kTileKinds - kQuantizedKinds];

  /// Sum of squares of n floats, n a multiple of 16: lane l adds x[16i + l], then halves are added.
  float (*sum_squares)(const float* x, int64_t n);
  /// Quantises n (a multiple of 32, at most 256) values gain[i] * x[i] (gain may be null): dx =
  /// absmax / 127, q = round to even of x * (127 / absmax).
  void (*quantize)(const float* x, const float* gain, int n, ActGroup* out, int first_block);
  /// out = silu(gate * scale) * (up * scale), n a multiple of 16.
  void (*silu_mul)(const float* gate, const float* up, float scale, float* out, int n);
  /// f32 to f16, round to even, n a multiple of 16.
  void (*to_f16)(const float* in, uint16_t* out, int n);
  /// exp of n floats, n a multiple of 16; 2 ulp; 0 below -87.3.
  void (*exp)(const float* in, float* out, int n);

  /// Over a cache of f16, or of f32.
  void (*attend_f16)(AttendArgs& args);
  void (*attend_f32)(AttendArgs& args);

  // Ceilings. Each returns something computed, so that it is not removed.
  uint64_t (*read_stream)(const std::byte* data, size_t bytes);
  /// Independent chains of int8 dot products; returns the multiply-adds done.
  uint64_t (*int8_chains)(int64_t rounds, int32_t* sink);
  uint64_t (*fma_chains)(int64_t rounds, float* sink);
};

extern const Kernels kScalarKernels;
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;

}  // namespace aictl::cpu
