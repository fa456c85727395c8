// Matrix products over the tile, for any instruction set V. Include inside the file's target region
// only. One lane is one output row, so a row's sum is the same for any number of tokens.
#pragma once

#include "plugins/backends/cpu/kernels/formats.hpp"
#include "plugins/backends/cpu/kernels/kernels.hpp"

namespace aictl::cpu {

// Adds `blocks` blocks of one group of P panels to sum[P][M] for M tokens. The formula is that
// of Kernels::strip.
template <typename V, typename Format, int P, int M>
[[gnu::always_inline]] inline void add_group(const std::byte* const* groups, int blocks,
                                             const ActGroup* acts, typename V::F32 (&sum)[P][M]) {
  const Format f[2] = {Format(groups[0], blocks), Format(groups[P - 1], blocks)};
  alignas(kVector) float offset_terms[Format::kMins ? 1 : M][2 * kGroupBlocks];
  if constexpr (!Format::kMins) {
    const typename V::F32 offset = V::set1(Format::kOffset);
#pragma GCC unroll 8
    for (int m = 0; m < M; ++m)  // sx and, in the K-quants with halves, half_sx
      V::store(offset_terms[m],
               V::mul(offset, V::load(Format::kHalves ? acts[m].half_sx : acts[m].sx)));
  }
  constexpr int kParts = Format::kHalves ? 2 : 1, kVectors = kVectorsPerBlock / kParts;
  for (int part = 0; part < blocks * kParts; ++part) {
    const int b = part / kParts, first = part % kParts * kVectors;
    typename V::I32 dots[P][M];
#pragma GCC unroll 8
    for (int m = 0; m < M; ++m)
#pragma GCC unroll 2
      for (int p = 0; p < P; ++p) dots[p][m] = V::zero_i32();
#pragma GCC unroll 8
    for (int i = 0; i < kVectors; ++i) {
      typename V::Codes codes[P];
#pragma GCC unroll 2
      for (int p = 0; p < P; ++p)
        codes[p] = first == 0 ? f[p].codes(b, i) : f[p].codes(b, i + kVectors);
#pragma GCC unroll 8
      for (int m = 0; m < M; ++m) {
        const typename V::Acts x = V::acts(acts[m].q + b * kBlock + 4 * (first + i));
#pragma GCC unroll 2
        for (int p = 0; p < P; ++p)
          dots[p][m] = V::template dot<Format::kBits>(dots[p][m], codes[p], x);
      }
    }
#pragma GCC unroll 2
    for (int p = 0; p < P; ++p) {
      const typename V::F32 d = f[p].scale(part);
#pragma GCC unroll 8
      for (int m = 0; m < M; ++m) {
        const typename V::F32 u = V::to_f32(dots[p][m]), dx = V::set1(acts[m].dx[b]);
        if constexpr (Format::kMins) {
          sum[p][m] = V::fma(V::mul(u, dx), d, sum[p][m]);
          sum[p][m] = V::fma(V::set1(acts[m].sx[b]), f[p].min(b), sum[p][m]);
        } else {
          sum[p][m] = V::fma(V::fma(u, dx, V::set1(offset_terms[m][part])), d, sum[p][m]);
        }
      }
    }
  }
}

// All groups of a packed strip, M tokens. The panels take turns group by group, so that memory is
// read strictly forward: the prefetchers of the machine follow one stream to its full bandwidth,
// give two that alternate half of it, and are only disturbed by prefetch instructions (measured).
template <typename V, typename Format, int M>
[[gnu::always_inline]] inline void strip_tokens(const std::byte* strip, int blocks,
                                                const ActGroup* acts, int stride, float* acc) {
  typename V::F32 sum[2][1][M];
#pragma GCC unroll 8
  for (int m = 0; m < M; ++m) sum[0][0][m] = sum[1][0][m] = V::zero();
  for (int done = 0; done < blocks; done += kGroupBlocks) {
    const int n = blocks - done < kGroupBlocks ? blocks - done : kGroupBlocks;
#pragma GCC unroll 2
    for (int p = 0; p < 2; ++p) {
      add_group<V, Format, 1, M>(&strip, n, acts, sum[p]);
      strip += group_bytes(Format::kKind, n);
    }
    acts += stride;
  }
#pragma GCC unroll 8
  for (int m = 0; m < M; ++m) {
    V::store(acc + m * kStripRows, sum[0][0][m]);
    V::store(acc + m * kStripRows + kLanes, sum[1][0][m]);
  }
}

// Tokens are taken in steps of nearly equal size: 8 as 4 and 4, for a step of 2 is a slow one.
template <typename V>
[[gnu::always_inline]] inline int steps_of(int rows) {
  return (rows + V::kTokens - 1) / V::kTokens;
}

template <typename V, typename Format>
void strip(const std::byte* strip, int blocks, const ActGroup* acts, int stride, int rows,
           float* acc) {
  for (int steps = steps_of<V>(rows); steps > 0; --steps) {
    const int n = (rows + steps - 1) / steps;
    if (n == 1) strip_tokens<V, Format, 1>(strip, blocks, acts, stride, acc);
    if constexpr (V::kTokens >= 3) {
      if (n == 2) strip_tokens<V, Format, 2>(strip, blocks, acts, stride, acc);
      if (n == 3) strip_tokens<V, Format, 3>(strip, blocks, acts, stride, acc);
    }
    if constexpr (V::kTokens >= 6) {
      if (n == 4) strip_tokens<V, Format, 4>(strip, blocks, acts, stride, acc);
      if (n == 5) strip_tokens<V, Format, 5>(strip, blocks, acts, stride, acc);
      if (n == 6) strip_tokens<V, Format, 6>(strip, blocks, acts, stride, acc);
    }
    acts += n;
    acc += n * kStripRows;
    rows -= n;
  }
}

template <typename V, typename Format>
void unpack(const std::byte* group, int blocks, UnpackedGroup* out) {
  const Format f(group, blocks);
  for (int b = 0; b < blocks; ++b) {
#pragma GCC unroll 8
    for (int j = 0; j < kVectorsPerBlock; ++j) V::store_codes(out->codes[b][j], f.codes(b, j));
    if constexpr (Format::kHalves) {
      V::store(out->d[2 * b], f.scale(2 * b));
      V::store(out->d[2 * b + 1], f.scale(2 * b + 1));
    } else {
      V::store(out->d[b], f.scale(b));
    }
    if constexpr (Format::kMins) V::store(out->m[b], f.min(b));
  }
}

// One group, M tokens of an unpacked strip.
template <typename V, typename Format, int M>
[[gnu::always_inline]] inline void gemm_tokens(const UnpackedGroup* panels, int blocks,
                                               const ActGroup* acts, float* acc, bool first) {
  constexpr int P = V::kPanels;
  for (int panel = 0; panel < 2; panel += P) {
    typename V::F32 sum[P][M];
    float* out = acc + panel * kLanes;
#pragma GCC unroll 8
    for (int m = 0; m < M; ++m)
#pragma GCC unroll 2
      for (int p = 0; p < P; ++p)
        sum[p][m] = first ? V::zero() : V::load(out + m * kStripRows + p * kLanes);
    const std::byte* groups[2] = {reinterpret_cast<const std::byte*>(panels + panel),
                                  reinterpret_cast<const std::byte*>(panels + panel + P - 1)};
    add_group<V, Format, P, M>(groups, blocks, acts, sum);
#pragma GCC unroll 8
    for (int m = 0; m < M; ++m)
#pragma GCC unroll 2
      for (int p = 0; p < P; ++p) V::store(out + m * kStripRows + p * kLanes, sum[p][m]);
  }
}

template <typename V, typename Packed>
void gemm(const UnpackedGroup* panels, int blocks, const ActGroup* acts, int rows, float* acc,
          bool first) {
  using Format = UnpackedTile<V, Packed>;
  for (int steps = steps_of<V>(rows); steps > 0; --steps) {
    const int n = (rows + steps - 1) / steps;
    if (n == 1) gemm_tokens<V, Format, 1>(panels, blocks, acts, acc, first);
    if constexpr (V::kTokens >= 3) {
      if (n == 2) gemm_tokens<V, Format, 2>(panels, blocks, acts, acc, first);
      if (n == 3) gemm_tokens<V, Format, 3>(panels, blocks, acts, acc, first);
    }
    if constexpr (V::kTokens >= 6) {
      if (n == 4) gemm_tokens<V, Format, 4>(panels, blocks, acts, acc, first);
      if (n == 5) gemm_tokens<V, Format, 5>(panels, blocks, acts, acc, first);
      if (n == 6) gemm_tokens<V, Format, 6>(panels, blocks, acts, acc, first);
    }
    acts += n;
    acc += n * kStripRows;
    rows -= n;
  }
}

template <typename V, TileKind kind>
[[gnu::always_inline]] inline typename V::F32 dense_weights(const std::byte* p) {
  if constexpr (kind == TileKind::kF32) return V::load(reinterpret_cast<const float*>(p));
  if constexpr (kind == TileKind::kF16) return V::from_f16(p);
  return V::from_bf16(p);
}

// One group of a dense strip, M tokens.
template <typename V, TileKind kind, int M>
[[gnu::always_inline]] inline void dense_tokens(const std::byte* strip, int cols, const float* x,
                                                float* acc, bool first) {
  constexpr int kElement = kind == TileKind::kF32 ? 4 : 2;
  typename V::F32 sum[2][M];
#pragma GCC unroll 12
  for (int m = 0; m < M; ++m)
#pragma GCC unroll 2
    for (int p = 0; p < 2; ++p)
      sum[p][m] = first ? V::zero() : V::load(acc + m * kStripRows + p * kLanes);
  for (int k = 0; k < cols; ++k) {
    const typename V::F32 w[2] = {dense_weights<V, kind>(strip),
                                  dense_weights<V, kind>(strip + kLanes * kElement)};
    strip += kStripRows * kElement;
#pragma GCC unroll 12
    for (int m = 0; m < M; ++m) {
      const typename V::F32 value = V::set1(x[m * kGroup + k]);
#pragma GCC unroll 2
      for (int p = 0; p < 2; ++p) sum[p][m] = V::fma(w[p], value, sum[p][m]);
    }
  }
#pragma GCC unroll 12
  for (int m = 0; m < M; ++m)
#pragma GCC unroll 2
    for (int p = 0; p < 2; ++p) V::store(acc + m * kStripRows + p * kLanes, sum[p][m]);
}

// As many times M tokens as there are; returns how many tokens that was.
template <typename V, TileKind kind, int M>
[[gnu::always_inline]] inline int dense_steps(const std::byte* strip, int cols, const float* x,
                                              int rows, float* acc, bool first) {
  int done = 0;
  for (; rows - done >= M; done += M)
    dense_tokens<V, kind, M>(strip, cols, x + done * kGroup, acc + done * kStripRows, first);
  return done;
}

template <typename V, TileKind kind>
void dense(const std::byte* strip, int cols, const float* x, int rows, float* acc, bool first) {
  int done = dense_steps<V, kind, V::kDenseTokens>(strip, cols, x, rows, acc, first);
  if constexpr (V::kDenseTokens > 4)
    done += dense_steps<V, kind, 4>(strip, cols, x + done * kGroup, rows - done,
                                    acc + done * kStripRows, first);
  dense_steps<V, kind, 1>(strip, cols, x + done * kGroup, rows - done, acc + done * kStripRows,
                          first);
}

}  // namespace aictl::cpu
