// 16 lanes in two AVX2 registers, with FMA and F16C. Include inside the file's target region only.
#pragma once

#include <cstddef>
#include <cstdint>

#include <immintrin.h>

namespace aictl::cpu {

struct Avx2 {
  struct F32 {
    __m256 a, b;
  };
  struct I32 {
    __m256i a, b;
  };
  using Codes = I32;
  using Acts = __m256i;

  static constexpr int kPanels = 1;
  static constexpr int kTokens = 3;
  static constexpr int kDenseTokens = 3;

  [[gnu::always_inline]] static F32 zero() { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }
  [[gnu::always_inline]] static F32 set1(float x) {
    const __m256 v = _mm256_set1_ps(x);
    return {v, v};
  }
  [[gnu::always_inline]] static F32 load(const float* p) {
    return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)};
  }
  [[gnu::always_inline]] static void store(float* p, F32 x) {
    _mm256_storeu_ps(p, x.a);
    _mm256_storeu_ps(p + 8, x.b);
  }
  [[gnu::always_inline]] static F32 add(F32 x, F32 y) {
    return {_mm256_add_ps(x.a, y.a), _mm256_add_ps(x.b, y.b)};
  }
  [[gnu::always_inline]] static F32 sub(F32 x, F32 y) {
    return {_mm256_sub_ps(x.a, y.a), _mm256_sub_ps(x.b, y.b)};
  }
  [[gnu::always_inline]] static F32 mul(F32 x, F32 y) {
    return {_mm256_mul_ps(x.a, y.a), _mm256_mul_ps(x.b, y.b)};
  }
  [[gnu::always_inline]] static F32 div(F32 x, F32 y) {
    return {_mm256_div_ps(x.a, y.a), _mm256_div_ps(x.b, y.b)};
  }
  [[gnu::always_inline]] static F32 max(F32 x, F32 y) {
    return {_mm256_max_ps(x.a, y.a), _mm256_max_ps(x.b, y.b)};
  }
  [[gnu::always_inline]] static F32 min(F32 x, F32 y) {
    return {_mm256_min_ps(x.a, y.a), _mm256_min_ps(x.b, y.b)};
  }
  [[gnu::always_inline]] static F32 fma(F32 x, F32 y, F32 z) {
    return {_mm256_fmadd_ps(x.a, y.a, z.a), _mm256_fmadd_ps(x.b, y.b, z.b)};
  }
  [[gnu::always_inline]] static F32 round(F32 x) {
    return {_mm256_round_ps(x.a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC),
            _mm256_round_ps(x.b, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
  }
  [[gnu::always_inline]] static F32 from_f16(const void* p) {
    const auto* v = static_cast<const __m128i*>(p);
    return {_mm256_cvtph_ps(_mm_loadu_si128(v)), _mm256_cvtph_ps(_mm_loadu_si128(v + 1))};
  }
  [[gnu::always_inline]] static F32 from_bf16(const void* p) {
    const auto* v = static_cast<const __m128i*>(p);
    return {widen_bf16(_mm_loadu_si128(v)), widen_bf16(_mm_loadu_si128(v + 1))};
  }
  [[gnu::always_inline]] static F32 from_i8(const void* p) {
    const __m128i v = _mm_loadu_si128(static_cast<const __m128i*>(p));
    return to_f32({_mm256_cvtepi8_epi32(v), _mm256_cvtepi8_epi32(_mm_srli_si128(v, 8))});
  }
  [[gnu::always_inline]] static F32 from_u8(const void* p) {
    const __m128i v = _mm_loadu_si128(static_cast<const __m128i*>(p));
    return to_f32({_mm256_cvtepu8_epi32(v), _mm256_cvtepu8_epi32(_mm_srli_si128(v, 8))});
  }
  [[gnu::always_inline]] static void store_f16(uint16_t* p, F32 x) {
    constexpr int kMode = _MM_FROUND_TO_NEAREST_INT;
    auto* out = reinterpret_cast<__m128i*>(p);
    _mm_storeu_si128(out, _mm256_cvtps_ph(x.a, kMode));
    _mm_storeu_si128(out + 1, _mm256_cvtps_ph(x.b, kMode));
  }
  /// Stores 16 whole numbers as int8; what does not fit or is NaN becomes -128.
  [[gnu::always_inline]] static void store_i8(int8_t* p, F32 x) {
    const __m256i words = _mm256_packs_epi32(_mm256_cvtps_epi32(x.a), _mm256_cvtps_epi32(x.b));
    const __m256i ordered = _mm256_permute4x64_epi64(words, 0xD8);
    _mm_storeu_si128(
        reinterpret_cast<__m128i*>(p),
        _mm_packs_epi16(_mm256_castsi256_si128(ordered), _mm256_extracti128_si256(ordered, 1)));
  }
  [[gnu::always_inline]] static F32 abs(F32 x) {
    const __m256 mask = _mm256_castsi256_ps(_mm256_set1_epi32(0x7FFFFFFF));
    return {_mm256_and_ps(x.a, mask), _mm256_and_ps(x.b, mask)};
  }
  /// The larger by bit pattern: for magnitudes, NaN being the largest.
  [[gnu::always_inline]] static F32 max_bits(F32 x, F32 y) {
    return {
        _mm256_castsi256_ps(_mm256_max_epi32(_mm256_castps_si256(x.a), _mm256_castps_si256(y.a))),
        _mm256_castsi256_ps(_mm256_max_epi32(_mm256_castps_si256(x.b), _mm256_castps_si256(y.b)))};
  }
  /// 2^n where t = n + 1.5 * 2^23.
  [[gnu::always_inline]] static F32 pow2(F32 t) { return {pow2(t.a), pow2(t.b)}; }
  /// x where test >= limit, else 0.
  [[gnu::always_inline]] static F32 zero_below(F32 x, F32 test, F32 limit) {
    return {_mm256_and_ps(x.a, _mm256_cmp_ps(test.a, limit.a, _CMP_NLT_UQ)),
            _mm256_and_ps(x.b, _mm256_cmp_ps(test.b, limit.b, _CMP_NLT_UQ))};
  }
  /// Lanes from n on become -infinity.
  [[gnu::always_inline]] static F32 mask_tail(F32 x, int n) {
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const __m256 none = _mm256_set1_ps(-__builtin_inff());
    const __m256i keep_a = _mm256_cmpgt_epi32(_mm256_set1_epi32(n), lanes);
    const __m256i keep_b = _mm256_cmpgt_epi32(_mm256_set1_epi32(n - 8), lanes);
    return {_mm256_blendv_ps(none, x.a, _mm256_castsi256_ps(keep_a)),
            _mm256_blendv_ps(none, x.b, _mm256_castsi256_ps(keep_b))};
  }
  /// Halves are added until one is left: lane l + lane l+8, then +4, +2, +1.
  [[gnu::always_inline]] static float sum(F32 x) {
    const __m256 s8 = _mm256_add_ps(x.a, x.b);
    const __m128 s4 = _mm_add_ps(_mm256_castps256_ps128(s8), _mm256_extractf128_ps(s8, 1));
    const __m128 s2 = _mm_add_ps(s4, _mm_movehl_ps(s4, s4));
    return _mm_cvtss_f32(_mm_add_ss(s2, _mm_movehdup_ps(s2)));
  }
  [[gnu::always_inline]] static float largest(F32 x) {
    const __m256 m8 = _mm256_max_ps(x.a, x.b);
    const __m128 m4 = _mm_max_ps(_mm256_castps256_ps128(m8), _mm256_extractf128_ps(m8, 1));
    const __m128 m2 = _mm_max_ps(m4, _mm_movehl_ps(m4, m4));
    return _mm_cvtss_f32(_mm_max_ss(m2, _mm_movehdup_ps(m2)));
  }
  [[gnu::always_inline]] static float largest_bits(F32 x) {
    const __m256i m8 = _mm256_max_epi32(_mm256_castps_si256(x.a), _mm256_castps_si256(x.b));
    const __m128i m4 = _mm_max_epi32(_mm256_castsi256_si128(m8), _mm256_extracti128_si256(m8, 1));
    const __m128i m2 = _mm_max_epi32(m4, _mm_shuffle_epi32(m4, 0x4E));
    const __m128i m1 = _mm_max_epi32(m2, _mm_shuffle_epi32(m2, 0xB1));
    return __builtin_bit_cast(float, _mm_cvtsi128_si32(m1));
  }

  [[gnu::always_inline]] static I32 zero_i32() {
    return {_mm256_setzero_si256(), _mm256_setzero_si256()};
  }
  [[gnu::always_inline]] static F32 to_f32(I32 x) {
    return {_mm256_cvtepi32_ps(x.a), _mm256_cvtepi32_ps(x.b)};
  }
  [[gnu::always_inline]] static Codes load_codes(const void* p) {
    const auto* v = static_cast<const __m256i*>(p);
    return {_mm256_loadu_si256(v), _mm256_loadu_si256(v + 1)};
  }
  [[gnu::always_inline]] static void store_codes(void* p, Codes x) {
    auto* v = static_cast<__m256i*>(p);
    _mm256_storeu_si256(v, x.a);
    _mm256_storeu_si256(v + 1, x.b);
  }
  [[gnu::always_inline]] static Codes bits(Codes x, int shift, int mask) {
    const __m256i keep = _mm256_set1_epi8(static_cast<char>(mask));
    return {_mm256_and_si256(shifted(x.a, shift), keep),
            _mm256_and_si256(shifted(x.b, shift), keep)};
  }
  /// (x >> right & mask) << 4, bytewise for a mask of at most 4 bits.
  [[gnu::always_inline]] static Codes high_bits(Codes x, int right, int mask) {
    return bits(x, right - 4, mask << 4);
  }
  [[gnu::always_inline]] static Codes either(Codes x, Codes y) {
    return {_mm256_or_si256(x.a, y.a), _mm256_or_si256(x.b, y.b)};
  }
  [[gnu::always_inline]] static Acts acts(const int8_t* p) {
    int32_t four;
    __builtin_memcpy(&four, p, 4);
    return _mm256_set1_epi32(four);
  }
  /// acc + sum of 4 products in each lane. kBits: of the codes.
  template <int kBits>
  [[gnu::always_inline]] static I32 dot(I32 acc, Codes codes, Acts x) {
    return {dot<kBits>(acc.a, codes.a, x), dot<kBits>(acc.b, codes.b, x)};
  }

 private:
  [[gnu::always_inline]] static __m256i shifted(__m256i x, int right) {
    const auto words = reinterpret_cast<__v8su>(x);
    return reinterpret_cast<__m256i>(right >= 0 ? words >> right : words << -right);
  }
  [[gnu::always_inline]] static __m256 widen_bf16(__m128i v) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(v), 16));
  }
  [[gnu::always_inline]] static __m256 pow2(__m256 t) {
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_slli_epi32(_mm256_castps_si256(t), 23),
                                                _mm256_set1_epi32(0x3F800000)));
  }
  // maddubs adds two products in 16 bits: safe for codes up to 127. 8-bit codes go through 16-bit
  // products of the even and the odd bytes instead.
  template <int kBits>
  [[gnu::always_inline]] static __m256i dot(__m256i acc, __m256i codes, __m256i x) {
    if constexpr (kBits < 8) {
      const __m256i pairs = _mm256_maddubs_epi16(codes, x);
      return _mm256_add_epi32(acc, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
    } else {
      const __m256i x_even = _mm256_srai_epi16(_mm256_slli_epi16(x, 8), 8);
      const __m256i x_odd = _mm256_srai_epi16(x, 8);
      const __m256i even = _mm256_and_si256(codes, _mm256_set1_epi16(0xFF));
      const __m256i odd = _mm256_srli_epi16(codes, 8);
      return _mm256_add_epi32(
          acc, _mm256_add_epi32(_mm256_madd_epi16(even, x_even), _mm256_madd_epi16(odd, x_odd)));
    }
  }
};

}  // namespace aictl::cpu
