// The queue's bound, and the promise to those turned away.
#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "plugins/services/inference/sched/queue_gate.hpp"

using namespace aictl::inference;
using namespace aictl;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_CASE("queue gate: lets in up to its limit, all of a request or nothing") {
  QueueGate gate(5);
  CHECK(gate.enter(3));
  CHECK_FALSE(gate.enter(3));
  CHECK(gate.enter(2));
  gate.leave(1, Time{});
  CHECK(gate.enter(1));
  CHECK(gate.inside() == 5);
}

TEST_CASE("queue gate: retry-after follows the measured rate, further back for each one refused") {
  QueueGate gate(10);
  REQUIRE(gate.enter(10));
  CHECK(gate.retry_after() == seconds(1));
  Time now{};
  for (int i = 0; i < 200; ++i) {
    now += milliseconds(100);
    gate.leave(1, now);
    REQUIRE(gate.enter(1));
  }
  CHECK(gate.retry_after() >= milliseconds(95));
  CHECK(gate.retry_after() <= milliseconds(105));
  CHECK_FALSE(gate.enter(1));
  CHECK_FALSE(gate.enter(1));
  CHECK(gate.retry_after() >= milliseconds(190));
  CHECK(gate.retry_after() <= milliseconds(210));
  for (int i = 0; i < 100000; ++i) (void)gate.enter(1);
  CHECK(gate.retry_after() == seconds(60));
}

TEST_CASE("queue gate: time with nobody inside is not counted as slow service") {
  QueueGate gate(4);
  Time now{};
  REQUIRE(gate.enter(2));
  gate.leave(1, now);
  now += milliseconds(50);
  gate.leave(1, now);
  now += seconds(1000);
  REQUIRE(gate.enter(1));
  now += milliseconds(50);
  gate.leave(1, now);
  CHECK(gate.retry_after() <= milliseconds(51));
}

TEST_CASE("queue gate: threads never get in above the limit") {
  QueueGate gate(7);
  std::atomic<int> inside{0}, most{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 20000; ++i) {
          if (!gate.enter(3)) continue;
          const int now = inside.fetch_add(3) + 3;
          int seen = most.load();
          while (now > seen && !most.compare_exchange_weak(seen, now)) {
          }
          inside.fetch_sub(3);
          gate.undo(3);
        }
      });
  }
  CHECK(most <= 7);
  CHECK(gate.inside() == 0);
}
