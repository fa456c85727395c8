// Elementwise work and its reductions, for any instruction set V: norms, quantisation, exp, silu.
// Include inside the file's target region only.
#pragma once

#include "plugins/backends/cpu/kernels/kernels.hpp"

namespace aictl::cpu {

/// e^x, 2 ulp. x = n ln2 + r, |r| <= ln2 / 2; a polynomial for e^r whose constant term is exactly
/// 1, so that e^0 is 1. Below -87.3 (and at -infinity) it is 0, above 88 it stays at e^88.
template <typename V>
[[gnu::always_inline]] inline typename V::F32 exp_lanes(typename V::F32 x) {
  using F32 = typename V::F32;
  const F32 lowest = V::set1(-87.3f), magic = V::set1(12582912.0f);  // 1.5 * 2^23: rounds to whole
  const F32 bounded = V::min(V::max(x, lowest), V::set1(88.0f));
  const F32 shifted = V::fma(bounded, V::set1(1.44269504f), magic);
  const F32 n = V::sub(shifted, magic);
  F32 r = V::fma(n, V::set1(-0.693145752f), bounded);
  r = V::fma(n, V::set1(-1.42860677e-6f), r);
  F32 e = V::set1(1.9841270e-4f);  // Taylor coefficients 1/7! .. 1/1!, 1
  e = V::fma(e, r, V::set1(1.3888889e-3f));
  e = V::fma(e, r, V::set1(8.3333333e-3f));
  e = V::fma(e, r, V::set1(4.1666667e-2f));
  e = V::fma(e, r, V::set1(1.6666667e-1f));
  e = V::fma(e, r, V::set1(0.5f));
  e = V::fma(e, r, V::set1(1.0f));
  e = V::fma(e, r, V::set1(1.0f));
  return V::zero_below(V::mul(e, V::pow2(shifted)), x, lowest);
}

template <typename V>
void exp_array(const float* in, float* out, int n) {
  for (int i = 0; i < n; i += kLanes) V::store(out + i, exp_lanes<V>(V::load(in + i)));
}

template <typename V>
float sum_squares(const float* x, int64_t n) {
  typename V::F32 sum = V::zero();
  for (int64_t i = 0; i < n; i += kLanes) {
    const typename V::F32 v = V::load(x + i);
    sum = V::fma(v, v, sum);
  }
  return V::sum(sum);
}

template <typename V>
void quantize(const float* x, const float* gain, int n, ActGroup* out, int first_block) {
  for (int b = first_block; n > 0; ++b, n -= kBlock, x += kBlock) {
    typename V::F32 low = V::load(x), high = V::load(x + kLanes);
    if (gain) {
      low = V::mul(V::load(gain), low);
      high = V::mul(V::load(gain + kLanes), high);
      gain += kBlock;
    }
    const float largest = V::largest_bits(V::max_bits(V::abs(low), V::abs(high)));
    const float dx = largest / 127.0f;
    const typename V::F32 inverse = V::set1(largest == 0 ? 0.0f : 127.0f / largest);
    low = V::round(V::mul(low, inverse));
    high = V::round(V::mul(high, inverse));
    V::store_i8(out->q + b * kBlock, low);
    V::store_i8(out->q + b * kBlock + kLanes, high);
    const float sum_low = V::sum(low), sum_high = V::sum(high);  // whole numbers: exact
    out->dx[b] = dx;
    out->sx[b] = -dx * (sum_low + sum_high);
    out->half_sx[2 * b] = -dx * sum_low;
    out->half_sx[2 * b + 1] = -dx * sum_high;
  }
}

template <typename V>
void silu_mul(const float* gate, const float* up, float scale, float* out, int n) {
  const typename V::F32 factor = V::set1(scale), one = V::set1(1.0f), zero = V::zero();
  for (int i = 0; i < n; i += kLanes) {
    const typename V::F32 g = V::mul(V::load(gate + i), factor);
    const typename V::F32 u = V::mul(V::load(up + i), factor);
    const typename V::F32 silu = V::div(g, V::add(one, exp_lanes<V>(V::sub(zero, g))));
    V::store(out + i, V::mul(silu, u));
  }
}

template <typename V>
void to_f16(const float* in, uint16_t* out, int n) {
  for (int i = 0; i < n; i += kLanes) V::store_f16(out + i, V::load(in + i));
}

// Ceilings.

template <typename V>
uint64_t read_stream(const std::byte* data, size_t bytes) {
  typename V::Codes folded = V::load_codes(data);
  for (size_t i = 0; i + 1024 <= bytes; i += 1024) {
#pragma GCC unroll 16
    for (size_t line = 0; line < 1024; line += kVector)
      folded = V::either(folded, V::load_codes(data + i + line));
  }
  uint64_t words[8];
  V::store_codes(words, folded);
  return words[0] ^ words[7];
}

template <typename V>
uint64_t int8_chains(int64_t rounds, int32_t* sink) {
  constexpr int kChains = 4 * V::kPanels * V::kTokens / 4;
  typename V::I32 chains[kChains];
  for (auto& chain : chains) chain = V::zero_i32();
  const typename V::Codes codes = V::load_codes(sink);
  const typename V::Acts x = V::acts(reinterpret_cast<const int8_t*>(sink));
  for (int64_t i = 0; i < rounds; ++i)
#pragma GCC unroll 16
    for (auto& chain : chains) chain = V::template dot<7>(chain, codes, x);
  alignas(kVector) float out[kLanes];
  for (auto& chain : chains) {
    V::store(out, V::to_f32(chain));
    for (int l = 0; l < kLanes; ++l) sink[l] ^= static_cast<int32_t>(out[l] != 0);
  }
  return static_cast<uint64_t>(rounds) * kChains * kVector;
}

template <typename V>
uint64_t fma_chains(int64_t rounds, float* sink) {
  constexpr int kChains = V::kPanels == 1 ? 5 : 12;
  typename V::F32 chains[kChains];
  for (auto& chain : chains) chain = V::load(sink);
  const typename V::F32 w = V::load(sink + kLanes), x = V::load(sink + 2 * kLanes);
  for (int64_t i = 0; i < rounds; ++i)
#pragma GCC unroll 16
    for (auto& chain : chains) chain = V::fma(w, x, chain);
  for (auto& chain : chains) V::store(sink, V::add(chain, V::load(sink)));
  return static_cast<uint64_t>(rounds) * kChains * kLanes;
}

}  // namespace aictl::cpu
