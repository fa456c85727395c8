// Norm sums, quantisation, exp and silu: right, and the same bits on all instruction sets.
#include <cmath>
#include <cstring>
#include <limits>

#include <doctest/doctest.h>

#include "plugins/backends/cpu/kernels/choose.hpp"
#include "tests/unit/plugins/backends/cpu/random_weights.hpp"

using namespace aictl;
using namespace aictl::cpu;
using namespace aictl::cpu::test;

TEST_CASE("kernels: exp is within 2 units in the last place, exactly 1 at 0, 0 far below") {
  std::vector<float> x;
  for (float v = -87.2f; v < 88.0f; v += 0.0137f) x.push_back(v);
  x.resize(x.size() / 16 * 16);
  x[0] = 0, x[1] = -INFINITY, x[2] = -1000, x[3] = -0.0f;
  std::vector<float> scalar(x.size());
  kScalarKernels.exp(x.data(), scalar.data(), static_cast<int>(x.size()));
  CHECK_EQ(scalar[0], 1.0f);
  CHECK_EQ(scalar[1], 0.0f);
  CHECK_EQ(scalar[2], 0.0f);
  CHECK_EQ(scalar[3], 1.0f);
  for (size_t i = 4; i < x.size(); ++i) {
    const double right = std::exp(double{x[i]});
    const double ulp = std::nextafter(static_cast<float>(right), INFINITY) - right;
    CHECK_LE(std::fabs(scalar[i] - right), 2 * std::max(ulp, right * 0x1p-24));
  }
  for (const Kernels* kernels : supported_kernels()) {
    std::vector<float> ours(x.size());
    kernels->exp(x.data(), ours.data(), static_cast<int>(x.size()));
    CHECK(ours == scalar);
  }
}

TEST_CASE("kernels: quantisation rounds to the nearest of 255 steps and keeps the sums") {
  std::mt19937 random(1);
  const auto x = random_floats(random, 256), gain = random_floats(random, 256);
  ActGroup scalar{};
  kScalarKernels.quantize(x.data(), gain.data(), 256, &scalar, 0);
  for (int b = 0; b < 8; ++b) {
    int sum = 0;
    for (int i = 32 * b; i < 32 * b + 32; ++i) {
      const float value = gain[static_cast<size_t>(i)] * x[static_cast<size_t>(i)];
      CHECK_LE(std::fabs(scalar.q[i] * scalar.dx[b] - value), 0.5001f * scalar.dx[b]);
      sum += scalar.q[i];
    }
    CHECK_EQ(scalar.sx[b], -scalar.dx[b] * static_cast<float>(sum));
  }
  for (const Kernels* kernels : supported_kernels()) {
    ActGroup ours{};
    kernels->quantize(x.data(), gain.data(), 256, &ours, 0);
    CHECK_EQ(std::memcmp(&ours, &scalar, sizeof ours), 0);
  }
}

TEST_CASE("kernels: zeros quantise to zeros; infinities and NaN to a NaN scale or result, alike") {
  for (float special : {0.0f, INFINITY, -INFINITY, std::numeric_limits<float>::quiet_NaN()}) {
    std::vector<float> x(32, 0.0f);
    x[5] = special;
    ActGroup scalar{};
    kScalarKernels.quantize(x.data(), nullptr, 32, &scalar, 0);
    if (special == 0) {
      CHECK_EQ(scalar.dx[0], 0.0f);
      for (int i = 0; i < 32; ++i) CHECK_EQ(scalar.q[i], 0);
    } else {
      CHECK_FALSE(std::isfinite(scalar.dx[0]));
    }
    for (const Kernels* kernels : supported_kernels()) {
      ActGroup ours{};
      kernels->quantize(x.data(), nullptr, 32, &ours, 0);
      CHECK_EQ(std::memcmp(ours.q, scalar.q, 32), 0);
    }
  }
}

TEST_CASE("kernels: silu times up, sums of squares and f16 have the scalar bits") {
  std::mt19937 random(2);
  const auto gate = random_floats(random, 64), up = random_floats(random, 64);
  std::vector<float> right(64);
  kScalarKernels.silu_mul(gate.data(), up.data(), 1.5f, right.data(), 64);
  for (size_t i = 0; i < 64; ++i) {
    const double g = 1.5 * gate[i], exact = g / (1 + std::exp(-g)) * 1.5 * up[i];
    CHECK_EQ(right[i], doctest::Approx(exact).epsilon(1e-5));
  }
  double squares = 0;
  for (float g : gate) squares += double{g} * g;
  CHECK_EQ(kScalarKernels.sum_squares(gate.data(), 64), doctest::Approx(squares).epsilon(1e-5));
  std::vector<uint16_t> right_half(64);
  kScalarKernels.to_f16(gate.data(), right_half.data(), 64);
  for (const Kernels* kernels : supported_kernels()) {
    CAPTURE(kernels->isa);
    std::vector<float> ours(64);
    kernels->silu_mul(gate.data(), up.data(), 1.5f, ours.data(), 64);
    CHECK(ours == right);
    CHECK_EQ(kernels->sum_squares(gate.data(), 64), kScalarKernels.sum_squares(gate.data(), 64));
    std::vector<uint16_t> half(64);
    kernels->to_f16(gate.data(), half.data(), 64);
    CHECK(half == right_half);
  }
}

TEST_CASE("kernels: a forced instruction set is taken, an unknown one names the choices") {
  for (const Kernels* kernels : supported_kernels()) {
    const auto chosen = choose_kernels(kernels->isa);
    REQUIRE(chosen.ok());
    CHECK_EQ(*chosen, kernels);
  }
  const auto unknown = choose_kernels("sse9");
  REQUIRE_FALSE(unknown.ok());
  CHECK_EQ(unknown.error().code, ErrorCode::kInvalidArgument);
  CHECK_NE(unknown.error().message.find("sse9"), std::string::npos);
  CHECK_NE(unknown.error().hint.find("portable"), std::string::npos);
}
