// Turns: between tenants, between requests, between classes. In steps and rows, not in time.
#include <map>

#include "scheduler_bench.hpp"

using namespace aictl::inference;
using namespace aictl;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr SchedulerLimits kFour{.max_rows = 256, .max_sequences = 4, .kv_blocks = 64};

// Steps until `id`, which has not ended yet, has.
int steps_until_end(Bench& b, SequenceId id) {
  const size_t before = b.ended.size();
  for (int steps = 0;; ++steps) {
    for (size_t i = before; i < b.ended.size(); ++i)
      if (b.ended[i].id == id) return steps;
    REQUIRE(steps < 10000);
    b.step();
  }
}

int running_of(const Bench& b, uint64_t tenant) {
  return static_cast<int>(std::ranges::count_if(b.scheduler.running(), [&](SequenceId id) {
    return b.scheduler.sequence(id).salt.tenant == tenant;
  }));
}

}  // namespace

TEST_CASE("turns: a request of 128 choices holds nobody up") {
  Bench b(kFour);
  b.submit(10, 300, 0, 128);
  const auto family = b.ids;
  for (int i = 0; i < 5; ++i) b.step();
  CHECK(b.scheduler.turns().places() == 4);
  for (int i = 0; i < 20; ++i) {  // each in the step it comes in, as if it were alone
    const auto other = b.submit(20, 5);
    CHECK(steps_until_end(b, other) == 5);
  }
  CHECK(b.scheduler.stats().waiting >= 124);
  while (b.step()) REQUIRE(b.scheduler.turns().places() <= 4);
  CHECK(b.ended.size() == 128 + 20);
  for (const Ended& e : b.ended) CHECK(e.reason == FinishReason::kLength);
  CHECK(b.scheduler.pool().used() == 0);
}

TEST_CASE("turns: requests that came at once share the places, however many choices they want") {
  Bench b(kFour);
  b.submit(10, 40, 0, 64);
  const auto many = b.ids;
  b.submit(10, 40, 0, 64);
  const auto more = b.ids;
  const auto single = b.submit(10, 40);
  b.step();
  const auto held = [&](const std::vector<SequenceId>& ids) {
    return std::ranges::count_if(ids, [&](SequenceId id) {
      const Sequence& s = b.scheduler.sequence(id);
      return s.running();
    });
  };
  CHECK(held(many) == 2);
  CHECK(held(more) == 1);
  CHECK(b.scheduler.sequence(single).running());
  CHECK(b.plan.rows() == 30);  // a prompt pass each, also where two choices started
}

TEST_CASE("turns: choices that cannot all run start as places become free, in order") {
  Bench b(kFour);
  const auto before = b.submit(5, 3);
  b.step();
  b.submit(10, 20, 0, 10);
  const auto family = b.ids;
  b.step();
  CHECK(b.plan.samples.size() == 4);  // the first, and three of ten
  CHECK(b.scheduler.stats().running == 4);
  CHECK(b.scheduler.stats().waiting == 7);
  b.step();
  CHECK(b.ended.size() == 1);
  b.step();
  CHECK(b.rows_of(family[3]) == 10);
  b.scheduler.end(family[4], b.now, FinishReason::kCancelled);  // leads those who wait
  while (b.step()) REQUIRE(b.scheduler.stats().running <= 4);
  REQUIRE(b.ended.size() == 11);
  CHECK(b.ended.front().id == before);
  for (const Ended& e : b.ended)
    if (e.id != before && e.id != family[4]) CHECK(e.timings.generated_tokens == 20);
  CHECK(b.scheduler.pool().used() == 0);
}

TEST_CASE("turns: a tenant with many requests leaves half of the places to another") {
  Bench b(kFour);
  b.salt = {.tenant = 1};
  for (int i = 0; i < 12; ++i) b.submit(10, 200);
  for (int i = 0; i < 3; ++i) b.step();
  CHECK(running_of(b, 1) == 4);
  b.salt = {.tenant = 2};
  std::vector<SequenceId> others;
  for (int i = 0; i < 3; ++i) others.push_back(b.submit(10, 50));
  b.step();
  CHECK(running_of(b, 1) == 2);
  CHECK(running_of(b, 2) == 2);
  for (int i = 0; i < 48; ++i) b.step();
  CHECK(running_of(b, 2) == 2);  // its first two still run: what was given is not taken back
  while (b.step()) {
  }
  CHECK(b.ended.size() == 15);
  for (const Ended& e : b.ended) CHECK(e.reason == FinishReason::kLength);
}

TEST_CASE("turns: prompts of two tenants share the rows, whoever's are longer") {
  Bench b({.max_rows = 136, .max_sequences = 8, .kv_blocks = 512, .max_context = 20000});
  b.salt = {.tenant = 1};
  const auto book = b.submit(10000, 2);
  b.step();
  CHECK(b.rows_of(book) == 128);
  b.salt = {.tenant = 2};
  const auto note = b.submit(50, 2);
  CHECK(steps_until_end(b, note) <= 6);  // after a quantum of the other's, and what is left of one
  const auto story = b.submit(5000, 2);
  std::map<SequenceId, int> rows;
  for (int i = 0; i < 40; ++i) {
    b.step();
    rows[book] += b.rows_of(book);
    rows[story] += b.rows_of(story);
  }
  CHECK(rows[book] + rows[story] > 4500);
  CHECK(std::abs(rows[book] - rows[story]) <= 2 * Turns::kQuantum);
}

TEST_CASE("turns: of one tenant, prompts are first come, first served") {
  Bench b({.max_rows = 136, .max_sequences = 8, .kv_blocks = 128});
  std::vector<SequenceId> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(b.submit(300, 1));
  while (b.step()) {
  }
  CHECK(b.order_of_ends() == ids);
}

TEST_CASE("turns: a higher class takes places and blocks from lower ones, and gives them back") {
  Bench b(kFour);
  std::vector<SequenceId> low, high;
  for (int i = 0; i < 4; ++i) low.push_back(b.submit(100, 60, -1));
  for (int i = 0; i < 5; ++i) b.step();
  b.salt = {.tenant = 9};
  for (int i = 0; i < 4; ++i) high.push_back(b.submit(100, 20, 3));
  b.step();
  for (const auto id : low) CHECK(b.scheduler.sequence(id).state == SequenceState::kWaiting);
  while (b.step()) {
  }
  REQUIRE(b.ended.size() == 8);
  for (size_t i = 0; i < 4; ++i) {
    CHECK(std::ranges::count(high, b.ended[i].id) == 1);
    CHECK(b.ended[i].timings.parked == 0);
    CHECK(b.ended[i + 4].timings.parked == 1);
    CHECK(b.ended[i + 4].timings.generated_tokens == 60);
  }
}

TEST_CASE("turns: a tenant that comes back is an equal, not a creditor") {
  Turns turns;
  const int a = turns.account_of(turns.open(1, ServiceClass::kStandard, 1));
  const int b = turns.account_of(turns.open(2, ServiceClass::kStandard, 1));
  turns.charge(a, 1'000'000);  // alone for long
  turns.ask(a);
  turns.ask(b);
  int rows_of_b = 0, rounds = 0;
  for (int account; (account = turns.next(ServiceClass::kStandard)) != a; ++rounds) {
    REQUIRE(account == b);
    turns.charge(b, 64);
    turns.take_turn(b);
    rows_of_b += 64;
  }
  CHECK(rows_of_b <= Turns::kDebt + Turns::kQuantum + 64);
  CHECK(turns.next(ServiceClass::kBackground) == -1);
}
