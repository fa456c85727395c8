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
  for (const bool drafts : {false, true}) {
    CAPTURE(drafts);
    SchedulerLimits limits{
        .max_rows = 128, .max_sequences = 8, .max_logit_rows = 40, .kv_blocks = 20};
    limits.work = {.weight_bytes = 1e9, .position_bytes = 1e3, .row_operations = 1e9};
    limits.token_latency = std::chrono::milliseconds(50);
    limits.drafts = limits.draft_always = drafts;
    Scheduler scheduler(limits, [](const Ended&) {});
    std::vector<SequenceId> ids;
    for (int i = 0; i < 6; ++i) {
      SequenceRequest request;
      request.prompt.assign(100, i);
      request.max_tokens = 1000;
      request.n = i == 0 ? 2 : 1;
      scheduler.submit(std::move(request), ids);
    }
    StepPlan plan;
    std::vector<Outcome> outcomes;
    Time now{};
    int allocated = 0;
    const auto step = [&] {
      outcomes.reserve(40);
      const int before = allocations;
      const bool planned = scheduler.plan(now, plan);
      outcomes.assign(plan.samples.size(), Outcome{2, false, FinishReason::kStop});
      for (size_t i = 0; i < outcomes.size(); i += 3) outcomes[i].token = 3;  // drafts go wrong
      scheduler.commit(now += std::chrono::milliseconds(1), plan, outcomes);
      allocated += allocations - before;
      REQUIRE(planned);
    };
    for (int i = 0; i < 20; ++i) step();
    allocated = 0;
    const auto parked_before = scheduler.stats().parkings;
    for (int i = 0; i < 250; ++i) step();
    CHECK(allocated == 0);
    CHECK(scheduler.stats().parkings > parked_before);
    CHECK((scheduler.stats().drafted_tokens > 0) == drafts);
  }
}
