#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/tensor/dtype.hpp"
#include "core/tensor/half.hpp"

using namespace aictl;

namespace {

std::vector<float> decode(DType type, const std::vector<uint8_t>& bytes) {
  const FormatInfo& f = format(type);
  const int64_t cols = static_cast<int64_t>(bytes.size()) / f.bytes * f.block;
  std::vector<float> out(static_cast<size_t>(cols));
  dequant_row(type, reinterpret_cast<const std::byte*>(bytes.data()), out.data(), cols);
  return out;
}

void put_half(std::vector<uint8_t>& bytes, size_t at, float value) {
  const uint16_t half = f32_to_f16(value);
  bytes[at] = static_cast<uint8_t>(half);
  bytes[at + 1] = static_cast<uint8_t>(half >> 8);
}

// Root mean square error of a trip through `type`, relative to the values'.
double trip_error(DType type, const std::vector<float>& values) {
  std::vector<std::byte> row(row_bytes(type, static_cast<int64_t>(values.size())));
  std::vector<float> back(values.size());
  quant_row(type, values.data(), row.data(), static_cast<int64_t>(values.size()));
  dequant_row(type, row.data(), back.data(), static_cast<int64_t>(values.size()));
  double error = 0, norm = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    error += std::pow(double{back[i]} - values[i], 2);
    norm += std::pow(double{values[i]}, 2);
  }
  return norm == 0 ? std::sqrt(error) : std::sqrt(error / norm);
}

std::vector<float> normal(size_t n, unsigned seed, float scale) {
  std::mt19937 random(seed);
  std::normal_distribution<float> distribution(0, scale);
  std::vector<float> values(n);
  for (float& v : values) v = distribution(random);
  return values;
}

}  // namespace

TEST_CASE("formats: every type has its row, found by id and by name in any case") {
  for (const FormatInfo& f : formats()) {
    CHECK_EQ(&format(f.type), &f);
    CHECK_EQ(dtype_from_gguf(static_cast<uint32_t>(f.gguf_id)), f.type);
    CHECK_EQ(dtype_from_name(f.name), f.type);
    const GgufType* in_file = gguf_type(static_cast<uint32_t>(f.gguf_id));
    REQUIRE(in_file);
    CHECK_EQ(in_file->name, f.name);
    CHECK_EQ(in_file->block, f.block);
    CHECK_EQ(in_file->bytes, f.bytes);
  }
  CHECK_EQ(dtype_from_name("q4_k"), DType::kQ4_K);
  CHECK_FALSE(dtype_from_name("q4_k_m"));
  CHECK_EQ(gguf_type_name(20), "IQ4_NL");
  CHECK_EQ(gguf_type_name(4), "");
  CHECK_FALSE(dtype_from_gguf(20));
  CHECK_EQ(row_bytes(DType::kQ6_K, 512), 420);
}

TEST_CASE("dequant: Q8_0 is code times scale") {
  std::vector<uint8_t> b(34, 0);
  put_half(b, 0, 0.5f);
  b[2] = 1, b[3] = 0xFF, b[4] = 127, b[33] = 0x80;
  const auto y = decode(DType::kQ8_0, b);
  CHECK_EQ(y[0], 0.5f);
  CHECK_EQ(y[1], -0.5f);
  CHECK_EQ(y[2], 63.5f);
  CHECK_EQ(y[3], 0.0f);
  CHECK_EQ(y[31], -64.0f);
}

TEST_CASE("dequant: Q4_0 keeps elements 0..15 in low nibbles and 16..31 in high ones") {
  std::vector<uint8_t> b(18, 0x88);
  put_half(b, 0, 2.0f);
  b[2] = 0xF0, b[17] = 0x3A;
  const auto y = decode(DType::kQ4_0, b);
  CHECK_EQ(y[0], -16.0f);
  CHECK_EQ(y[16], 14.0f);
  CHECK_EQ(y[15], 4.0f);
  CHECK_EQ(y[31], -10.0f);
  CHECK_EQ(y[1], 0.0f);
}

TEST_CASE("dequant: Q4_K takes scales of groups 4 to 7 from two places") {
  std::vector<uint8_t> b(144, 0);
  put_half(b, 0, 1.0f);
  put_half(b, 2, 0.5f);
  b[4 + 0] = 5 | 2 << 6;         // group 0: scale 5; high bits of group 4's scale: 2
  b[4 + 4] = 6 | 3 << 6;         // group 0: min 6; high bits of group 4's min: 3
  b[4 + 8] = 9 | 10 << 4;        // low bits of group 4: scale 9, min 10
  b[16 + 3] = 7;                 // element 3 (group 0)
  b[16 + 64 + 1] = 4 | 12 << 4;  // elements 129 (group 4) and 161 (group 5)
  const auto y = decode(DType::kQ4_K, b);
  CHECK_EQ(y[3], 5 * 7 - 0.5f * 6);
  CHECK_EQ(y[0], -3.0f);
  CHECK_EQ(y[129], (2 * 16 + 9) * 4 - 0.5f * (3 * 16 + 10));
  CHECK_EQ(y[161], 0.0f);  // group 5 has scale 0
}

TEST_CASE("dequant: Q5_K adds a fifth bit from its own plane") {
  std::vector<uint8_t> b(176, 0);
  put_half(b, 0, 1.0f);
  b[4 + 1] = 3;        // group 1: scale 3
  b[16 + 5] = 1 << 1;  // fifth bit of element 5 of group 1
  b[48 + 5] = 0x20;    // its nibble: 2
  const auto y = decode(DType::kQ5_K, b);
  CHECK_EQ(y[32 + 5], 3 * (16 + 2));
  CHECK_EQ(y[5], 0.0f);
}

TEST_CASE("dequant: Q6_K joins four low bits and two high bits under signed scales") {
  std::vector<uint8_t> b(210, 0);
  put_half(b, 208, 0.25f);
  for (int k = 0; k < 16; ++k) b[192 + k] = static_cast<uint8_t>(k - 8);
  b[64 + 32 + 2] = 0x70;            // second half, group 3 (r = 96..127), l = 2: high nibble
  b[128 + 32 + 2] = 0b01'00'00'00;  // two high bits of group 3: 1
  const auto y = decode(DType::kQ6_K, b);
  CHECK_EQ(y[0], 0.25f * -8 * -32);
  const int i = 128 + 96 + 2;
  CHECK_EQ(y[i], 0.25f * (i / 16 - 8) * ((7 | 1 << 4) - 32));
}

TEST_CASE("dequant: any bytes decode, and decode the same twice") {
  std::mt19937 random(7);
  for (const FormatInfo& f : formats())
    for (int round = 0; round < 200; ++round) {
      std::vector<uint8_t> bytes(static_cast<size_t>(f.bytes) * 4);
      for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
      const auto a = decode(f.type, bytes), b = decode(f.type, bytes);
      CHECK_EQ(std::memcmp(a.data(), b.data(), a.size() * sizeof(float)), 0);
    }
}

TEST_CASE("quant: the error of a trip stays under each format's bound") {
  const struct {
    DType type;
    double bound;
  } rows[] = {{DType::kF32, 0},      {DType::kF16, 3e-4},  {DType::kBF16, 2.5e-3},
              {DType::kQ8_0, 7e-3},  {DType::kQ4_0, 0.11}, {DType::kQ4_K, 0.09},
              {DType::kQ5_K, 0.045}, {DType::kQ6_K, 0.022}};
  for (const auto& row : rows)
    for (float scale : {1e-2f, 1.0f, 30.0f}) {
      const double error = trip_error(row.type, normal(4096, 3, scale));
      CHECK_MESSAGE(error <= row.bound, format(row.type).name, " ", error);
    }
}

TEST_CASE("quant: zeros stay zero, and a one-sided row keeps its range") {
  for (const FormatInfo& f : formats()) {
    CHECK_EQ(trip_error(f.type, std::vector<float>(256, 0.0f)), 0);
    if (f.type == DType::kI8 || f.type == DType::kI32) continue;
    std::vector<float> positive = normal(256, 5, 1.0f);
    for (float& v : positive) v = std::fabs(v) + 1;
    CHECK_MESSAGE(trip_error(f.type, positive) < 0.11, f.name);
  }
}

TEST_CASE("quant: what is not finite encodes without undefined behaviour") {
  for (const FormatInfo& f : formats()) {
    std::vector<float> values = normal(256, 9, 1.0f);
    values[3] = INFINITY, values[70] = -INFINITY, values[200] = NAN;
    std::vector<std::byte> row(row_bytes(f.type, 256));
    std::vector<float> back(256);
    quant_row(f.type, values.data(), row.data(), 256);
    dequant_row(f.type, row.data(), back.data(), 256);
    if (f.type == DType::kF32) CHECK(std::isinf(back[3]));
  }
}

TEST_CASE("half: every f16 survives the way to f32 and back") {
  for (uint32_t h = 0; h < 0x10000; ++h) {
    const float value = f16_to_f32(static_cast<uint16_t>(h));
    if (std::isnan(value)) continue;
    CHECK_EQ(f32_to_f16(value), h);
  }
}
