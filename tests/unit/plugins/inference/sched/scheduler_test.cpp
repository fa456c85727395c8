// The scheduler's promises one by one.
#include "scheduler_bench.hpp"

using namespace aictl::inference;
using namespace aictl;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_CASE("scheduler: decode rows go first, prompt chunks of 64 fill the step") {
  Bench b({.max_rows = 200, .max_sequences = 8, .kv_blocks = 64});
  const auto first = b.submit(10, 50);
  b.step();
  const auto second = b.submit(500, 5);
  b.step();
  CHECK(b.rows_of(first) == 1);
  CHECK(b.rows_of(second) == 192);
  CHECK(b.plan.views[0].n_rows == 1);
  CHECK(b.plan.samples.size() == 1);
  b.step();
  b.step();
  CHECK(b.rows_of(second) == 500 - 2 * 192);
  CHECK(b.plan.samples.size() == 2);
}

TEST_CASE("scheduler: first come first served, and a large prompt is not slipped past") {
  Bench b({.max_rows = 256, .max_sequences = 8, .kv_blocks = 10});
  const auto running = b.submit(300, 100);
  b.step();
  b.step();
  const auto large = b.submit(500, 2);
  b.now += milliseconds(1);
  const auto small = b.submit(5, 2);
  while (b.step()) {
  }
  CHECK(b.order_of_ends() == std::vector<SequenceId>{running, large, small});
  CHECK(b.ended[2].timings.queued + milliseconds(1) >= b.ended[1].timings.queued);
  CHECK(b.ended[2].timings.queued >= b.ended[0].timings.decode - milliseconds(2));
}

TEST_CASE("scheduler: of a class, a higher priority goes first until the lower one has aged") {
  Bench b({.max_rows = 128, .max_sequences = 1, .kv_blocks = 8, .aging = seconds(10)});
  b.submit(5, 20, 5);
  b.step();
  const auto low = b.submit(5, 2, 1);
  b.now += seconds(5);
  const auto high = b.submit(5, 2, 2);
  b.now += seconds(6);
  const auto late = b.submit(5, 2, 2);
  while (b.step()) {
  }
  REQUIRE(b.ended.size() == 4);
  CHECK(b.ended[1].id == high);
  CHECK(b.ended[2].id == low);
  CHECK(b.ended[3].id == late);
}

TEST_CASE("scheduler: when blocks run out, the youngest sequence goes back to waiting") {
  Bench b({.max_rows = 256, .max_sequences = 4, .kv_blocks = 4});
  const auto old = b.submit(60, 100);
  const auto young = b.submit(60, 100);
  while (b.scheduler.stats().parkings == 0) REQUIRE(b.step());
  CHECK(b.scheduler.sequence(young).state == SequenceState::kWaiting);
  CHECK(b.scheduler.sequence(young).table.size() == 0);
  CHECK(b.scheduler.sequence(old).state == SequenceState::kDecode);
  while (b.step()) {
  }
  CHECK(b.order_of_ends() == std::vector<SequenceId>{old, young});
  CHECK(b.ended[1].timings.parked > 0);
  CHECK(b.ended[1].timings.generated_tokens == 100);
}

TEST_CASE("scheduler: a strictly higher priority takes the place of a lower one") {
  Bench b({.max_rows = 128, .max_sequences = 1, .kv_blocks = 8});
  const auto low = b.submit(5, 50, 0);
  b.step();
  const auto same = b.submit(5, 3, 0);
  b.step();
  CHECK(b.rows_of(low) == 1);
  const auto high = b.submit(5, 3, 1);
  b.step();
  CHECK(b.rows_of(high) == 5);
  CHECK(b.scheduler.sequence(low).state == SequenceState::kWaiting);
  while (b.step()) {
  }
  CHECK(b.order_of_ends() == std::vector<SequenceId>{high, low, same});
}

TEST_CASE("scheduler: cancelling frees at once, also the queued, followers and their leader") {
  Bench b({.max_rows = 128, .max_sequences = 4, .kv_blocks = 16});
  b.submit(200, 5, 0, 3);
  const auto family = b.ids;
  const auto queued = b.submit(200, 5, 0, 3);
  b.step();  // a chunk of the prompt; nobody has forked
  b.scheduler.end(queued, b.now, FinishReason::kCancelled);
  b.scheduler.end(family[0], b.now, FinishReason::kCancelled);
  CHECK(b.scheduler.sequence(family[1]).state == SequenceState::kPrefill);
  CHECK(b.scheduler.sequence(family[1]).computed == 128);
  b.scheduler.end(family[2], b.now, FinishReason::kCancelled);
  for (int i = 0; i < 3; ++i) b.step();
  b.scheduler.end(family[1], b.now, FinishReason::kCancelled);
  while (b.step()) {
  }
  CHECK(b.ended.size() == 6);
  CHECK(b.scheduler.pool().used() == 0);
}

TEST_CASE("scheduler: a deadline ends whoever is past it, running or queued") {
  Bench b({.max_rows = 128, .max_sequences = 1, .kv_blocks = 8});
  b.deadline = b.now + milliseconds(10);
  b.submit(5, 100);
  b.submit(5, 100);
  b.deadline = b.now + seconds(50);
  b.submit(5, 4);
  while (b.step()) {
  }
  REQUIRE(b.ended.size() == 3);
  CHECK(b.ended[0].reason == FinishReason::kDeadline);
  CHECK(b.ended[1].reason == FinishReason::kDeadline);
  CHECK(b.ended[2].reason == FinishReason::kLength);
}

TEST_CASE("scheduler: what can never fit is refused with the numbers") {
  const SchedulerLimits limits{
      .max_rows = 128, .max_sequences = 4, .kv_blocks = 4, .max_context = 300};
  CHECK(Scheduler::can_fit(limits, 200, 57, 1));  // 256 positions are fed
  CHECK_FALSE(Scheduler::can_fit(limits, 200, 58, 1));
  CHECK_FALSE(Scheduler::can_fit(limits, 301, 1, 1));
  CHECK_FALSE(Scheduler::can_fit(limits, 0, 1, 1));
  CHECK_FALSE(Scheduler::can_fit(limits, 1, -1, 1));
  CHECK(Scheduler::can_fit(limits, 1, 1, 128));  // more than run at once: they take turns
  CHECK_FALSE(Scheduler::can_fit(limits, 1, 1, 129));
  CHECK_FALSE(Scheduler::can_fit(limits, 1, 1, 0));
  CHECK_FALSE(Scheduler::can_fit(limits, INT64_MAX, INT64_MAX, 1));
  const auto error = Scheduler::can_fit(limits, 290, 20, 1).error();
  CHECK(error.code == ErrorCode::kTooLarge);
  CHECK(error.message.find("300") != std::string::npos);
}

TEST_CASE("scheduler: choices share one prompt pass and its blocks") {
  Bench b({.max_rows = 256, .max_sequences = 4, .kv_blocks = 16});
  b.submit(100, 10, 0, 3);
  b.step();
  CHECK(b.plan.rows() == 100);
  CHECK(b.plan.samples.size() == 3);
  CHECK(b.scheduler.pool().used() == 2);
  b.step();
  CHECK(b.plan.rows() == 3);
  CHECK(b.plan.copies.size() == 2);
  CHECK(b.scheduler.pool().used() == 4);  // the full block, and a tail each
}

TEST_CASE("scheduler: a prompt that begins like an earlier one computes the rest") {
  Bench b({.max_rows = 512, .max_sequences = 4, .kv_blocks = 32});
  const auto run = [&](int prompt, int letter) {
    const auto id = b.submit(prompt, 2, 0, 1, letter);
    b.step();
    const int rows = b.rows_of(id);
    while (b.step()) {
    }
    CHECK(b.ended.back().timings.cached_tokens == prompt - rows);
    return rows;
  };
  CHECK(run(200, 7) == 200);
  CHECK(run(300, 7) == 300 - 192);
  CHECK(run(256, 7) == 64);  // the last position is computed in any case, and with it its block
  CHECK(run(300, 8) == 300);
  b.salt = {.salt = 1};
  CHECK(run(300, 7) == 300);
  CHECK(run(300, 7) == 300 - 256);
  b.reuse = false;
  CHECK(run(300, 7) == 300);
  CHECK(b.scheduler.stats().reused_tokens == 192 + 192 + 256);
  CHECK(b.scheduler.pool().used() == 0);
}

TEST_CASE("scheduler: what is kept of earlier prompts never keeps a new one waiting") {
  Bench b({.max_rows = 512, .max_sequences = 4, .kv_blocks = 8});
  b.submit(7 * 64, 2);
  while (b.step()) {
  }
  CHECK(b.scheduler.pool().idle() == 7);
  const auto next = b.submit(7 * 64, 2);
  b.step();
  CHECK(b.rows_of(next) == 7 * 64);
}

TEST_CASE("scheduler: without a prefix cache every prompt is computed whole") {
  Bench b({.max_rows = 512, .max_sequences = 4, .kv_blocks = 32, .prefix_cache = false});
  for (int i = 0; i < 2; ++i) {
    const auto id = b.submit(200, 2, 0, 1, 7);
    b.step();
    CHECK(b.rows_of(id) == 200);
    while (b.step()) {
    }
  }
  CHECK(b.scheduler.pool().idle() == 0);
}

TEST_CASE("scheduler: an embedding leaves nothing behind that would push out a prefix") {
  Bench b({.max_rows = 512, .max_sequences = 4, .kv_blocks = 8});
  SequenceRequest request;
  request.kind = SequenceKind::kEmbed;
  request.prompt.assign(200, 3);
  b.scheduler.submit(std::move(request), b.ids);
  while (b.step()) {
  }
  CHECK(b.scheduler.pool().idle() == 0);
}
