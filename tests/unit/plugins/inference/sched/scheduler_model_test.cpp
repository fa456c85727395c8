// Random traffic on a fake model against a naive oracle that runs every request alone. The fake
// writes tokens into its KV blocks and derives each choice from what it reads back through the
// block table, so a wrong position, table, copy or order changes the stream.
#include <doctest/doctest.h>

#include <map>
#include <random>

#include "plugins/services/inference/sched/scheduler.hpp"

using namespace aictl::inference;
using namespace aictl;

namespace {

constexpr int kVocab = 211;

uint64_t mix(uint64_t h, uint64_t v) {
  h = (h ^ v) * 0x9E3779B97F4A7C15u;
  return h ^ h >> 29;
}

// The choice after `history`, keyed by the position and the choice's number only.
int32_t choose(uint64_t history, int position, int choice) {
  return static_cast<int32_t>(
             mix(mix(history, static_cast<uint64_t>(position)), static_cast<uint64_t>(choice)) >>
             8) %
         kVocab;
}
bool is_stop(int32_t token) { return std::abs(token) % 211 == 5; }

// Tokens in KV blocks.
class FakeKv {
 public:
  explicit FakeKv(int blocks) : slots_(static_cast<size_t>(blocks) * kKvBlockTokens, -1) {}
  int32_t& slot(const StepPlan& plan, const SeqView& view, int position) {
    const auto entry = static_cast<size_t>(view.table + position / kKvBlockTokens);
    return slots_[static_cast<size_t>(plan.block_tables.at(entry)) * kKvBlockTokens +
                  static_cast<size_t>(position % kKvBlockTokens)];
  }
  void copy(const BlockCopy& c) {
    for (int i = 0; i < kKvBlockTokens; ++i)  // what is not copied is poison
      slots_[static_cast<size_t>(c.to * kKvBlockTokens + i)] =
          i < c.tokens ? slots_[static_cast<size_t>(c.from * kKvBlockTokens + i)] : -7;
  }

 private:
  std::vector<int32_t> slots_;
};

struct Asked {
  std::vector<int32_t> prompt, out;
  int max_tokens, choice;
  SequenceKind kind;
  int hidden_rows = 0;
  bool ended = false;
  FinishReason reason{};
};

std::vector<int32_t> alone(const Asked& asked, FinishReason& reason) {
  std::vector<int32_t> out;
  uint64_t history = 1;
  for (const int32_t token : asked.prompt) history = mix(history, static_cast<uint64_t>(token));
  int position = static_cast<int>(asked.prompt.size());
  for (;;) {
    const int32_t token = choose(history, position++, asked.choice);
    if (is_stop(token)) return reason = FinishReason::kStop, out;
    out.push_back(token);
    if (static_cast<int>(out.size()) == asked.max_tokens)
      return reason = FinishReason::kLength, out;
    history = mix(history, static_cast<uint64_t>(token));
  }
}

class World {
 public:
  explicit World(uint32_t seed)
      : rng_(seed),
        limits_(random_limits()),
        kv_(limits_.kv_blocks),
        scheduler_(limits_, [this](const Ended& ended) { on_end(ended); }) {}

  /// Runs `steps` steps of traffic, then until nothing is left.
  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      traffic();
      step();
    }
    for (int i = 0; !scheduler_.idle(); ++i) {
      REQUIRE(i < 200000);
      step();
    }
    CHECK(scheduler_.pool().used() == 0);
    CHECK(live_.empty());
  }
  uint64_t steps() const { return steps_; }
  uint64_t parkings() const { return scheduler_.stats().parkings; }
  uint64_t reused() const { return scheduler_.stats().reused_tokens; }
  int copies() const { return copies_; }
  int complete() const { return complete_; }

 private:
  int random(int least, int most) { return std::uniform_int_distribution<int>(least, most)(rng_); }
  SchedulerLimits random_limits() {
    SchedulerLimits limits;
    limits.max_rows = random(0, 2) ? random(8, 160) : random(2, 8);
    limits.max_sequences =
        random(1, std::min(12, limits.max_rows - prefill_chunk(limits.max_rows)));
    limits.kv_blocks = random(2, 14);
    limits.max_context = random(40, 600);
    limits.aging = std::chrono::milliseconds(random(1, 300));
    return limits;
  }

  void traffic() {
    now_ += std::chrono::milliseconds(random(0, 3));
    if (live_.size() < 30 && random(0, 3) == 0) submit();
    if (!live_.empty() && random(0, 40) == 0) {
      auto victim = live_.begin();
      std::advance(victim, random(0, static_cast<int>(live_.size()) - 1));
      scheduler_.end(victim->first, now_, FinishReason::kCancelled);
    }
  }

  void submit() {
    SequenceRequest request;
    const int kind = random(0, 12);
    request.kind = kind == 0   ? SequenceKind::kEmbed
                   : kind == 1 ? SequenceKind::kScore
                               : SequenceKind::kGenerate;
    // Some begin like another one, and go on like it for a while.
    const int alike = random(0, 3) ? -1 : random(0, 1);
    const int length = random(0, 4) && alike < 0 ? random(1, 40) : random(1, 200);
    const int until = alike < 0 ? 0 : random(length / 2, length);
    for (int i = 0; i < length; ++i)
      request.prompt.push_back(i < until ? (alike * 31 + i) % kVocab : random(0, kVocab - 1));
    request.salt.salt = random(0, 9) ? 0 : 1;
    request.reuse = random(0, 9) != 0;
    if (request.kind == SequenceKind::kGenerate) {
      request.max_tokens = random(1, 250);
      request.n = random(0, 3) ? 1 : random(0, 19) ? random(1, 4) : random(5, 20);
    }
    request.priority = random(0, 3) ? 0 : random(-2, 2);
    request.arrival = now_;
    if (random(0, 15) == 0) request.deadline = now_ + std::chrono::milliseconds(random(0, 200));
    if (!Scheduler::can_fit(limits_, length, request.max_tokens, request.n)) return;
    std::vector<SequenceId> ids;
    const SequenceRequest copy = request;
    scheduler_.submit(std::move(request), ids);
    for (size_t i = 0; i < ids.size(); ++i) {
      const bool fresh =
          live_
              .emplace(ids[i],
                       Asked{copy.prompt, {}, copy.max_tokens, static_cast<int>(i), copy.kind})
              .second;
      REQUIRE(fresh);
    }
  }

  void step() {
    const bool work = scheduler_.plan(now_, plan_);
    check_books();
    if (!work) return;
    ++steps_;
    check_plan();
    execute();
    now_ += std::chrono::milliseconds(1);
    scheduler_.commit(now_, plan_, outcomes_);
    check_books();
  }

  void check_books() {
    std::vector<std::span<const int32_t>> tables;
    int live = 0;
    for (SequenceId id = 0; id < scheduler_.slots(); ++id) {
      const Sequence& s = scheduler_.sequence(id);
      live += s.state != SequenceState::kFree;
      if (!s.running()) REQUIRE(s.table.size() == 0);
      REQUIRE(s.table.size() >= blocks_for(s.computed));
      tables.push_back(s.table.blocks());
    }
    REQUIRE(live == static_cast<int>(live_.size()));
    const std::string wrong = scheduler_.pool().check(tables);
    REQUIRE_MESSAGE(wrong.empty(), wrong);
    const std::string lost = scheduler_.prefixes().check();
    REQUIRE_MESSAGE(lost.empty(), lost);
    REQUIRE(static_cast<int>(scheduler_.running().size()) <= limits_.max_sequences);
    for (const auto list : {scheduler_.running(), scheduler_.waiting()})
      for (size_t i = 1; i < list.size(); ++i)
        REQUIRE(scheduler_.sequence(list[i - 1]).rank < scheduler_.sequence(list[i]).rank);
  }

  void check_plan() {
    REQUIRE(plan_.rows() <= limits_.max_rows);
    REQUIRE(static_cast<int>(plan_.logit_rows.size()) <= limits_.max_sequences);
    // The bound on starvation: whoever ranks first is computed in every step.
    const auto running = scheduler_.running(), waiting = scheduler_.waiting();
    REQUIRE_FALSE(running.empty());
    if (!waiting.empty())
      REQUIRE(scheduler_.sequence(running[0]).rank < scheduler_.sequence(waiting[0]).rank);
    REQUIRE(std::find(plan_.sequences.begin(), plan_.sequences.end(), running[0]) !=
            plan_.sequences.end());
    int row = 0;
    for (size_t i = 0; i < plan_.views.size(); ++i) {
      const SeqView& view = plan_.views[i];
      const Sequence& s = scheduler_.sequence(plan_.sequences[i]);
      REQUIRE(view.first_row == row);
      REQUIRE(view.n_rows >= 1);
      REQUIRE(view.kv_len == s.computed + view.n_rows);
      if (view.kv_len < s.length()) REQUIRE(view.n_rows % prefill_chunk(limits_.max_rows) == 0);
      for (int p = s.computed; p < view.kv_len; ++p)
        REQUIRE_FALSE(s.table.is_shared(scheduler_.pool(), p));
      row += view.n_rows;
    }
    REQUIRE(row == plan_.rows());
  }

  void execute() {
    for (const BlockCopy& c : plan_.copies) kv_.copy(c);
    copies_ += static_cast<int>(plan_.copies.size());
    for (const SeqView& view : plan_.views)
      for (int i = 0; i < view.n_rows; ++i) {
        const auto row = static_cast<size_t>(view.first_row + i);
        kv_.slot(plan_, view, plan_.positions[row]) = plan_.tokens[row];
      }
    std::map<int, std::pair<uint64_t, int>> read;  // logit row -> history and length
    for (const SeqView& view : plan_.views)
      for (int i = 0; i < view.n_rows; ++i) {
        const int row = view.first_row + i;
        const auto wanted = std::lower_bound(plan_.logit_rows.begin(), plan_.logit_rows.end(), row);
        if (wanted == plan_.logit_rows.end() || *wanted != row) continue;
        uint64_t history = 1;
        const int last = plan_.positions[static_cast<size_t>(row)];
        for (int p = 0; p <= last; ++p)
          history = mix(history, static_cast<uint64_t>(kv_.slot(plan_, view, p)));
        read[static_cast<int>(wanted - plan_.logit_rows.begin())] = {history, last + 1};
      }
    sample(read);
  }

  void sample(const std::map<int, std::pair<uint64_t, int>>& read) {
    outcomes_.clear();
    for (const SampleRow& s : plan_.samples) {
      Asked& asked = live_.at(s.sequence);
      const auto [history, position] = read.at(s.row);
      const int32_t token = choose(history, position, asked.choice);
      const bool ends = asked.kind == SequenceKind::kScore || is_stop(token);
      outcomes_.push_back({token, ends, FinishReason::kStop});
      if (!ends || asked.kind == SequenceKind::kScore) asked.out.push_back(token);
    }
    for (const HiddenRows& h : plan_.hidden) live_.at(h.sequence).hidden_rows += h.rows;
  }

  void on_end(const Ended& ended) {
    const Asked asked = live_.at(ended.id);
    live_.erase(ended.id);
    if (asked.kind == SequenceKind::kEmbed) {
      if (ended.reason == FinishReason::kStop)
        REQUIRE(asked.hidden_rows >= static_cast<int>(asked.prompt.size()));
      return;
    }
    FinishReason reason;
    auto expected = alone(asked, reason);
    if (asked.kind == SequenceKind::kScore) {
      uint64_t history = 1;
      for (const int32_t token : asked.prompt) history = mix(history, static_cast<uint64_t>(token));
      expected = {choose(history, static_cast<int>(asked.prompt.size()), 0)};
      reason = FinishReason::kStop;
    }
    if (ended.reason == FinishReason::kCancelled || ended.reason == FinishReason::kDeadline) {
      REQUIRE(asked.out.size() <= expected.size());
      expected.resize(asked.out.size());
    } else {
      REQUIRE(ended.reason == reason);
      ++complete_;
      if (asked.kind == SequenceKind::kGenerate)
        REQUIRE(ended.timings.generated_tokens == static_cast<int>(expected.size()));
    }
    REQUIRE(asked.out == expected);
  }

  std::mt19937 rng_;
  SchedulerLimits limits_;
  FakeKv kv_;
  Scheduler scheduler_;
  StepPlan plan_;
  std::vector<Outcome> outcomes_;
  std::map<SequenceId, Asked> live_;
  Time now_{};
  uint64_t steps_ = 0;
  int copies_ = 0, complete_ = 0;
};

}  // namespace

TEST_CASE("scheduler: under random traffic every request's stream is what it is alone") {
  uint64_t steps = 0, parkings = 0, copies = 0, complete = 0, reused = 0;
  for (uint32_t seed = 1; steps < 200000; ++seed) {
    CAPTURE(seed);
    World world(seed);
    world.run(500);
    steps += world.steps();
    parkings += world.parkings();
    copies += static_cast<uint64_t>(world.copies());
    reused += world.reused();
    complete += static_cast<uint64_t>(world.complete());
  }
  MESSAGE(steps << " steps, " << complete << " complete streams, " << parkings << " parkings, "
                << copies << " copies on write, " << reused << " tokens reused");
  CHECK(parkings > 400);  // the traffic does what it is meant to
  CHECK(copies > 500);
  CHECK(complete > 5000);
  CHECK(reused > 8000);
}
