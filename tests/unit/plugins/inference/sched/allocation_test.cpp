// Steps in steady state allocate nothing. This file counts what operator new is asked for.
#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "plugins/services/inference/sched/scheduler.hpp"

using namespace aictl;
using namespace aictl::inference;

namespace {
std::atomic<int> allocations{0};
}

void* operator new(std::size_t size) {
  ++allocations;
  if (void* p = std::malloc(size)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }

TEST_CASE("scheduler: decoding and parking allocate nothing once under way") {
  Scheduler scheduler({.max_rows = 128, .max_sequences = 8, .kv_blocks = 20, .max_context = 4096},
                      [](const Ended&) {});
  std::vector<SequenceId> ids;
  for (int i = 0; i < 6; ++i) {
    SequenceRequest request;
    request.prompt.assign(100, i);
    request.max_tokens = 600;
    request.n = i == 0 ? 2 : 1;
    scheduler.submit(std::move(request), ids);
  }
  StepPlan plan;
  std::vector<Outcome> outcomes;
  Time now{};
  int allocated = 0;
  const auto step = [&] {
    outcomes.reserve(8);
    const int before = allocations;
    const bool planned = scheduler.plan(now, plan);
    outcomes.assign(plan.samples.size(), Outcome{2, false, FinishReason::kStop});
    scheduler.commit(now += std::chrono::milliseconds(1), plan, outcomes);
    allocated += allocations - before;
    REQUIRE(planned);
  };
  for (int i = 0; i < 30; ++i) step();
  allocated = 0;
  const auto parked_before = scheduler.stats().parkings;
  for (int i = 0; i < 300; ++i) step();
  CHECK(allocated == 0);
  CHECK(scheduler.stats().parkings > parked_before);
}
