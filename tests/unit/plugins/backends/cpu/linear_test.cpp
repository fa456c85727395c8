// Packing, and products of every format, instruction set and number of tokens.
#include "plugins/backends/cpu/runner/linear.hpp"

#include <memory>

#include <doctest/doctest.h>

#include "plugins/backends/cpu/kernels/choose.hpp"
#include "tests/unit/plugins/backends/cpu/random_weights.hpp"

using namespace aictl;
using namespace aictl::cpu;
using namespace aictl::cpu::test;

namespace {

// Activations of `rows` random tokens in both forms.
struct TestInputs {
  int64_t cols;
  std::vector<float> x;  // [rows][cols]
  std::unique_ptr<ActGroup[]> quantized;
  std::vector<float> dense;
  Activations activations;

  TestInputs(std::mt19937& random, const Kernels& kernels, int rows, int64_t columns)
      : cols(columns), x(random_floats(random, rows * columns)) {
    const int64_t groups = (cols + kGroup - 1) / kGroup;
    quantized = std::make_unique<ActGroup[]>(static_cast<size_t>(groups * rows));
    dense.assign(static_cast<size_t>(groups * rows * kGroup), 0.0f);
    activations = {quantized.get(), dense.data(), nullptr, rows};
    for (int t = 0; t < rows; ++t)
      for (int64_t k = 0; k < cols; k += kGroup)
        put_activations(kernels, x.data() + t * cols + k, nullptr, k,
                        static_cast<int>(std::min<int64_t>(kGroup, cols - k)), t, cols % 32 == 0,
                        true, activations);
  }
};

std::vector<float> multiply(const Kernels& kernels, const Matrix& matrix, const Activations& in) {
  const auto unpacked = std::make_unique<UnpackedGroup[]>(2);
  std::vector<float> sums(static_cast<size_t>(in.rows) * kStripRows, NAN);
  std::vector<float> out(static_cast<size_t>(matrix.rows * in.rows));
  for (int64_t s = 0; s < matrix.strips(); ++s) {
    multiply_strip(kernels, matrix, s, in, unpacked.get(), sums.data());
    for (int t = 0; t < in.rows; ++t)
      for (int64_t r = s * kStripRows; r < std::min((s + 1) * kStripRows, matrix.rows); ++r)
        out[static_cast<size_t>(t * matrix.rows + r)] =
            sums[static_cast<size_t>(t * kStripRows + r % kStripRows)];
  }
  return out;
}

std::vector<double> exact_product(const TestMatrix& m, const TestInputs& in) {
  std::vector<double> out;
  for (int t = 0; t < in.activations.rows; ++t) {
    for (int64_t r = 0; r < m.matrix.rows; ++r) {
      double sum = 0;
      for (int64_t k = 0; k < in.cols; ++k)
        sum += double{m.values[static_cast<size_t>(r * in.cols + k)]} *
               in.x[static_cast<size_t>(t * in.cols + k)];
      out.push_back(sum);
    }
  }
  return out;
}

// The limits of the design: int8 activations, or operands as they are with f32 sums.
double limit_for(TileKind kind) { return is_dense(kind) ? 1e-5 : 1e-2; }

}  // namespace

TEST_CASE("pack: every row decodes to what the file's decoder gives") {
  std::mt19937 random(1);
  for (DType type : kWeightTypes) {
    CAPTURE(format(type).name);
    for (int64_t rows : {1, 16, 31, 33, 70}) {
      const int64_t cols = format(type).block == 32 ? 288 : 512;
      const TestMatrix m(random, type, rows, cols);
      std::vector<float> row(static_cast<size_t>(cols));
      for (const Kernels* kernels : supported_kernels()) {
        for (int64_t r = 0; r < rows; ++r) {
          unpack_row(*kernels, m.matrix, r, row.data());
          const auto begin = m.values.begin() + r * cols;
          CHECK(std::equal(row.begin(), row.end(), begin));
        }
      }
    }
  }
}

TEST_CASE("pack: a type without a tile is refused by name") {
  const auto kind = tile_kind(DType::kI8);
  REQUIRE_FALSE(kind.ok());
  CHECK_EQ(kind.error().code, ErrorCode::kUnsupported);
  CHECK_NE(kind.error().message.find("I8"), std::string::npos);
}

TEST_CASE("linear: every format is within its limit of the product in double") {
  std::mt19937 random(2);
  for (const Kernels* kernels : supported_kernels()) {
    CAPTURE(kernels->isa);
    for (DType type : kWeightTypes) {
      CAPTURE(format(type).name);
      for (int rows : {1, 3, 7, 20, 70}) {
        const TestMatrix m(random, type, 50, format(type).block == 256 ? 768 : 352);
        const TestInputs in(random, *kernels, rows, m.matrix.cols);
        CHECK_LE(relative_error(multiply(*kernels, m.matrix, in.activations), exact_product(m, in)),
                 limit_for(m.matrix.kind));
      }
    }
  }
}

TEST_CASE("linear: all instruction sets give the scalar kernels' bits, odd shapes included") {
  std::mt19937 random(3);
  for (DType type : kWeightTypes) {
    CAPTURE(format(type).name);
    for (int rows : {1, 2, 3, 4, 5, 6, 7, 8, 9, 17, 64, 65}) {
      const int64_t blocks = 1 + static_cast<int64_t>(random() % 20);
      const int64_t cols = format(type).block == 256 ? 256 * (1 + blocks % 3) : 32 * blocks;
      const TestMatrix m(random, type, 1 + static_cast<int64_t>(random() % 70), cols);
      const TestInputs in(random, kScalarKernels, rows, cols);
      const std::vector<float> right = multiply(kScalarKernels, m.matrix, in.activations);
      for (const Kernels* kernels : supported_kernels()) {
        CAPTURE(kernels->isa);
        CHECK(multiply(*kernels, m.matrix, in.activations) == right);
      }
    }
  }
}

TEST_CASE("linear: a token's product has the same bits alone and among others") {
  std::mt19937 random(4);
  for (const Kernels* kernels : supported_kernels()) {
    for (DType type : kWeightTypes) {
      CAPTURE(format(type).name);
      const TestMatrix m(random, type, 40, 512);
      const TestInputs in(random, *kernels, 70, 512);  // more than any strip kernel takes
      const std::vector<float> all = multiply(*kernels, m.matrix, in.activations);
      for (int t : {0, 5, 69}) {
        ActGroup alone[2] = {in.activations.group(0)[t], in.activations.group(1)[t]};
        std::vector<float> x(in.x.begin() + t * 512, in.x.begin() + (t + 1) * 512);
        const Activations one{alone, x.data(), nullptr, 1};
        const std::vector<float> product = multiply(*kernels, m.matrix, one);
        CHECK(std::equal(product.begin(), product.end(), all.begin() + t * 40));
      }
    }
  }
}

TEST_CASE("linear: codes and activations at their extremes do not overflow") {
  // Every weight byte pattern of a hostile file meets activations of +-127.
  for (int byte : {0x00, 0x7F, 0x80, 0xFF}) {
    std::vector<std::byte> file(34 * 32, static_cast<std::byte>(byte));
    for (int r = 0; r < 32; ++r) file[static_cast<size_t>(34 * r)] = std::byte{0};
    for (int r = 0; r < 32; ++r) file[static_cast<size_t>(34 * r + 1)] = std::byte{0x3C};  // 1.0
    std::vector<std::byte> strip(strip_bytes(TileKind::kQ8_0, 32));
    pack_strip(TileKind::kQ8_0, {file.data(), DType::kQ8_0, 32, 32, 34}, 0, strip.data());
    const Matrix matrix{strip.data(), strip.size(), TileKind::kQ8_0, 32, 32};
    std::vector<float> x(32, -5.0f);
    x[7] = 5.0f;
    const double weight = static_cast<int8_t>(byte);
    for (const Kernels* kernels : supported_kernels()) {
      CAPTURE(kernels->isa);
      ActGroup group{};
      kernels->quantize(x.data(), nullptr, 32, &group, 0);
      const std::vector<float> out = multiply(*kernels, matrix, {&group, nullptr, nullptr, 1});
      for (float sum : out) CHECK_LE(std::fabs(sum - weight * -150.0), 1e-2);
    }
  }
}
