// 16 lanes as plain arrays: the same operations as the vector types, for any machine, and the
// oracle of their tests.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "core/tensor/half.hpp"

namespace aictl::cpu {

struct Scalar {
  struct F32 {
    float v[16];
  };
  struct I32 {
    int32_t v[16];
  };
  struct Codes {
    uint8_t v[64];
  };
  struct Acts {
    int8_t v[4];
  };

  static constexpr int kPanels = 1;
  static constexpr int kTokens = 1;
  static constexpr int kDenseTokens = 1;

  template <typename Operation>
  static F32 each(Operation operation) {
    F32 out;
    for (int i = 0; i < 16; ++i) out.v[i] = operation(i);
    return out;
  }

  static F32 zero() { return set1(0); }
  static F32 set1(float x) {
    return each([&](int) { return x; });
  }
  static F32 load(const float* p) {
    return each([&](int i) { return p[i]; });
  }
  static void store(float* p, F32 x) { std::memcpy(p, x.v, sizeof x.v); }
  static F32 add(F32 a, F32 b) {
    return each([&](int i) { return a.v[i] + b.v[i]; });
  }
  static F32 sub(F32 a, F32 b) {
    return each([&](int i) { return a.v[i] - b.v[i]; });
  }
  static F32 mul(F32 a, F32 b) {
    return each([&](int i) { return a.v[i] * b.v[i]; });
  }
  static F32 div(F32 a, F32 b) {
    return each([&](int i) { return divide(a.v[i], b.v[i]); });
  }
  static F32 max(F32 a, F32 b) {
    return each([&](int i) { return a.v[i] > b.v[i] ? a.v[i] : b.v[i]; });
  }
  static F32 min(F32 a, F32 b) {
    return each([&](int i) { return a.v[i] < b.v[i] ? a.v[i] : b.v[i]; });
  }
  static F32 fma(F32 a, F32 b, F32 c) {
    return each([&](int i) { return std::fma(a.v[i], b.v[i], c.v[i]); });
  }
  static F32 round(F32 x) {
    return each([&](int i) { return std::nearbyint(x.v[i]); });
  }
  static F32 from_f16(const void* p) {
    return each([&](int i) { return f16_to_f32(half_at(p, i)); });
  }
  static F32 from_bf16(const void* p) {
    return each([&](int i) { return bf16_to_f32(half_at(p, i)); });
  }
  static F32 from_i8(const void* p) {
    return each([&](int i) { return static_cast<float>(static_cast<const int8_t*>(p)[i]); });
  }
  static F32 from_u8(const void* p) {
    return each([&](int i) { return static_cast<float>(static_cast<const uint8_t*>(p)[i]); });
  }
  static void store_f16(uint16_t* p, F32 x) {
    for (int i = 0; i < 16; ++i) p[i] = f32_to_f16(x.v[i]);
  }
  /// Stores 16 whole numbers as int8; what does not fit or is NaN becomes -128.
  static void store_i8(int8_t* p, F32 x) {
    for (int i = 0; i < 16; ++i)
      p[i] = x.v[i] >= -128 && x.v[i] <= 127 ? static_cast<int8_t>(x.v[i]) : int8_t{-128};
  }
  static F32 abs(F32 x) {
    return each([&](int i) { return std::fabs(x.v[i]); });
  }
  /// The larger by bit pattern: for magnitudes, NaN being the largest.
  static F32 max_bits(F32 a, F32 b) {
    return each([&](int i) { return larger_bits(a.v[i], b.v[i]); });
  }
  /// 2^n where t = n + 1.5 * 2^23.
  static F32 pow2(F32 t) {
    return each([&](int i) {
      return std::bit_cast<float>((std::bit_cast<uint32_t>(t.v[i]) << 23) + 0x3F800000u);
    });
  }
  /// x where test >= limit, else 0.
  static F32 zero_below(F32 x, F32 test, F32 limit) {
    return each([&](int i) { return test.v[i] < limit.v[i] ? 0.0f : x.v[i]; });
  }
  /// Lanes from n on become -infinity.
  static F32 mask_tail(F32 x, int n) {
    return each([&](int i) { return i < n ? x.v[i] : -INFINITY; });
  }
  /// Halves are added until one is left: lane l + lane l+8, then +4, +2, +1.
  static float sum(F32 x) {
    for (int half = 8; half >= 1; half /= 2)
      for (int i = 0; i < half; ++i) x.v[i] += x.v[i + half];
    return x.v[0];
  }
  static float largest(F32 x) {
    for (int i = 1; i < 16; ++i) x.v[0] = x.v[i] > x.v[0] ? x.v[i] : x.v[0];
    return x.v[0];
  }
  static float largest_bits(F32 x) {
    for (int i = 1; i < 16; ++i) x.v[0] = larger_bits(x.v[0], x.v[i]);
    return x.v[0];
  }

  static I32 zero_i32() { return {}; }
  static F32 to_f32(I32 x) {
    return each([&](int i) { return static_cast<float>(x.v[i]); });
  }
  static Codes load_codes(const void* p) {
    Codes out;
    std::memcpy(out.v, p, sizeof out.v);
    return out;
  }
  static void store_codes(void* p, Codes x) { std::memcpy(p, x.v, sizeof x.v); }
  static Codes bits(Codes x, int shift, int mask) {
    for (uint8_t& byte : x.v) byte = static_cast<uint8_t>(byte >> shift & mask);
    return x;
  }
  /// (x >> right & mask) << 4, bytewise for a mask of at most 4 bits.
  static Codes high_bits(Codes x, int right, int mask) {
    for (uint8_t& byte : x.v) byte = static_cast<uint8_t>((byte >> right & mask) << 4);
    return x;
  }
  static Codes either(Codes a, Codes b) {
    for (int i = 0; i < 64; ++i) a.v[i] |= b.v[i];
    return a;
  }
  static Acts acts(const int8_t* p) { return {{p[0], p[1], p[2], p[3]}}; }
  /// acc + sum of 4 products in each lane. kBits: of the codes.
  template <int kBits>
  static I32 dot(I32 acc, const Codes& codes, Acts x) {
    for (int i = 0; i < 64; ++i) acc.v[i / 4] += codes.v[i] * x.v[i % 4];
    return acc;
  }

 private:
  // IEEE division by zero is meant where it happens; UBSan would call it undefined.
  __attribute__((no_sanitize("undefined"))) static float divide(float a, float b) { return a / b; }
  static uint16_t half_at(const void* p, int i) {
    uint16_t h;
    std::memcpy(&h, static_cast<const char*>(p) + 2 * i, 2);
    return h;
  }
  static float larger_bits(float a, float b) {
    return std::bit_cast<int32_t>(a) > std::bit_cast<int32_t>(b) ? a : b;
  }
};

}  // namespace aictl::cpu
