// Scalar encoders, one a format, for tests and for making models. Scales are rounded to half before
// the codes of K formats are chosen, so that codes fit what the decoder will multiply with. What is
// not finite encodes as something, never as undefined behaviour.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "core/base/check.hpp"
#include "core/tensor/dtype.hpp"
#include "core/tensor/half.hpp"

namespace aictl {
namespace {

using Bytes = uint8_t*;

void store_half(Bytes at, float value) {
  const uint16_t half = f32_to_f16(value);
  std::memcpy(at, &half, sizeof half);
}

float as_half(float value) { return f16_to_f32(f32_to_f16(value)); }

// Rounds to nearest (ties away from zero) and clamps; a value that is no number becomes `low`.
int round_clamped(float value, int low, int high) {
  if (!(value > static_cast<float>(low))) return low;
  if (value >= static_cast<float>(high)) return high;
  return static_cast<int>(std::lround(value));
}

float inverse(float value) { return value == 0 ? 0 : 1 / value; }

void quant_q8_0(const float* in, Bytes b) {
  float magnitude = 0;
  for (int i = 0; i < 32; ++i) magnitude = std::max(magnitude, std::fabs(in[i]));
  const float d = magnitude / 127, by = inverse(d);
  store_half(b, d);
  for (int i = 0; i < 32; ++i)
    b[2 + i] = static_cast<uint8_t>(static_cast<int8_t>(round_clamped(in[i] * by, -127, 127)));
}

// The element of largest magnitude, with its sign.
float extreme(const float* in, int n) {
  float best = 0;
  for (int i = 0; i < n; ++i)
    if (std::fabs(in[i]) > std::fabs(best)) best = in[i];
  return best;
}

void quant_q4_0(const float* in, Bytes b) {
  const float d = extreme(in, 32) / -8, by = inverse(d);
  store_half(b, d);
  auto code = [&](float x) {
    const float shifted = x * by + 8.5f;  // truncated, as files are written
    return !(shifted > 0) ? 0 : shifted >= 15 ? 15 : static_cast<int>(shifted);
  };
  for (int j = 0; j < 16; ++j) b[2 + j] = static_cast<uint8_t>(code(in[j]) | code(in[j + 16]) << 4);
}

struct Grid {
  float scale = 0, minimum = 0;  // y = scale * q - minimum, minimum >= 0
};

// The grid of `levels` steps over the range of 32 values that leaves the smallest squared error
// among a few shrunk ranges: the extremes are rarely worth the resolution they cost.
Grid fit_grid(const float* in, int levels) {
  const auto [low, high] = std::minmax_element(in, in + 32);
  const float minimum = std::max(0.0f, -*low), range = std::max(*high, 0.0f) + minimum;
  Grid best;
  float best_error = INFINITY;
  for (int shrink = 0; shrink < 8; ++shrink) {
    const float keep = 1 - 0.02f * static_cast<float>(shrink);
    const Grid grid = {range * keep / static_cast<float>(levels), minimum * keep};
    const float by = inverse(grid.scale);
    float error = 0;
    for (int l = 0; l < 32; ++l) {
      const int q = round_clamped((in[l] + grid.minimum) * by, 0, levels);
      const float off = grid.scale * static_cast<float>(q) - grid.minimum - in[l];
      error += off * off;
    }
    if (error < best_error) best = grid, best_error = error;
  }
  return best;
}

// The inverse of the decoder's scale_min: 6-bit scales and minima of 8 groups into 12 bytes.
void pack_scales(const std::array<int, 8>& scales, const std::array<int, 8>& minima, Bytes s) {
  for (int j = 0; j < 4; ++j) {
    s[j] = static_cast<uint8_t>(scales[j] | (scales[j + 4] >> 4) << 6);
    s[j + 4] = static_cast<uint8_t>(minima[j] | (minima[j + 4] >> 4) << 6);
    s[j + 8] = static_cast<uint8_t>((scales[j + 4] & 15) | (minima[j + 4] & 15) << 4);
  }
}

void quant_q45_k(const float* in, Bytes b, Bytes high, Bytes nibbles) {
  const int levels = high ? 31 : 15;
  std::array<Grid, 8> grids;
  float max_scale = 0, max_minimum = 0;
  for (int group = 0; group < 8; ++group) {
    grids[group] = fit_grid(in + 32 * group, levels);
    max_scale = std::max(max_scale, grids[group].scale);
    max_minimum = std::max(max_minimum, grids[group].minimum);
  }
  const float d = as_half(max_scale / 63), dmin = as_half(max_minimum / 63);
  store_half(b, d);
  store_half(b + 2, dmin);
  std::array<int, 8> scales = {}, minima = {};
  if (high) std::memset(high, 0, 32);
  std::memset(nibbles, 0, 128);
  for (int group = 0; group < 8; ++group) {
    scales[group] = round_clamped(grids[group].scale * inverse(d), 0, 63);
    minima[group] = round_clamped(grids[group].minimum * inverse(dmin), 0, 63);
    const float by = inverse(d * static_cast<float>(scales[group]));
    const float minimum = dmin * static_cast<float>(minima[group]);
    for (int l = 0; l < 32; ++l) {
      const int q = round_clamped((in[32 * group + l] + minimum) * by, 0, levels);
      nibbles[32 * (group / 2) + l] |= static_cast<uint8_t>((q & 15) << (group % 2 * 4));
      if (high) high[l] |= static_cast<uint8_t>((q >> 4) << group);
    }
  }
  pack_scales(scales, minima, b + 4);
}

void quant_q4_k(const float* in, Bytes b) { quant_q45_k(in, b, nullptr, b + 16); }
void quant_q5_k(const float* in, Bytes b) { quant_q45_k(in, b, b + 16, b + 48); }

void quant_q6_k(const float* in, Bytes b) {
  std::array<float, 16> wanted;
  float largest = 0;
  for (int k = 0; k < 16; ++k) {
    wanted[k] = extreme(in + 16 * k, 16) / -32;
    largest = std::max(largest, std::fabs(wanted[k]));
  }
  const float d = as_half(largest / 127);
  store_half(b + 208, d);
  std::memset(b, 0, 192);
  for (int i = 0; i < 256; ++i) {
    const int scale = round_clamped(wanted[i / 16] * inverse(d), -127, 127);
    b[192 + i / 16] = static_cast<uint8_t>(static_cast<int8_t>(scale));
    const float by = inverse(d * static_cast<float>(scale));
    const int q = round_clamped(in[i] * by, -32, 31) + 32;
    const int half = i / 128, group = i % 128 / 32, l = i % 32;
    b[64 * half + 32 * (group & 1) + l] |= static_cast<uint8_t>((q & 15) << (group / 2 * 4));
    b[128 + 32 * half + l] |= static_cast<uint8_t>((q >> 4) << (2 * group));
  }
}

void quant_blocks(DType type, const float* in, Bytes row, int64_t cols,
                  void (*block)(const float*, Bytes)) {
  const FormatInfo& f = format(type);
  CHECK(cols % f.block == 0);
  for (int64_t i = 0; i < cols / f.block; ++i) block(in + i * f.block, row + i * f.bytes);
}

template <typename T, typename Convert>
void convert_row(const float* in, Bytes row, int64_t cols, Convert convert) {
  for (int64_t i = 0; i < cols; ++i) {
    const T value = convert(in[i]);
    std::memcpy(row + static_cast<size_t>(i) * sizeof value, &value, sizeof value);
  }
}

}  // namespace

void quant_row(DType type, const float* in, std::byte* data, int64_t cols) {
  const Bytes row = reinterpret_cast<Bytes>(data);
  switch (type) {
    case DType::kF32:
      return convert_row<float>(in, row, cols, [](float x) { return x; });
    case DType::kF16:
      return convert_row<uint16_t>(in, row, cols, f32_to_f16);
    case DType::kBF16:
      return convert_row<uint16_t>(in, row, cols, f32_to_bf16);
    case DType::kI8:
      return convert_row<int8_t>(
          in, row, cols, [](float x) { return static_cast<int8_t>(round_clamped(x, -128, 127)); });
    case DType::kI32:  // floats above 2^24 are whole numbers already
      return convert_row<int32_t>(in, row, cols,
                                  [](float x) { return round_clamped(x, INT32_MIN, INT32_MAX); });
    case DType::kQ8_0:
      return quant_blocks(type, in, row, cols, quant_q8_0);
    case DType::kQ4_0:
      return quant_blocks(type, in, row, cols, quant_q4_0);
    case DType::kQ4_K:
      return quant_blocks(type, in, row, cols, quant_q4_k);
    case DType::kQ5_K:
      return quant_blocks(type, in, row, cols, quant_q5_k);
    case DType::kQ6_K:
      return quant_blocks(type, in, row, cols, quant_q6_k);
  }
  CHECK(!"a known type");
}

}  // namespace aictl
