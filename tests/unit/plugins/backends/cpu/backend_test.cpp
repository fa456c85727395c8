// The whole backend: the conformance suite on each instruction set, equal bits whatever runs it,
// and the numbers of an independent implementation.
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <span>
#include <string>

#include <doctest/doctest.h>

#include "core/base/file.hpp"
#include "core/value/json.hpp"
#include "plugins/backends/cpu/cpu.hpp"
#include "plugins/backends/cpu/kernels/choose.hpp"
#include "plugins/services/inference/load/model.hpp"
#include "plugins/services/inference/load/random_model.hpp"
#include "tests/conformance/backend_suite.hpp"
#include "tests/conformance/step_driver.hpp"
#include "tests/support/sanitizer.hpp"

using namespace aictl;
using namespace aictl::inference;
namespace fs = std::filesystem;

namespace {

std::unique_ptr<Backend> make(int threads, std::string isa) {
  auto backend = make_cpu_backend({threads, std::move(isa)});
  REQUIRE_MESSAGE(backend.ok(), backend.error().message);
  return std::move(*backend);
}

// Logits of a prompt in two chunks and of a few decode steps.
std::vector<std::vector<float>> trace(Backend& backend, const Model& model) {
  test::StepDriver driver(backend, model.spec(), model.tensors(),
                          {.max_rows = 80, .max_logit_rows = 2, .kv_blocks = 4});
  std::vector<int32_t> prompt;
  for (int i = 0; i < 75; ++i) prompt.push_back(i * 37 % model.spec().vocab);
  std::vector<std::vector<float>> logits{driver.prefill(0, prompt, 70)};
  for (int32_t token : {3, 5, 8}) logits.push_back(driver.step({{0, {token}}})[0]);
  return logits;
}

// The sets a threaded test runs on: under the thread sanitizer the best alone, for all of them
// share their threads, their stages and who writes what.
std::vector<const cpu::Kernels*> threaded_kernels() {
  std::vector<const cpu::Kernels*> kernels = cpu::supported_kernels();
  if (test::kThreadSanitizer) kernels.erase(kernels.begin(), kernels.end() - 1);
  return kernels;
}

// Follows the recorded greedy ids: each must be our best, or so near to it that the recording
// engine could not tell them apart: it rounds activations to eight bits and an f16 scale, and
// `error` is how far its logits are from exact ones. 0: each must be our best.
void check_greedy(test::StepDriver& driver, std::vector<float> logits, const Json& golden,
                  const std::string& name) {
  const double error =
      name.starts_with("q-") ? golden["cross_check"]["exact"]["max_abs_diff"].get<double>() : 0.0;
  const auto ids = golden["greedy_ids"].get<std::vector<int32_t>>();
  for (size_t i = 0; i < ids.size(); ++i) {
    const int32_t best = test::argmax(logits);
    const double behind = logits[static_cast<size_t>(best)] - logits[static_cast<size_t>(ids[i])];
    CHECK_LE(behind, error);
    if (best != ids[i])
      std::cout << name << ": greedy id " << i << " is " << best << ", recorded was " << ids[i]
                << ", " << behind << " behind it; near is up to " << error << "\n";
    logits = driver.step({{0, {ids[i]}}})[0];
  }
}

void check_parity(const fs::path& models, const std::string& name) {
  CAPTURE(name);
  auto model = Model::open(models / "tiny" / (name + ".gguf"));
  REQUIRE_MESSAGE(model.ok(), model.error().message);
  auto text = read_file(models / "tiny" / (name + ".logits.json"));
  REQUIRE(text.ok());
  auto golden = parse_json(*text);
  REQUIRE(golden.ok());
  const auto expected = (*golden)["logprobs"].get<std::vector<double>>();
  auto backend = make(0, "");
  test::StepDriver driver(*backend, model->spec(), model->tensors(),
                          {.max_rows = 32, .max_logit_rows = 1, .kv_blocks = 4});
  const std::vector<float> logits =
      driver.prefill(0, (*golden)["prompt_ids"].get<std::vector<int32_t>>(), 32);
  const auto ours = test::log_softmax(logits);
  REQUIRE_EQ(ours.size(), expected.size());
  double worst = 0;
  for (size_t i = 0; i < ours.size(); ++i)
    worst = std::max(worst, std::fabs(ours[i] - expected[i]));
  CHECK_LE(worst, (*golden)["suggested_tolerance_logprob"].get<double>());
  check_greedy(driver, logits, *golden, name);
}

}  // namespace

TEST_CASE("backend cpu: holds what every backend must hold, on each instruction set") {
  test::BackendLimits limits{.f32_weights = 2e-3};  // KV is f16 also under f32 weights
  if (test::kThreadSanitizer) limits.dtypes = {"F16", "Q8_0", "Q4_K"};
  for (const cpu::Kernels* kernels : threaded_kernels()) {
    const std::string isa(kernels->isa);
    CAPTURE(isa);
    test::check_backend([&] { return make(2, isa); }, limits);
  }
}

TEST_CASE("backend cpu: logits have the same bits for any instruction set and thread count") {
  for (DType type : {DType::kF16, DType::kQ8_0, DType::kQ4_K}) {
    const auto bytes = make_random_model({.hidden = 256,
                                          .heads = 6,
                                          .kv_heads = 2,
                                          .head_dim = 32,
                                          .ffn = 512,
                                          .dtype = type,
                                          .mixed = type == DType::kQ4_K});
    REQUIRE_MESSAGE(bytes.ok(), bytes.error().message);
    const auto model = Model::parse(std::as_bytes(std::span(*bytes)));
    REQUIRE_MESSAGE(model.ok(), model.error().message);
    const auto right = trace(*make(1, test::kThreadSanitizer ? "" : "portable"), *model);
    for (const cpu::Kernels* kernels : threaded_kernels())
      for (int threads : {1, 2, 3})
        CHECK(trace(*make(threads, std::string(kernels->isa)), *model) == right);
  }
}

TEST_CASE(
    "backend cpu: tiny models give the logits of an independent implementation, and its ids") {
  const fs::path models = fs::path(AICTL_SHARED) / "models";
  if (!fs::exists(models)) {
    std::cout << "skipped: no reference models at " << models << "\n";
    return;
  }
  for (const char* name :
       {"llama", "llama-tied", "llama-ropelinear", "llama-ropefreqs", "llama-yarn", "qwen2",
        "qwen3", "q-llama-Q8_0", "q-llama-Q4_0", "q-llama-Q4_K_M", "q-llama-Q5_K_M", "q-llama-Q6_K",
        "q-qwen2-Q8_0", "q-qwen2-Q4_0", "q-qwen2-Q4_K_M", "q-qwen2-Q6_K"})
    check_parity(models, name);
}

TEST_CASE("backend cpu: says what it is, measures its ceilings, refuses an unknown set") {
  Plugins plugins;
  add_cpu_backend(plugins);
  const auto row = plugins.backends.find("cpu");
  REQUIRE(row.ok());
  auto backend = (*row)->make({.threads = 1, .isa = "portable"});
  REQUIRE(backend.ok());
  CHECK_EQ((*backend)->info().isa, "portable");
  CHECK_EQ((*backend)->info().threads, 1);
  const Ceilings ceilings = make(0, "")->measure();
  CHECK_GT(ceilings.read_gbs, 0);
  CHECK_GT(ceilings.int8_tops, ceilings.f32_tflops);
  CHECK_FALSE(make_cpu_backend({.threads = 0, .isa = "avx9"}).ok());
  setenv("AICTL_CPU_ISA", "avx9", 1);
  CHECK_FALSE(make_cpu_backend({}).ok());
  setenv("AICTL_CPU_ISA", "portable", 1);
  const auto forced = make_cpu_backend({});
  REQUIRE(forced.ok());
  CHECK_EQ((*forced)->info().isa, "portable");
  unsetenv("AICTL_CPU_ISA");
}

TEST_CASE("backend cpu: memory that does not suffice is an error, not an abort") {
  const auto bytes = make_random_model({});
  REQUIRE(bytes.ok());
  const auto model = Model::parse(std::as_bytes(std::span(*bytes)));
  REQUIRE(model.ok());
  const auto runner = make(1, "")->load(model->spec(), model->tensors(), {.kv_blocks = 1 << 30});
  REQUIRE_FALSE(runner.ok());
  CHECK_EQ(runner.error().code, ErrorCode::kResourceExhausted);
}
