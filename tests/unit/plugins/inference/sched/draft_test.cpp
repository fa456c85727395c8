// Drafts: what is guessed, how many, and that they are made only where they pay.
#include "scheduler_bench.hpp"

using namespace aictl::inference;
using namespace aictl;

namespace {

std::vector<int32_t> proposed(std::vector<int32_t> tokens, size_t most = 4) {
  std::vector<int32_t> out(most);
  out.resize(static_cast<size_t>(propose_draft(tokens, out)));
  return out;
}

using Tokens = std::vector<int32_t>;

constexpr ModelWork kWork{.weight_bytes = 0.7e9, .row_operations = 2e9, .logit_operations = 0.5e9};

}  // namespace

TEST_CASE("draft: what followed the longest earlier occurrence, the latest of equals") {
  CHECK(proposed({1, 2, 3, 4, 5, 1, 2}) == Tokens{3, 4, 5, 1});
  CHECK(proposed({9, 1, 2, 3, 7, 1, 2, 8, 9, 1, 2}) == Tokens{3, 7, 1, 2});  // three tokens alike
  CHECK(proposed({1, 2, 3, 1, 2, 4, 1, 2}) == Tokens{4, 1, 2, 4});
  CHECK(proposed({5, 5, 5}) == Tokens{5, 5, 5, 5});
  CHECK(proposed({1, 2, 1, 2, 1}) == Tokens{2, 1, 2, 1});
  CHECK(proposed({1, 2, 3, 4}).empty());
  CHECK(proposed({1, 2, 3, 1}).empty());  // one token alike is chance
  CHECK(proposed({}).empty());
  CHECK(proposed({1}).empty());
  CHECK(proposed({1, 2, 1, 2}, 0).empty());
}

TEST_CASE("draft: looks back far, and not for ever") {
  Tokens tokens(30000);
  for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<int32_t>(i);
  const auto ending = [&](size_t at) {
    Tokens with = tokens;
    with.push_back(static_cast<int32_t>(at));
    with.push_back(static_cast<int32_t>(at + 1));
    return proposed(with, 1);
  };
  CHECK(ending(20000) == Tokens{20002});
  CHECK(ending(5).empty());
}

TEST_CASE("draft: the more often guesses are right the more are made, up to none") {
  StepCost cost(kWork);
  DraftPolicy policy;
  StepShape shape;
  shape.add(1, 1, 100);
  policy.begin(cost, shape, 1);
  DraftRecord good(0.95f), fair(0.5f), bad(0.05f);
  CHECK(policy.most(cost, good, 100) == kMaxDraft);
  CHECK(policy.most(cost, fair, 100) >= 1);
  CHECK(policy.most(cost, fair, 100) < policy.most(cost, good, 100));
  CHECK(policy.most(cost, bad, 100) == 0);
  for (int i = 0; i < 100; ++i) good.count(4, 0);
  CHECK(good.hits() < 0.01f);
  for (int i = 0; i < 100; ++i) good.count(4, 4);
  CHECK(good.hits() > 0.99f);
}

TEST_CASE("draft: where rows cost as much as tokens are worth none are made") {
  StepCost cost(kWork);
  DraftPolicy policy;
  StepShape many;
  for (int i = 0; i < 200; ++i) many.add(1, 1, 100);
  policy.begin(cost, many, 200);
  CHECK(policy.most(cost, DraftRecord(0.9f), 100) == 0);
  CHECK_FALSE(policy.could_pay(cost, 100));

  // A machine on which a second row takes as long as the first finds that out.
  StepShape one;
  one.add(1, 1, 100);
  const double plain = cost.predict(one);
  int guesses = 0;
  for (int i = 0; i < 200; ++i) {
    policy.begin(cost, one, 1);
    const int count = policy.most(cost, DraftRecord(0.8f), 100);
    if (i >= 50) guesses += count;
    if (count > 0) policy.observe(plain * (1 + count), plain, count * cost.row(100, true));
  }
  CHECK(guesses == 0);
}

namespace {

// Steps and simulated seconds that `tokens` tokens take, of which each `wrong`th breaks the
// pattern.
struct Run {
  int steps = 0;
  double seconds = 0;
  SchedulerStats stats;
};

Run generate(bool drafts, int sequences, int wrong, double row_seconds) {
  SchedulerLimits limits{
      .max_rows = 128, .max_sequences = 16, .max_logit_rows = 48, .kv_blocks = 512};
  limits.work = kWork;
  limits.drafts = drafts;
  Bench b(limits);
  for (int i = 0; i < sequences; ++i) b.submit(20, 400);
  const auto token = [&](int position) {
    const uint32_t noise = static_cast<uint32_t>(position) * 2654435761u >> 8;
    return wrong > 0 && position % wrong == 0 ? static_cast<int32_t>(100 + noise % 10007)
                                              : 10 + position % 5;
  };
  Run run;
  std::vector<Outcome> outcomes;
  while (b.scheduler.plan(b.now, b.plan)) {
    outcomes.clear();
    for (const SampleRow& row : b.plan.samples)
      outcomes.push_back({token(row.position), false, {}});
    const double seconds = 0.04 + row_seconds * b.plan.rows();
    b.now += std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
    run.seconds += seconds;
    b.scheduler.commit(b.now, b.plan, outcomes);
    ++run.steps;
  }
  for (const Ended& e : b.ended) CHECK(e.timings.generated_tokens == 400);
  run.stats = b.scheduler.stats();
  return run;
}

}  // namespace

TEST_CASE("draft: a text that repeats itself takes a third of the steps") {
  const Run off = generate(false, 1, 0, 0.004), on = generate(true, 1, 0, 0.004);
  CHECK(off.steps == 400);
  CHECK(off.stats.drafted_tokens == 0);
  CHECK(on.steps <= off.steps / 3);
  CHECK(on.seconds < 0.6 * off.seconds);
  CHECK(on.stats.accepted_tokens > 250);
}

TEST_CASE("draft: never slower by more than 3 %, whatever the text and the machine") {
  for (const int sequences : {1, 4, 16})
    for (const int wrong : {0, 1, 2, 3, 7})
      for (const double row : {0.0001, 0.004, 0.02, 0.04}) {
        CAPTURE(sequences);
        CAPTURE(wrong);
        CAPTURE(row);
        const Run off = generate(false, sequences, wrong, row);
        const Run on = generate(true, sequences, wrong, row);
        CHECK(on.seconds <= 1.03 * off.seconds);
        CHECK(on.stats.accepted_tokens <= on.stats.drafted_tokens);
      }
}
