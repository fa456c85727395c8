// The life of an engine: limits, cancelling, deadlines, draining, failures, its end.
#include <doctest/doctest.h>

#include <future>
#include <stdexcept>

#include "tiny_engine.hpp"

using namespace aictl;
using namespace aictl::inference;

namespace {

// Holds the engine inside of its first step until released.
class Hold {
 public:
  Hooks hooks() {
    return {.begin =
                [this](const StepBatch&) {
                  if (!held_.exchange(true)) reached_.set_value();
                  released_.wait();
                },
            .logits = {}};
  }
  void wait_reached() {
    REQUIRE(reached_.get_future().wait_until(soon()) == std::future_status::ready);
  }
  void release() { release_.set_value(); }

 private:
  std::atomic<bool> held_{false};
  std::promise<void> reached_, release_;
  std::shared_future<void> released_ = release_.get_future().share();
};

FinishReason end_of(Generation& generation, int choice = 0) {
  REQUIRE(generation.wait_done(soon()));
  return generation.finished(choice)->reason;
}

}  // namespace

TEST_CASE("engine: what makes no sense or can never fit is refused by name") {
  EngineOptions options = tiny_options();
  options.max_context = 200;
  auto engine = start_tiny(options);
  CHECK(engine->max_context() == 200);
  const auto code = [&](const GenerateRequest& request) {
    const auto result = engine->submit(request);
    REQUIRE_FALSE(result.ok());
    return result.error().code;
  };
  CHECK(code(ask({}, 5)) == ErrorCode::kInvalidArgument);
  CHECK(code(ask({1, kTinyVocab}, 5)) == ErrorCode::kInvalidArgument);
  CHECK(code(ask({1, -1}, 5)) == ErrorCode::kInvalidArgument);
  CHECK(code(ask({1}, -5)) == ErrorCode::kInvalidArgument);
  CHECK(code(ask({1}, 5, -1)) == ErrorCode::kInvalidArgument);
  CHECK(code(ask(std::vector<int32_t>(200, 1), 0)) == ErrorCode::kTooLarge);
  auto many = ask({1}, 1);
  many.n = 129;
  CHECK(code(many) == ErrorCode::kInvalidArgument);
  many.n = 17;  // one more than runs at once
  CHECK(end_of(**engine->submit(many), 16) == FinishReason::kLength);
  CHECK(engine->generate(ask(std::vector<int32_t>(190, 1), 0))->size() == 10);
  CHECK(engine->generate(ask(std::vector<int32_t>(190, 1), 200))->size() == 10);
  CHECK(engine->logprobs(std::vector<int32_t>(200, 1)).ok());
  CHECK_FALSE(engine->logprobs(std::vector<int32_t>(201, 1)).ok());
}

TEST_CASE("engine: options that cannot work together do not start") {
  const Model& model = tiny_model();
  const auto refused = [&](auto change) {
    EngineOptions options = tiny_options();
    change(options);
    auto runner = make_reference_backend({})->load(model.spec(), model.tensors(), {64, 16, 4});
    const auto engine = Engine::start(options, model.spec(), std::move(*runner));
    return !engine.ok() && engine.error().code == ErrorCode::kInvalidArgument;
  };
  CHECK(refused([](EngineOptions& o) { o.max_sequences = 17; }));
  CHECK(refused([](EngineOptions& o) { o.max_context = 1 << 20; }));
  CHECK(refused([](EngineOptions& o) { o.vocab_tokens = kTinyVocab + 1; }));
  CHECK(refused([](EngineOptions& o) { o.runner.max_rows = 1; }));
  CHECK_FALSE(refused([](EngineOptions&) {}));
}

TEST_CASE("engine: a full queue refuses and says when to come again") {
  Hold hold;
  EngineOptions options = tiny_options();
  options.max_sequences = 1;
  options.max_waiting = 2;
  auto engine = start_tiny(options, hold.hooks());
  std::vector<std::shared_ptr<Generation>> taken;
  for (int i = 0; i < 3; ++i) taken.push_back(*engine->submit(ask({1}, 3)));
  const auto refused = engine->submit(ask({1}, 3));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::kResourceExhausted);
  CHECK(engine->stats().retry_after > Duration::zero());
  CHECK(engine->stats().refused == 1);
  CHECK(engine->stats().waiting_limit == 2);
  CHECK(refused.error().message.find("3 of 3 places") != std::string::npos);
  auto many = ask({1}, 3);
  many.n = 4;
  CHECK(engine->max_choices() == 3);
  CHECK(engine->submit(many).error().code == ErrorCode::kInvalidArgument);  // it never fits
  many.n = 3;
  CHECK(engine->submit(many).error().code == ErrorCode::kResourceExhausted);
  hold.release();
  for (auto& generation : taken) CHECK(end_of(*generation) == FinishReason::kLength);
  CHECK(engine->generate(ask({1}, 3)).ok());
}

TEST_CASE("engine: cancel ends a stream in the middle, a queued request and single choices") {
  Hold hold;
  EngineOptions options = tiny_options();
  options.max_sequences = 2;
  auto engine = start_tiny(options, hold.hooks());
  auto twins = ask({1, 2}, 1000, 1);
  twins.n = 2;
  auto running = *engine->submit(twins);
  auto queued = *engine->submit(ask({3}, 5));
  auto last = *engine->submit(ask({4}, 5));
  queued->cancel();
  hold.release();
  CHECK(end_of(*queued) == FinishReason::kCancelled);
  CHECK(queued->take().empty());
  REQUIRE(running->wait(soon()));  // some tokens are there
  CHECK_FALSE(running->done());
  running->cancel(1);
  CHECK(end_of(*last) == FinishReason::kLength);  // in the place of the choice
  CHECK(running->finished(1)->reason == FinishReason::kCancelled);
  CHECK_FALSE(running->finished(0));
  running->cancel();
  CHECK(end_of(*running) == FinishReason::kCancelled);
  CHECK(engine->stats().kv_blocks_used == 0);
}

TEST_CASE("engine: a choice whose reader has enough has stopped, and was not cancelled") {
  EngineOptions options = tiny_options();
  auto engine = start_tiny(options);
  auto twins = ask({1, 2}, 1500, 1);
  twins.n = 2;
  auto running = *engine->submit(twins);
  REQUIRE(running->wait(soon()));
  running->stop(0);
  while (!running->finished(0)) std::this_thread::yield();
  CHECK(running->finished(0)->reason == FinishReason::kStop);
  CHECK(engine->stats().cancelled == 0);
  running->cancel(1);
  running->stop(1);  // too late
  CHECK(end_of(*running, 1) == FinishReason::kCancelled);
  engine->drain(soon());
  CHECK(engine->stats().cancelled == 1);
}

TEST_CASE("engine: a deadline ends running and queued requests") {
  ManualClock clock;
  EngineOptions options = tiny_options();
  options.clock = &clock;
  options.max_sequences = 1;
  auto engine = start_tiny(options);
  auto request = ask({1}, 1500, 1);
  request.deadline = clock.now() + std::chrono::seconds(5);
  auto running = *engine->submit(request), queued = *engine->submit(request);
  REQUIRE(running->wait(soon()));
  clock.advance(std::chrono::seconds(6));
  CHECK(end_of(*running) == FinishReason::kDeadline);
  CHECK(end_of(*queued) == FinishReason::kDeadline);
}

TEST_CASE("engine: drain finishes what is there and takes nothing new") {
  auto engine = start_tiny(tiny_options());
  auto first = *engine->submit(ask({1, 2}, 30)), second = *engine->submit(ask({1}, 30, 1));
  CHECK(engine->drain(soon()));
  CHECK(first->done());
  CHECK(second->done());
  CHECK(end_of(*first) == FinishReason::kLength);
  const auto refused = engine->submit(ask({1}, 1));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::kUnavailable);
  CHECK(engine->stats().draining);
}

TEST_CASE("engine: drain gives up at its deadline") {
  Hold hold;
  auto engine = start_tiny(tiny_options(), hold.hooks());
  auto generation = *engine->submit(ask({1}, 5));
  hold.wait_reached();
  CHECK_FALSE(engine->drain(std::chrono::steady_clock::now()));
  hold.release();
  CHECK(engine->drain(soon()));
}

TEST_CASE("engine: destroyed while running, every request ends as cancelled") {
  EngineOptions options = tiny_options();
  options.max_sequences = 2;
  auto engine = start_tiny(options);
  std::vector<std::shared_ptr<Generation>> generations;
  for (int i = 0; i < 6; ++i) generations.push_back(*engine->submit(ask({i + 1}, 2000, 1)));
  REQUIRE(generations[0]->wait(soon()));
  engine.reset();
  for (auto& generation : generations) {
    REQUIRE(generation->done());
    CHECK(generation->finished()->reason == FinishReason::kCancelled);
  }
}

TEST_CASE("engine: a step that throws fails every request, and the engine goes on") {
  std::atomic<int> steps{0};
  auto engine = start_tiny(tiny_options(), {.begin =
                                                [&](const StepBatch&) {
                                                  if (++steps == 4)
                                                    throw std::runtime_error("device lost");
                                                },
                                            .logits = {}});
  auto first = *engine->submit(ask({1}, 500)), second = *engine->submit(ask({2}, 500));
  CHECK(end_of(*first) == FinishReason::kFailed);
  CHECK(first->finished()->error.message.find("device lost") != std::string::npos);
  const FinishReason other = end_of(*second);  // it may have come after the failure
  CHECK((other == FinishReason::kFailed || other == FinishReason::kLength));
  CHECK(engine->generate(ask({1}, 5))->size() == 5);
  CHECK(engine->stats().kv_blocks_used == 0);
}

TEST_CASE("engine: logits that are not numbers fail their own request only") {
  auto engine = start_tiny(tiny_options(), {.begin = {}, .logits = [](Act logits) {
                                              for (int i = 0; i < logits.cols; ++i)
                                                logits.row(0)[i] = std::nanf("");
                                            }});
  const auto result = engine->generate(ask({1, 2, 3}, 5));
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == ErrorCode::kInternal);
  CHECK(result.error().message.find("position 3") != std::string::npos);
  CHECK(engine->stats().failed == 1);
}

TEST_CASE("engine: a reader that does not take is woken once") {
  std::atomic<int> wakes{0};  // outlives the engine, whose thread counts it
  auto engine = start_tiny(tiny_options());
  auto generation = *engine->submit(ask({1}, 50), [&] { ++wakes; });
  REQUIRE(generation->wait_done(soon()));
  engine->drain(soon());
  CHECK(wakes == 1);
  CHECK(generation->take().size() == 50);
}

TEST_CASE("engine: timings add up and counters count") {
  auto engine = start_tiny(tiny_options());
  auto generation = *engine->submit(ask(std::vector<int32_t>(100, 3), 20));
  REQUIRE(generation->wait_done(soon()));
  const GenerationTimings t = generation->finished()->timings;
  CHECK(t.prompt_tokens == 100);
  CHECK(t.generated_tokens == 20);
  CHECK(t.first_token == t.queued + t.prefill);
  CHECK(t.decode > Duration::zero());
  engine->drain(soon());
  const EngineStats s = engine->stats();
  CHECK(s.prompt_tokens == 100);
  CHECK(s.generated_tokens == 20);
  CHECK(s.requests == 1);
  CHECK(s.finished == 1);
  CHECK(s.steps == 2 + 19);  // a chunk of 64, the rest with the first token, one each
  CHECK(s.kv_blocks == 64);
  CHECK(s.forward > Duration::zero());
}
