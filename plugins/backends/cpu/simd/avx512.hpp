// 16 lanes in one AVX-512 register. Include inside the file's target region only.
#pragma once

#include <cstddef>
#include <cstdint>

#include <immintrin.h>

namespace aictl::cpu {

struct Avx512 {
  using F32 = __m512;
  using I32 = __m512i;
  using Codes = __m512i;  // 64 bytes: 4 a lane
  using Acts = __m512i;   // the same 4 int8 in every lane

  static constexpr int kPanels = 2;        // of a strip, at once
  static constexpr int kTokens = 6;        // at once, with int8 activations
  static constexpr int kDenseTokens = 12;  // at once, with f32 activations

  [[gnu::always_inline]] static F32 zero() { return _mm512_setzero_ps(); }
  [[gnu::always_inline]] static F32 set1(float x) { return _mm512_set1_ps(x); }
  [[gnu::always_inline]] static F32 load(const float* p) { return _mm512_loadu_ps(p); }
  [[gnu::always_inline]] static void store(float* p, F32 x) { _mm512_storeu_ps(p, x); }
  [[gnu::always_inline]] static F32 add(F32 a, F32 b) { return _mm512_add_ps(a, b); }
  [[gnu::always_inline]] static F32 sub(F32 a, F32 b) { return _mm512_sub_ps(a, b); }
  [[gnu::always_inline]] static F32 mul(F32 a, F32 b) { return _mm512_mul_ps(a, b); }
  [[gnu::always_inline]] static F32 div(F32 a, F32 b) { return _mm512_div_ps(a, b); }
  [[gnu::always_inline]] static F32 max(F32 a, F32 b) { return _mm512_max_ps(a, b); }
  [[gnu::always_inline]] static F32 min(F32 a, F32 b) { return _mm512_min_ps(a, b); }
  [[gnu::always_inline]] static F32 fma(F32 a, F32 b, F32 c) { return _mm512_fmadd_ps(a, b, c); }
  [[gnu::always_inline]] static F32 round(F32 x) {
    return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  [[gnu::always_inline]] static F32 from_f16(const void* p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(static_cast<const __m256i*>(p)));
  }
  [[gnu::always_inline]] static F32 from_bf16(const void* p) {
    const __m256i half = _mm256_loadu_si256(static_cast<const __m256i*>(p));
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
  }
  [[gnu::always_inline]] static F32 from_i8(const void* p) {
    const __m128i bytes = _mm_loadu_si128(static_cast<const __m128i*>(p));
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes));
  }
  [[gnu::always_inline]] static F32 from_u8(const void* p) {
    const __m128i bytes = _mm_loadu_si128(static_cast<const __m128i*>(p));
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes));
  }
  [[gnu::always_inline]] static void store_f16(uint16_t* p, F32 x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                        _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
  }
  /// Stores 16 whole numbers as int8; what does not fit or is NaN becomes -128.
  [[gnu::always_inline]] static void store_i8(int8_t* p, F32 x) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtsepi32_epi8(_mm512_cvtps_epi32(x)));
  }
  [[gnu::always_inline]] static F32 abs(F32 x) {
    return _mm512_castsi512_ps(
        _mm512_and_si512(_mm512_castps_si512(x), _mm512_set1_epi32(0x7FFFFFFF)));
  }
  /// The larger by bit pattern: for magnitudes, NaN being the largest.
  [[gnu::always_inline]] static F32 max_bits(F32 a, F32 b) {
    return _mm512_castsi512_ps(_mm512_max_epi32(_mm512_castps_si512(a), _mm512_castps_si512(b)));
  }
  /// 2^n where t = n + 1.5 * 2^23.
  [[gnu::always_inline]] static F32 pow2(F32 t) {
    return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_slli_epi32(_mm512_castps_si512(t), 23),
                                                _mm512_set1_epi32(0x3F800000)));
  }
  /// x where test >= limit, else 0.
  [[gnu::always_inline]] static F32 zero_below(F32 x, F32 test, F32 limit) {
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(test, limit, _CMP_NLT_UQ), x);
  }
  /// Lanes from n on become -infinity.
  [[gnu::always_inline]] static F32 mask_tail(F32 x, int n) {
    const __mmask16 keep = static_cast<__mmask16>(n >= 16 ? 0xFFFF : n <= 0 ? 0 : (1 << n) - 1);
    return _mm512_mask_mov_ps(_mm512_set1_ps(-__builtin_inff()), keep, x);
  }
  /// Halves are added until one is left: lane l + lane l+8, then +4, +2, +1.
  [[gnu::always_inline]] static float sum(F32 x) {
    const __m256 s8 = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
    const __m128 s4 = _mm_add_ps(_mm256_castps256_ps128(s8), _mm256_extractf128_ps(s8, 1));
    const __m128 s2 = _mm_add_ps(s4, _mm_movehl_ps(s4, s4));
    return _mm_cvtss_f32(_mm_add_ss(s2, _mm_movehdup_ps(s2)));
  }
  [[gnu::always_inline]] static float largest(F32 x) { return _mm512_reduce_max_ps(x); }
  [[gnu::always_inline]] static float largest_bits(F32 x) {
    return __builtin_bit_cast(float, _mm512_reduce_max_epi32(_mm512_castps_si512(x)));
  }

  [[gnu::always_inline]] static I32 zero_i32() { return _mm512_setzero_si512(); }
  [[gnu::always_inline]] static F32 to_f32(I32 x) { return _mm512_cvtepi32_ps(x); }
  [[gnu::always_inline]] static Codes load_codes(const void* p) { return _mm512_loadu_si512(p); }
  [[gnu::always_inline]] static void store_codes(void* p, Codes x) { _mm512_storeu_si512(p, x); }
  [[gnu::always_inline]] static Codes bits(Codes x, int shift, int mask) {
    return _mm512_and_si512(shifted(x, shift), _mm512_set1_epi8(static_cast<char>(mask)));
  }
  /// (x >> right & mask) << 4, bytewise for a mask of at most 4 bits.
  [[gnu::always_inline]] static Codes high_bits(Codes x, int right, int mask) {
    return _mm512_and_si512(shifted(x, right - 4), _mm512_set1_epi8(static_cast<char>(mask << 4)));
  }
  [[gnu::always_inline]] static Codes either(Codes a, Codes b) { return _mm512_or_si512(a, b); }
  [[gnu::always_inline]] static Acts acts(const int8_t* p) {
    int32_t four;
    __builtin_memcpy(&four, p, 4);
    return _mm512_set1_epi32(four);
  }
  /// acc + sum of 4 products in each lane. kBits: of the codes.
  template <int kBits>
  [[gnu::always_inline]] static I32 dot(I32 acc, Codes codes, Acts x) {
    return _mm512_dpbusd_epi32(acc, codes, x);
  }

 private:
  [[gnu::always_inline]] static __m512i shifted(__m512i x, int right) {
    const auto words = reinterpret_cast<__v16su>(x);
    return reinterpret_cast<__m512i>(right >= 0 ? words >> right : words << -right);
  }
};

}  // namespace aictl::cpu
