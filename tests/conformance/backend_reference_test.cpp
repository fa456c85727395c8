#include <doctest/doctest.h>

#include "plugins/backends/reference/reference.hpp"
#include "tests/conformance/backend_suite.hpp"
#include "tests/support/sanitizer.hpp"

using namespace aictl;

TEST_CASE("backend reference: holds what every backend must hold") {
  test::BackendLimits limits{.f32_weights = 0, .half_weights = 0, .block_weights = 0};
  if (test::kThreadSanitizer) limits.dtypes = {"Q8_0"};  // it has no threads
  test::check_backend([] { return make_reference_backend({}); }, limits);
}

TEST_CASE("backend reference: is registered under its name and measures its ceilings") {
  Plugins plugins;
  add_reference_backend(plugins);
  const auto row = plugins.backends.find("reference");
  REQUIRE(row.ok());
  auto backend = (*row)->make({});
  REQUIRE(backend.ok());
  CHECK_EQ((*backend)->info().name, "reference");
  const Ceilings ceilings = (*backend)->measure();
  CHECK_GT(ceilings.read_gbs, 0);
  CHECK_GT(ceilings.f32_tflops, 0);
  CHECK_GT(ceilings.int8_tops, 0);
}

TEST_CASE("backend reference: memory that does not suffice is an error, not an abort") {
  ModelSpec spec;
  spec.n_layers = 1000, spec.n_heads = spec.n_kv_heads = 1000, spec.head_dim = 1000;
  struct NoTensors final : TensorSource {
    TensorView get(TensorId) const override { return {}; }
  } none;
  const auto runner = make_reference_backend({})->load(spec, none, {.kv_blocks = 1 << 30});
  REQUIRE_FALSE(runner.ok());
  CHECK_EQ(runner.error().code, ErrorCode::kResourceExhausted);
}
