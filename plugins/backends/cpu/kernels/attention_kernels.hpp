// Attention of a few (query, head) rows over the KV tiles of a split: online softmax with a running
// maximum. Each row's operations and their order do not depend on the other rows. Include inside
// the file's target region only.
//
// A K tile is [head_dim][64 tokens], a V tile [64 tokens][padded_dim], of f16 or f32: a Cache loads
// kLanes elements from the i-th on.
#pragma once

#include "core/tensor/batch.hpp"
#include "plugins/backends/cpu/kernels/kernels.hpp"
#include "plugins/backends/cpu/kernels/vector_kernels.hpp"

namespace aictl::cpu {

template <typename V>
struct F16Cache {
  [[gnu::always_inline]] static typename V::F32 load(const std::byte* tile, int i) {
    return V::from_f16(tile + 2 * i);
  }
};

template <typename V>
struct F32Cache {
  [[gnu::always_inline]] static typename V::F32 load(const std::byte* tile, int i) {
    return V::load(reinterpret_cast<const float*>(tile) + i);
  }
};

// scores[r][64] = q[r] . K, dims ascending; tokens after a row's position become -infinity.
template <typename V, typename Cache, int R>
[[gnu::always_inline]] inline void tile_scores(const AttendArgs& a, const std::byte* k, int token,
                                               float (*scores)[kKvBlockTokens]) {
  for (int t = 0; t < kKvBlockTokens; t += kLanes) {
    typename V::F32 sum[R];
#pragma GCC unroll 6
    for (int r = 0; r < R; ++r) sum[r] = V::zero();
    for (int d = 0; d < a.head_dim; ++d) {
      const typename V::F32 keys = Cache::load(k, d * kKvBlockTokens + t);
#pragma GCC unroll 6
      for (int r = 0; r < R; ++r) sum[r] = V::fma(keys, V::set1(a.q[r][d]), sum[r]);
    }
#pragma GCC unroll 6
    for (int r = 0; r < R; ++r)
      V::store(scores[r] + t, V::mask_tail(sum[r], a.positions[r] + 1 - token - t));
  }
}

// Turns a row's scores into weights e^(score - maximum), updates its maximum and sum, and returns
// what its output so far is to be multiplied with.
template <typename V>
[[gnu::always_inline]] inline float tile_softmax(float* scores, float& maximum, float& sum) {
  typename V::F32 s[4];
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) s[i] = V::load(scores + i * kLanes);
  const float tile_maximum = V::largest(V::max(V::max(s[0], s[1]), V::max(s[2], s[3])));
  const float new_maximum = tile_maximum > maximum ? tile_maximum : maximum;
  alignas(kVector) float correction[kLanes];
  V::store(correction, exp_lanes<V>(V::set1(maximum - new_maximum)));
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    s[i] = exp_lanes<V>(V::sub(s[i], V::set1(new_maximum)));
    V::store(scores + i * kLanes, s[i]);
  }
  const float tile_sum = V::sum(V::add(V::add(s[0], s[1]), V::add(s[2], s[3])));
  sum = sum * correction[0] + tile_sum;
  maximum = new_maximum;
  return correction[0];
}

// out[r] = out[r] * correction[r] + weights[r] . V, tokens ascending.
template <typename V, typename Cache, int R>
[[gnu::always_inline]] inline void tile_output(const AttendArgs& a, const std::byte* v, int tokens,
                                               const float (*weights)[kKvBlockTokens],
                                               const float* correction) {
  for (int d = 0; d < a.padded_dim; d += kLanes) {
    typename V::F32 sum[R];
#pragma GCC unroll 6
    for (int r = 0; r < R; ++r) sum[r] = V::mul(V::load(a.out[r] + d), V::set1(correction[r]));
    for (int t = 0; t < tokens; ++t) {
      const typename V::F32 values = Cache::load(v, t * a.padded_dim + d);
#pragma GCC unroll 6
      for (int r = 0; r < R; ++r) sum[r] = V::fma(values, V::set1(weights[r][t]), sum[r]);
    }
#pragma GCC unroll 6
    for (int r = 0; r < R; ++r) V::store(a.out[r] + d, sum[r]);
  }
}

template <typename V, typename Cache, int R>
[[gnu::always_inline]] inline void attend_rows(AttendArgs& a) {
  alignas(kVector) float scores[R][kKvBlockTokens];
  float correction[R];
  for (int r = 0; r < R; ++r) {
    a.maximum[r] = -__builtin_inff();
    a.sum[r] = 0;
    for (int d = 0; d < a.padded_dim; d += kLanes) V::store(a.out[r] + d, V::zero());
  }
  const int end = a.end_token <= a.positions[R - 1] ? a.end_token : a.positions[R - 1] + 1;
  for (int token = a.first_token; token < end; token += kKvBlockTokens) {
    const std::byte* block =
        a.pool + static_cast<size_t>(a.table[token / kKvBlockTokens]) * a.block_bytes;
    tile_scores<V, Cache, R>(a, block + a.k_offset, token, scores);
    for (int r = 0; r < R; ++r) correction[r] = tile_softmax<V>(scores[r], a.maximum[r], a.sum[r]);
    const int tokens = end - token < kKvBlockTokens ? end - token : kKvBlockTokens;
    tile_output<V, Cache, R>(a, block + a.v_offset, tokens, scores, correction);
  }
}

template <typename V, typename Cache>
void attend(AttendArgs& a) {
  switch (a.rows) {
    case 1:
      return attend_rows<V, Cache, 1>(a);
    case 2:
      return attend_rows<V, Cache, 2>(a);
    case 3:
      return attend_rows<V, Cache, 3>(a);
    case 4:
      return attend_rows<V, Cache, 4>(a);
    case 5:
      return attend_rows<V, Cache, 5>(a);
    default:
      return attend_rows<V, Cache, 6>(a);
  }
}

}  // namespace aictl::cpu
