// Random traffic on a fake model against a naive oracle that runs every request alone. The fake
// writes tokens into its KV blocks and derives each choice from what it reads back through the
// block table, so a wrong position, table, copy or order changes the stream.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <tuple>

#include "fake_model.hpp"

using namespace aictl::inference;
using namespace aictl;

namespace {

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
  int fair() const { return fair_; }
  uint64_t accepted() const { return scheduler_.stats().accepted_tokens; }

 private:
  int random(int least, int most) { return std::uniform_int_distribution<int>(least, most)(rng_); }
  SchedulerLimits random_limits() {
    SchedulerLimits limits;
    limits.max_rows = random(0, 2) ? random(8, 160) : random(2, 8);
    limits.max_sequences =
        random(1, std::min(12, limits.max_rows - prefill_chunk(limits.max_rows)));
    limits.kv_blocks = random(2, 14);
    limits.max_context = random(40, 600);
    limits.drafts = random(0, 1) != 0;
    limits.draft_always = random(0, 3) != 0;
    limits.max_logit_rows = random(0, 60);
    if (random(0, 1)) {
      limits.work = {.weight_bytes = 1e6, .position_bytes = 100, .row_operations = 1e8};
      limits.token_latency = std::chrono::milliseconds(random(0, 3));
    }
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
    request.salt = {static_cast<uint64_t>(random(0, tenants_ - 1)), random(0, 9) ? 0u : 1u};
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
              .emplace(
                  ids[i],
                  Asked{
                      copy.prompt, {}, copy.max_tokens, static_cast<int>(i), copy.kind, submitted_})
              .second;
      REQUIRE(fresh);
    }
    ++submitted_;
  }

  void step() {
    const auto parkings = scheduler_.stats().parkings;
    const bool work = scheduler_.plan(now_, plan_);
    check_books();
    check_order();
    check_first();
    if (scheduler_.stats().parkings == parkings) check_fairness();
    check_turns();
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
  }

  using Account = std::pair<int, uint64_t>;  // class and tenant
  static Account account_of(const Sequence& s) {
    return {static_cast<int>(s.service()), s.salt.tenant};
  }

  // The naive order: of those that run, how many of the same request, then of the same account, go
  // before.
  void check_order() {
    const auto running = scheduler_.running();
    using Key = std::tuple<int, int, std::pair<Time, uint64_t>>;
    std::map<SequenceId, int> of_request;
    for (const SequenceId id : running)
      of_request[id] = static_cast<int>(std::ranges::count_if(running, [&](SequenceId other) {
        return live_.at(other).request == live_.at(id).request &&
               scheduler_.sequence(other).rank < scheduler_.sequence(id).rank;
      }));
    std::vector<Key> keys;
    for (const SequenceId id : running) {
      const Sequence& s = scheduler_.sequence(id);
      const auto level = std::ranges::count_if(running, [&](SequenceId other) {
        const Sequence& o = scheduler_.sequence(other);
        return account_of(o) == account_of(s) &&
               std::pair(of_request[other], o.rank) < std::pair(of_request[id], s.rank);
      });
      keys.emplace_back(-static_cast<int>(s.service()), static_cast<int>(level), s.rank);
    }
    if (scheduler_.stats().parkings == arranged_parkings_) REQUIRE(std::ranges::is_sorted(keys));
    arranged_parkings_ = scheduler_.stats().parkings;
    const auto waiting = scheduler_.waiting();
    for (size_t i = 1; i < waiting.size(); ++i) {
      const Sequence &a = scheduler_.sequence(waiting[i - 1]), &b = scheduler_.sequence(waiting[i]);
      REQUIRE(std::pair(-static_cast<int>(a.service()), a.rank) <
              std::pair(-static_cast<int>(b.service()), b.rank));
    }
  }

  // Why all end: the first by class and rank goes on running, unless one comes that is before it.
  void check_first() {
    const auto ahead = [&](SequenceId a, SequenceId b) {
      const Sequence &x = scheduler_.sequence(a), &y = scheduler_.sequence(b);
      return std::pair(-static_cast<int>(x.service()), x.rank) <
             std::pair(-static_cast<int>(y.service()), y.rank);
    };
    const auto running = scheduler_.running();
    if (first_ >= 0 && live_.contains(first_) && scheduler_.sequence(first_).rank == first_rank_ &&
        !scheduler_.sequence(first_).running())
      REQUIRE((scheduler_.sequence(first_).state == SequenceState::kFollowing ||
               ahead(running[0], first_)));
    first_ = running.empty() ? -1 : *std::ranges::min_element(running, ahead);
    if (first_ >= 0) first_rank_ = scheduler_.sequence(first_).rank;
    if (first_ >= 0 && scheduler_.sequence(first_).state == SequenceState::kDecode)
      REQUIRE(std::ranges::count(plan_.sequences, first_) == 1);
  }

  // Nobody waits while a place is free, nor while somebody holds two places more of the same class,
  // nor while a lower class runs, unless blocks are what is lacking.
  void check_fairness() {
    if (scheduler_.waiting().empty() || scheduler_.blocked() >= 0) return;
    const auto service = scheduler_.sequence(scheduler_.waiting()[0]).service();
    const int running = static_cast<int>(scheduler_.running().size());
    for (const SequenceId w :
         scheduler_.waiting()) {  // with blocks for each, places are what lacks
      const Sequence& s = scheduler_.sequence(w);
      if (s.service() == service && scheduler_.pool().free() < blocks_for(s.length()) + running)
        return;
    }
    ++fair_;
    std::map<Account, int> by_account;
    std::map<int, int> by_request;
    int places = 0;
    for (const auto& [id, asked] : live_) {
      const Sequence& s = scheduler_.sequence(id);
      const bool holds = s.running() || (s.state == SequenceState::kFollowing &&
                                         scheduler_.sequence(s.leader).running());
      places += holds;
      by_account[account_of(s)] += holds;
      by_request[asked.request] += holds;
    }
    REQUIRE(places == limits_.max_sequences);
    for (const SequenceId w : scheduler_.waiting()) {
      const Sequence& waits = scheduler_.sequence(w);
      if (waits.service() != service) break;
      for (const SequenceId r : scheduler_.running()) {
        const Sequence& runs = scheduler_.sequence(r);
        REQUIRE(runs.service() >= service);
        if (runs.service() != service) continue;
        if (account_of(runs) != account_of(waits))
          REQUIRE(by_account[account_of(runs)] <= by_account[account_of(waits)] + 1);
        else
          REQUIRE(by_request[live_.at(r).request] <= by_request[live_.at(w).request] + 1);
      }
    }
  }

  // Between two turns of an account's prompts no more rows of others' go than their credit and its
  // debt allow.
  void check_turns() {
    std::map<Account, int> rows;
    std::map<Account, int> prompts;
    for (const SequenceId id : scheduler_.running())
      if (scheduler_.sequence(id).state == SequenceState::kPrefill)
        ++prompts[account_of(scheduler_.sequence(id))];
    for (size_t i = 0; i < plan_.sequences.size(); ++i) {
      const Sequence& s = scheduler_.sequence(plan_.sequences[i]);
      if (s.state != SequenceState::kPrefill) continue;
      rows[account_of(s)] += plan_.views[i].n_rows;
    }
    std::map<Account, int> still;
    for (const auto& [account, count] : prompts) {
      if (rows.contains(account)) continue;
      int all = passed_[account];
      for (const auto& [other, given] : rows)
        if (other.first == account.first) all += given;
      still[account] = all;
      REQUIRE(all <= (tenants_ - 1) * (2 * Turns::kQuantum + Turns::kDebt + limits_.max_rows));
    }
    passed_ = std::move(still);
  }

  void check_plan() {
    REQUIRE(plan_.rows() <= limits_.max_rows);
    REQUIRE(static_cast<int>(plan_.logit_rows.size()) <=
            std::max(limits_.max_sequences, limits_.max_logit_rows));
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
    std::map<int, History> read;  // by logit row
    for (const SeqView& view : plan_.views)
      for (int i = 0; i < view.n_rows; ++i) {
        const int row = view.first_row + i;
        const auto wanted = std::lower_bound(plan_.logit_rows.begin(), plan_.logit_rows.end(), row);
        if (wanted == plan_.logit_rows.end() || *wanted != row) continue;
        History history;
        const int last = plan_.positions[static_cast<size_t>(row)];
        for (int p = 0; p <= last; ++p) history.add(kv_.slot(plan_, view, p));
        read[static_cast<int>(wanted - plan_.logit_rows.begin())] = history;
      }
    sample(read);
  }

  void sample(const std::map<int, History>& read) {
    outcomes_.clear();
    SequenceId wrong = -1;  // its draft went wrong: the rows behind mean nothing
    for (const SampleRow& s : plan_.samples) {
      if (s.sequence == wrong) {
        outcomes_.push_back({-5, random(0, 1) == 0, FinishReason::kStop});
        continue;
      }
      Asked& asked = live_.at(s.sequence);
      const History& history = read.at(s.row);
      REQUIRE(s.position == history.length);
      const int32_t token = choose(history, asked.choice);
      const bool ends = asked.kind == SequenceKind::kScore || is_stop(token);
      outcomes_.push_back({token, ends, FinishReason::kStop});
      wrong = ends || s.draft != token ? s.sequence : -1;
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
      History history;
      for (const int32_t token : asked.prompt) history.add(token);
      expected = {choose(history, 0)};
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
  int copies_ = 0, complete_ = 0, submitted_ = 0, fair_ = 0;
  const int tenants_ = random(1, 3);
  uint64_t arranged_parkings_ = 0;
  std::pair<Time, uint64_t> first_rank_;
  SequenceId first_ = -1;          // of those that ran after the last step, by class and rank
  std::map<Account, int> passed_;  // rows of prompts that went before an account's
};

}  // namespace

TEST_CASE("scheduler: under random traffic every request's stream is what it is alone") {
  uint64_t steps = 0, parkings = 0, copies = 0, complete = 0, reused = 0, fair = 0, accepted = 0;
  for (uint32_t seed = 1; steps < 200000; ++seed) {
    CAPTURE(seed);
    World world(seed);
    world.run(500);
    steps += world.steps();
    parkings += world.parkings();
    copies += static_cast<uint64_t>(world.copies());
    reused += world.reused();
    complete += static_cast<uint64_t>(world.complete());
    fair += static_cast<uint64_t>(world.fair());
    accepted += world.accepted();
  }
  MESSAGE(steps << " steps, " << complete << " complete streams, " << parkings << " parkings, "
                << copies << " copies on write, " << reused << " tokens reused, " << accepted
                << " drafted tokens right, " << fair << " steps with somebody waiting for a place");
  CHECK(parkings > 400);  // the traffic does what it is meant to
  CHECK(copies > 200);
  CHECK(complete > 5000);
  CHECK(reused > 8000);
  CHECK(accepted > 5000);
  CHECK(fair > 2000);
}
