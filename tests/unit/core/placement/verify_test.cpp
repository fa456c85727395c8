// Trials of a pin: the statistics, and the whole way with a benchmark that is made up.
#include "core/placement/verify/pin_trial.hpp"

#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>

#include "core/placement/model/families.hpp"
#include "core/placement/plan/planner.hpp"
#include "core/placement/verify/bench_run.hpp"
#include "tests/support/temporary_root.hpp"
#include "tests/unit/core/placement/machines.hpp"

using namespace aictl;
using namespace aictl::placement;

namespace {

/// A program that prints a speed: `pinned` behind `topo exec`, else `alone`.
std::string program(aictl::test::TemporaryRoot& root, const char* pinned, const char* alone) {
  root.file("bench", std::string("#!/bin/sh\nif [ \"$1\" = topo ]; then s=") + pinned +
                         "; else s=" + alone +
                         "; fi\necho \"$@\" >> \"${0%/*}/calls\"\n"
                         "echo \"{\\\"decode\\\": {\\\"tokens_per_second\\\": $s}}\"\n");
  const auto path = root.path() / "bench";
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  return path.string();
}

Plan cpu_plan(const PlanRequest& request) {
  const Topology machine = cpu_machine(1, 8, uint64_t{64} << 30);
  const Machine one{&machine, 1};
  auto plan = make_plan({&one, 1}, request);
  REQUIRE(plan.ok());
  REQUIRE(plan->placed());
  return *plan;
}

PlanRequest request_for(const char* model) {
  PlanRequest request;
  request.models.push_back(*known_shape(model, "BF16"));
  request.engine = Engine::kAictl;
  request.concurrency = 2;
  return request;
}

}  // namespace

TEST_CASE("verify: a pin is kept when chance does not explain what it brings") {
  const double fast[] = {11, 12, 11.5, 12.5, 11.2}, slow[] = {10, 10.5, 9.8, 10.2, 10.1};
  CHECK(compare_pins(fast, slow).keep);
  CHECK_EQ(compare_pins(fast, slow).chance, doctest::Approx(1.0 / 252));
  CHECK_EQ(compare_pins(fast, slow).change(), doctest::Approx(11.64 / 10.12 - 1));
  CHECK_FALSE(compare_pins(slow, fast).keep);
  const double mixed[] = {10, 12, 10.1, 12.5, 9};
  CHECK_FALSE(compare_pins(mixed, slow).keep);
  CHECK_FALSE(compare_pins(slow, slow).keep);
  CHECK_FALSE(compare_pins({}, slow).keep);
}

TEST_CASE("verify: the pin that helps stays in the commands, the other goes") {
  aictl::test::TemporaryRoot root;
  const PlanRequest request = request_for("llama:1b:q8_0");
  Plan plan = cpu_plan(request);
  int lines = 0;
  REQUIRE(verify_pins(plan, request, program(root, "20", "10"), [&](auto) { ++lines; }).ok());
  const ModelPlan& model = plan.hosts[0].models[0];
  CHECK_EQ(lines, 10);
  REQUIRE(model.verified.has_value());
  CHECK(model.verified->kept);
  CHECK_EQ(model.verified->pinned, 20);
  CHECK_GT(model.verified->predicted, 0);
  CHECK(model.replicas[0].pin);
  REQUIRE(verify_pins(plan, request, program(root, "10", "10.2"), {}).ok());
  CHECK_FALSE(model.replicas[0].pin);
}

TEST_CASE("verify: a round grows until it lasts half a second") {
  std::vector<int> asked;
  const auto at = [&](double speed, double fall) {  // tokens a second, less as the cache grows
    return [&asked, speed, fall](int tokens) -> Result<double> {
      asked.push_back(tokens);
      return speed / (1 + fall * tokens);
    };
  };
  CHECK_EQ(*round_tokens(2, at(20, 0)), 16);
  CHECK_EQ(asked, std::vector<int>{16});
  CHECK_EQ(*round_tokens(2, at(4000, 0)), 1200);
  CHECK_EQ(*round_tokens(8, at(25000, 0.01)), 1617);  // slower at length: the first look is enough
  CHECK_EQ(*round_tokens(1, at(1e9, 0)), 4096);
  CHECK_EQ(*round_tokens(1, at(1e300, 0)), 4096);
  CHECK_EQ(*round_tokens(8, at(25000, -0.0001)), 2309);  // faster at length: looked at again
  const Error lost{ErrorCode::kUnavailable, "gone", ""};
  CHECK_EQ(round_tokens(1, [&](int) -> Result<double> { return lost; }).error().message, "gone");
}

TEST_CASE("verify: every round of a fast model has the tokens that were found for it") {
  aictl::test::TemporaryRoot root;
  const PlanRequest request = request_for("llama:1b:q8_0");
  Plan plan = cpu_plan(request);
  REQUIRE(verify_pins(plan, request, program(root, "4000", "4000"), {}).ok());
  std::ifstream calls(root.path() / "calls");
  int first = 0, rounds = 0;
  for (std::string line; std::getline(calls, line);) {
    first += line.find("--decode-tokens 16 ") != line.npos;
    rounds += line.find("--decode-tokens 1200 ") != line.npos;
  }
  CHECK_EQ(first, 1);
  CHECK_EQ(rounds, 11);  // one to look whether that is long enough
}

TEST_CASE("verify: what cannot be measured is refused, and a benchmark that fails is told") {
  CHECK_EQ(bench_words(cpu_plan(request_for("qwen3:4b:q8_0")).hosts[0].models[0], 16).error().code,
           ErrorCode::kInvalidArgument);
  const auto words = bench_words(cpu_plan(request_for("llama:1b:q4_k_m")).hosts[0].models[0], 16);
  REQUIRE(words.ok());
  CHECK_EQ((*words)[2], "--synthetic");
  CHECK_EQ((*words)[5], "q4_k");
  CHECK_EQ(bench_decode("/bin/false", {}).error().code, ErrorCode::kUnavailable);
  CHECK_EQ(bench_decode("/bin/echo", {"{}"}).error().code, ErrorCode::kDataRefused);
  CHECK_EQ(bench_decode("/nonexistent", {}).error().code, ErrorCode::kNotFound);
}
