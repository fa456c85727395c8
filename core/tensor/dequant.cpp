// Scalar decoders, one a format, written from the element formulas of the GGUF block layouts. All
// arithmetic is on integers until a scale multiplies, and in the order of the formulas, so that any
// input gives the same bits everywhere. Reads go through memcpy: rows need no alignment.
#include <cstring>

#include "core/base/check.hpp"
#include "core/tensor/dtype.hpp"
#include "core/tensor/half.hpp"

namespace aictl {
namespace {

using Bytes = const uint8_t*;

template <typename T>
T load(Bytes at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

float half_at(Bytes at) { return f16_to_f32(load<uint16_t>(at)); }

void dequant_q8_0(Bytes b, float* out) {
  const float d = half_at(b);
  for (int i = 0; i < 32; ++i) out[i] = static_cast<float>(load<int8_t>(b + 2 + i)) * d;
}

void dequant_q4_0(Bytes b, float* out) {
  const float d = half_at(b);
  for (int j = 0; j < 16; ++j) {
    out[j] = static_cast<float>((b[2 + j] & 15) - 8) * d;
    out[j + 16] = static_cast<float>((b[2 + j] >> 4) - 8) * d;
  }
}

struct ScaleMin {
  int scale, min;
};

// The 6-bit scale and minimum of the j-th group of 32 of a Q4_K or Q5_K block, j in 0..7.
ScaleMin scale_min(Bytes s, int j) {
  if (j < 4) return {s[j] & 63, s[j + 4] & 63};
  return {(s[j + 4] & 15) | (s[j - 4] >> 6) << 4, s[j + 4] >> 4 | (s[j] >> 6) << 4};
}

// Q5_K is Q4_K with a plane of high bits (`high`, 32 bytes) between the scales and the nibbles.
void dequant_q45_k(Bytes b, Bytes high, Bytes nibbles, float* out) {
  const float d = half_at(b), dmin = half_at(b + 2);
  for (int group = 0; group < 8; ++group) {
    const ScaleMin sm = scale_min(b + 4, group);
    const float scale = d * static_cast<float>(sm.scale);
    const float minimum = dmin * static_cast<float>(sm.min);
    for (int l = 0; l < 32; ++l) {
      const uint8_t byte = nibbles[32 * (group / 2) + l];
      int q = group % 2 == 0 ? byte & 15 : byte >> 4;
      if (high) q |= (high[l] >> group & 1) << 4;
      out[32 * group + l] = scale * static_cast<float>(q) - minimum;
    }
  }
}

void dequant_q4_k(Bytes b, float* out) { dequant_q45_k(b, nullptr, b + 16, out); }
void dequant_q5_k(Bytes b, float* out) { dequant_q45_k(b, b + 16, b + 48, out); }

void dequant_q6_k(Bytes b, float* out) {
  const float d = half_at(b + 208);
  for (int i = 0; i < 256; ++i) {
    const int half = i / 128, group = i % 128 / 32, l = i % 32;
    const uint8_t byte = b[64 * half + 32 * (group & 1) + l];
    const int low = group < 2 ? byte & 15 : byte >> 4;
    const int q = low | (b[128 + 32 * half + l] >> (2 * group) & 3) << 4;
    const float scale = d * static_cast<float>(load<int8_t>(b + 192 + i / 16));
    out[i] = scale * static_cast<float>(q - 32);
  }
}

void dequant_blocks(DType type, Bytes row, float* out, int64_t cols, void (*block)(Bytes, float*)) {
  const FormatInfo& f = format(type);
  CHECK(cols % f.block == 0);
  for (int64_t i = 0; i < cols / f.block; ++i) block(row + i * f.bytes, out + i * f.block);
}

}  // namespace

void dequant_row(DType type, const std::byte* data, float* out, int64_t cols) {
  const Bytes row = reinterpret_cast<Bytes>(data);
  switch (type) {
    case DType::kF32:
      std::memcpy(out, row, static_cast<size_t>(cols) * sizeof(float));
      return;
    case DType::kF16:
      for (int64_t i = 0; i < cols; ++i) out[i] = half_at(row + 2 * i);
      return;
    case DType::kBF16:
      for (int64_t i = 0; i < cols; ++i) out[i] = bf16_to_f32(load<uint16_t>(row + 2 * i));
      return;
    case DType::kI8:
      for (int64_t i = 0; i < cols; ++i) out[i] = static_cast<float>(load<int8_t>(row + i));
      return;
    case DType::kI32:
      for (int64_t i = 0; i < cols; ++i) out[i] = static_cast<float>(load<int32_t>(row + 4 * i));
      return;
    case DType::kQ8_0:
      return dequant_blocks(type, row, out, cols, dequant_q8_0);
    case DType::kQ4_0:
      return dequant_blocks(type, row, out, cols, dequant_q4_0);
    case DType::kQ4_K:
      return dequant_blocks(type, row, out, cols, dequant_q4_k);
    case DType::kQ5_K:
      return dequant_blocks(type, row, out, cols, dequant_q5_k);
    case DType::kQ6_K:
      return dequant_blocks(type, row, out, cols, dequant_q6_k);
  }
  CHECK(!"a known type");
}

}  // namespace aictl
