#include "tests/conformance/backend_suite.hpp"

#include <cmath>
#include <map>
#include <span>

#include <doctest/doctest.h>

#include "plugins/backends/reference/reference.hpp"
#include "plugins/services/inference/load/model.hpp"
#include "plugins/services/inference/load/random_model.hpp"
#include "tests/conformance/step_driver.hpp"

namespace aictl::test {
namespace {

using inference::Model;
using inference::RandomModelOptions;

using Logits = std::vector<float>;

constexpr RunnerOptions kOptions = {.max_rows = 160, .max_logit_rows = 8, .kv_blocks = 24};

// A model in memory: the bytes, and what reads them.
struct MadeModel {
  std::string bytes;
  std::unique_ptr<Model> model;
};

MadeModel make_model(const RandomModelOptions& options) {
  MadeModel made;
  auto bytes = inference::make_random_model(options);
  REQUIRE_MESSAGE(bytes.ok(), bytes.error().message);
  made.bytes = std::move(*bytes);
  auto model = Model::parse(std::as_bytes(std::span(made.bytes)));
  REQUIRE_MESSAGE(model.ok(), model.error().message);
  made.model = std::make_unique<Model>(std::move(*model));
  return made;
}

std::vector<int32_t> prompt_of(int length, int seed, int vocab) {
  std::vector<int32_t> tokens;
  uint32_t state = static_cast<uint32_t>(seed) * 2654435761u + 1;
  for (int i = 0; i < length; ++i) {
    state = state * 1664525u + 1013904223u;
    tokens.push_back(static_cast<int32_t>((state >> 8) % static_cast<uint32_t>(vocab)));
  }
  return tokens;
}

double relative_error(const Logits& ours, const Logits& right) {
  REQUIRE_EQ(ours.size(), right.size());
  double error = 0, norm = 0;
  for (size_t i = 0; i < ours.size(); ++i) {
    error += std::pow(double{ours[i]} - right[i], 2);
    norm += std::pow(double{right[i]}, 2);
  }
  return std::sqrt(error / norm);
}

double limit_for(const BackendLimits& limits, DType type) {
  if (type == DType::kF32) return limits.f32_weights;
  if (type == DType::kF16 || type == DType::kBF16) return limits.half_weights;
  return limits.block_weights;
}

// What is compared with the reference: a prompt over a block's edge, decode steps after it, hidden
// states of another sequence.
std::vector<Logits> script(StepDriver& driver, int vocab) {
  const auto prompt = prompt_of(71, 1, vocab);
  std::vector<Logits> out{driver.prefill(0, prompt, 71)};
  for (int32_t token : prompt_of(3, 2, vocab)) out.push_back(driver.step({{0, {token}}})[0]);
  for (Logits& row : driver.hidden({{1, {prompt[0], prompt[1]}}})) out.push_back(std::move(row));
  return out;
}

// The reference's answer to the script. It is slow and the same for every backend of a program, so
// it is computed once a model.
const std::vector<Logits>& oracle(const MadeModel& made) {
  static std::map<std::string, std::vector<Logits>> known;  // by the model's bytes
  std::vector<Logits>& answer = known[made.bytes];
  if (answer.empty()) {
    auto backend = make_reference_backend({});
    const Model& model = *made.model;
    StepDriver driver(*backend, model.spec(), model.tensors(), kOptions);
    answer = script(driver, model.spec().vocab);
  }
  return answer;
}

void check_against_reference(const MakeBackend& make, const MadeModel& made, double limit) {
  auto backend = make();
  const Model& model = *made.model;
  StepDriver driver(*backend, model.spec(), model.tensors(), kOptions);
  const std::vector<Logits> ours = script(driver, model.spec().vocab);
  const std::vector<Logits>& right = oracle(made);
  REQUIRE_EQ(ours.size(), right.size());
  for (size_t i = 0; i < right.size(); ++i) CHECK_LE(relative_error(ours[i], right[i]), limit);
  CHECK_GT(driver.runner().weight_bytes(), 0);
  CHECK_GE(driver.runner().kv_bytes(),
           static_cast<size_t>(kOptions.kv_blocks) * backend->kv_block_bytes(model.spec()));
}

void check_chunking(const MakeBackend& make, const Model& model) {
  auto backend = make();
  StepDriver driver(*backend, model.spec(), model.tensors(), kOptions);
  const auto prompt = prompt_of(97, 3, model.spec().vocab), brief = prompt_of(19, 3, 300);
  const Logits whole = driver.prefill(0, prompt, 97);
  CHECK(driver.prefill(1, prompt, 64) == whole);
  CHECK(driver.prefill(2, prompt, 17) == whole);
  CHECK(driver.prefill(3, brief, 1) == driver.prefill(4, brief, 19));
}

// A prefill chunk, a decode row and a short prompt in one step give what each gives alone.
void check_batching(const MakeBackend& make, const Model& model) {
  auto backend = make();
  StepDriver driver(*backend, model.spec(), model.tensors(), kOptions);
  const int vocab = model.spec().vocab;
  const auto prompt = prompt_of(67, 4, vocab), other = prompt_of(33, 5, vocab);
  const std::vector<int32_t> next = {7}, brief = {1, 2, 3};
  driver.prefill(0, prompt, 67);
  const Logits decode = driver.step({{0, next}})[0];
  const Logits chunk = driver.prefill(1, other, 33), start = driver.prefill(2, brief, 3);
  driver.prefill(10, prompt, 67);
  const auto mixed = driver.step({{11, other}, {10, next}, {12, brief}});
  CHECK(mixed[0] == chunk);
  CHECK(mixed[1] == decode);
  CHECK(mixed[2] == start);
  const auto again = driver.step({{12, next}, {11, next}, {10, next}});
  CHECK(again[2] == driver.step({{0, next}})[0]);
  CHECK(again[1] == driver.step({{1, next}})[0]);
  CHECK(again[0] == driver.step({{2, next}})[0]);
}

// Rows that turned out wrong leave nothing behind once others are written over them: speculation.
void check_rewinding(const MakeBackend& make, const Model& model) {
  auto backend = make();
  StepDriver plain(*backend, model.spec(), model.tensors(), kOptions);
  StepDriver driver(*backend, model.spec(), model.tensors(), kOptions);
  for (const int length : {5, 61, 100}) {  // within a block, over its end, in the next one
    const auto prompt = prompt_of(length, 7, 40);
    CHECK(driver.prefill(length, prompt, 64) == plain.prefill(length, prompt, 64));
    driver.step({{length, {30, 31, 32, 33, 34}}, {length + 1, {2}}});
    driver.rewind(length, length + 1);  // the first was right
    plain.step({{length, {30}}});
    CHECK(driver.step({{length, {8, 9}}})[0] == plain.step({{length, {8, 9}}})[0]);
    driver.rewind(length, length);
    plain.rewind(length, length);
    CHECK(driver.step({{length, {8}}})[0] == plain.step({{length, {8}}})[0]);
  }
}

void check_copies(const MakeBackend& make, const Model& model) {
  auto backend = make();
  StepDriver driver(*backend, model.spec(), model.tensors(), kOptions);
  driver.prefill(0, prompt_of(70, 6, model.spec().vocab), 70);
  driver.fork(0, 1);
  const Logits fork = driver.step({{1, {9}}})[0];
  CHECK(driver.step({{0, {9}}})[0] == fork);
}

std::vector<RandomModelOptions> shapes() {
  RandomModelOptions plain{
      .arch = "llama", .hidden = 64, .heads = 4, .kv_heads = 2, .head_dim = 16};
  RandomModelOptions odd{.arch = "qwen2",
                         .layers = 3,
                         .hidden = 96,
                         .heads = 7,
                         .kv_heads = 1,
                         .head_dim = 10,
                         .ffn = 172,
                         .vocab = 333,
                         .tied_head = true,
                         .seed = 2};
  RandomModelOptions wide{.arch = "qwen3",
                          .hidden = 256,
                          .heads = 3,
                          .kv_heads = 3,
                          .head_dim = 128,
                          .ffn = 512,
                          .mixed = true,
                          .seed = 3};
  return {plain, odd, wide};
}

}  // namespace

void check_backend(const MakeBackend& make, const BackendLimits& limits) {
  for (RandomModelOptions options : shapes())
    for (const std::string& name : limits.dtypes) {
      const auto type = dtype_from_name(name);
      REQUIRE_MESSAGE(type, name);
      options.dtype = *type;
      CAPTURE(options.arch);
      CAPTURE(name);
      const MadeModel made = make_model(options);
      const bool finer = options.mixed || options.hidden % format(*type).block != 0;
      const double limit = limit_for(limits, finer ? DType::kQ6_K : *type);
      check_against_reference(make, made, limit);
      check_chunking(make, *made.model);
      check_batching(make, *made.model);
      check_rewinding(make, *made.model);
      check_copies(make, *made.model);
    }
}

}  // namespace aictl::test
