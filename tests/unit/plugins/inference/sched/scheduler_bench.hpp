// A scheduler stepped by hand: a step takes a millisecond, and every choice is the token 2.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "plugins/services/inference/sched/scheduler.hpp"

namespace aictl::inference {

struct Bench {
  explicit Bench(SchedulerLimits limits)
      : scheduler(limits, [this](const Ended& e) { ended.push_back(e); }) {}

  /// No two prompts are alike, unless `letter` says so.
  SequenceId submit(int prompt, int max_tokens, int priority = 0, int n = 1, int letter = 0) {
    SequenceRequest request;
    request.prompt.assign(static_cast<size_t>(prompt), letter ? letter : ++letters);
    request.salt = salt;
    request.reuse = reuse;
    request.max_tokens = max_tokens;
    request.priority = priority;
    request.arrival = now;
    request.n = n;
    request.deadline = deadline;
    scheduler.submit(std::move(request), ids);
    return ids[0];
  }
  bool step() {
    if (!scheduler.plan(now, plan)) return false;
    const std::vector<Outcome> outcomes(plan.samples.size(), Outcome{2, false, {}});
    now += std::chrono::milliseconds(1);
    scheduler.commit(now, plan, outcomes);
    return true;
  }
  int rows_of(SequenceId id) const {
    for (size_t i = 0; i < plan.sequences.size(); ++i)
      if (plan.sequences[i] == id) return plan.views[i].n_rows;
    return 0;
  }
  std::vector<SequenceId> order_of_ends() const {
    std::vector<SequenceId> order;
    for (const Ended& e : ended) order.push_back(e.id);
    return order;
  }

  std::vector<Ended> ended;
  std::vector<SequenceId> ids;
  Scheduler scheduler;
  StepPlan plan;
  Time now{std::chrono::seconds(1000)};
  Time deadline = Time::max();
  int letters = 1000;
  Salt salt;
  bool reuse = true;
};

}  // namespace aictl::inference
