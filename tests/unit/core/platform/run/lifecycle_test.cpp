#include "core/platform/run/life/lifecycle.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace aictl;
using namespace aictl::platform;
using namespace std::chrono_literals;

namespace {

using Kind = Action::Kind;
using Actions = std::vector<Action>;

// Members by their needs alone: no probe, always restarted.
std::vector<MemberRules> rules(const std::vector<std::vector<size_t>>& needs) {
  std::vector<MemberRules> all;
  for (const auto& each : needs) {
    all.emplace_back();
    all.back().needs = each;
  }
  return all;
}

struct Run {
  explicit Run(std::vector<MemberRules> members, RestartPolicy policy = {})
      : life(std::move(members), policy) {}

  Actions due() { return life.due(clock.now()); }
  // Starts whatever is due to start, until nothing more is.
  std::vector<size_t> start_all() {
    std::vector<size_t> order;
    for (Actions actions = due(); !actions.empty(); actions = due())
      for (const Action& action : actions)
        if (action.kind == Kind::kStart) {
          order.push_back(action.member);
          life.started(action.member, clock.now());
        }
    return order;
  }
  void exited(size_t i, bool success = false) { life.exited(i, clock.now(), success); }
  // Moves the clock to what is next, which has to be `by` away.
  void next_is(Duration by) {
    REQUIRE(life.next());
    CHECK(*life.next() - clock.now() == by);
    clock.advance(by);
  }

  ManualClock clock;
  Lifecycle life;
};

}  // namespace

TEST_CASE("lifecycle: what is needed starts first, independent ones start together") {
  auto members = rules({{}, {}, {0, 1}, {2}});
  members[0].probed = true;
  Run run(members);
  CHECK(run.due() == Actions{{Kind::kStart, 0}, {Kind::kStart, 1}});
  run.life.started(0, run.clock.now());
  run.life.started(1, run.clock.now());
  CHECK(run.due().empty());  // 0 is not healthy yet
  CHECK(run.life.status(1) == Status::kReady);
  run.next_is(50ms);
  CHECK(run.due() == Actions{{Kind::kProbe, 0}});
  CHECK(run.due().empty());  // one question at a time
  run.life.probed(0, run.clock.now(), true);
  CHECK(run.start_all() == std::vector<size_t>{2, 3});
  CHECK(run.life.all_ready());
  CHECK_FALSE(run.life.next());
}

TEST_CASE("lifecycle: a member that ends is started again, later each time, up to a limit") {
  RestartPolicy policy;
  policy.first = 500ms;
  policy.most = 3s;
  policy.attempts = 100;
  Run run(rules({{}}), policy);
  run.start_all();
  for (const Duration wait :
       {Duration(500ms), Duration(1s), Duration(2s), Duration(3s), Duration(3s)}) {
    run.exited(0);
    CHECK(run.life.status(0) == Status::kBackoff);
    CHECK(run.due().empty());
    run.next_is(wait);
    CHECK(run.start_all() == std::vector<size_t>{0});
  }
  CHECK(run.life.restarts(0) == 5);
}

TEST_CASE("lifecycle: after a stable time the next end counts as the first again") {
  RestartPolicy policy;
  policy.stable = 60s;
  Run run(rules({{}}), policy);
  run.start_all();
  for (int i = 0; i < 3; ++i) {
    run.exited(0);
    run.clock.advance(10s);
    run.start_all();
  }
  run.clock.advance(59s);
  run.exited(0);
  CHECK(run.life.backoff(0) == 4s);
  run.clock.advance(4s);
  run.start_all();
  run.clock.advance(60s);
  run.exited(0);
  CHECK(run.life.backoff(0) == 500ms);
}

TEST_CASE("lifecycle: after so many ends in a row it gives up, and others go on") {
  RestartPolicy policy;
  policy.attempts = 3;
  Run run(rules({{}, {}}), policy);
  run.start_all();
  for (int i = 0; i < 2; ++i) {
    run.exited(0);
    CHECK(run.life.status(0) == Status::kBackoff);
    run.clock.advance(1min);
    run.start_all();
  }
  run.exited(0);
  CHECK(run.life.status(0) == Status::kFailed);
  CHECK_FALSE(run.life.next());
  CHECK(run.life.status(1) == Status::kReady);
  CHECK_FALSE(run.life.done());
}

TEST_CASE("lifecycle: one that says it cannot work is not tried again") {
  Run run(rules({{}}));
  run.start_all();
  run.life.exited(0, run.clock.now(), false, true);
  CHECK(run.life.status(0) == Status::kFailed);
  Run absent(rules({{}}));
  CHECK(absent.due() == Actions{{Kind::kStart, 0}});
  absent.life.start_failed(0, absent.clock.now());
  CHECK(absent.life.done());
}

TEST_CASE("lifecycle: the restart policy decides who comes again") {
  auto members = rules({{}, {}, {}});
  members[0].restart = Restart::kOnFailure;
  members[1].restart = Restart::kNever;
  members[0].finishes = members[1].finishes = true;
  members[2].needs = {0};
  Run run(members);
  CHECK(run.start_all() == std::vector<size_t>{0, 1});  // a job is ready for others when it is done
  run.exited(0, false);
  CHECK(run.life.status(0) == Status::kBackoff);
  run.clock.advance(500ms);
  CHECK(run.start_all() == std::vector<size_t>{0});
  run.exited(0, true);
  CHECK(run.life.status(0) == Status::kFinished);
  CHECK(run.start_all() == std::vector<size_t>{2});
  run.exited(1, false);
  CHECK(run.life.status(1) == Status::kFailed);
}

TEST_CASE("lifecycle: who needs something stops before it, with its own deadline") {
  auto members = rules({{}, {0}, {0}, {1}});
  members[3].shutdown = 5s;
  Run run(members);
  run.start_all();
  run.life.stop(run.clock.now());
  CHECK(run.due() == Actions{{Kind::kTerminate, 2}, {Kind::kTerminate, 3}});
  run.exited(2, true);
  CHECK(run.due().empty());
  run.next_is(5s);
  CHECK(run.due() == Actions{{Kind::kKill, 3}});
  CHECK(run.due().empty());
  run.exited(3);
  CHECK(run.due() == Actions{{Kind::kTerminate, 1}});
  run.exited(1);
  CHECK(run.due() == Actions{{Kind::kTerminate, 0}});
  CHECK_FALSE(run.life.done());
  run.exited(0);
  CHECK(run.life.done());
}

TEST_CASE("lifecycle: stopping at once kills all, whatever the order, once each") {
  Run run(rules({{}, {0}}));
  run.start_all();
  run.life.stop(run.clock.now());
  CHECK(run.due() == Actions{{Kind::kTerminate, 1}});
  run.life.stop_now(run.clock.now());
  CHECK(run.due() == Actions{{Kind::kKill, 0}, {Kind::kKill, 1}});
  CHECK(run.due().empty());
}

TEST_CASE("lifecycle: what waits or backs off when all stops never starts") {
  auto members = rules({{}, {0}, {}});
  members[0].probed = true;
  Run run(members);
  run.start_all();
  run.exited(2);
  run.life.stop(run.clock.now());
  CHECK(run.life.status(1) == Status::kStopped);
  CHECK(run.life.status(2) == Status::kStopped);
  CHECK(run.due() == Actions{{Kind::kTerminate, 0}});
  run.exited(0);
  run.clock.advance(1h);
  CHECK(run.due().empty());
  CHECK(run.life.done());
}

TEST_CASE("lifecycle: one that is not healthy in time is ended and comes again") {
  auto members = rules({{}});
  members[0].probed = true;
  members[0].startup = 2s;
  members[0].shutdown = 3s;
  Run run(members);
  run.start_all();
  int questions = 0;
  Actions actions;
  while (run.clock.now() < Time(2s)) {
    REQUIRE(run.life.next());
    run.clock.advance(*run.life.next() - run.clock.now());
    actions = run.due();
    if (actions != Actions{{Kind::kProbe, 0}}) break;
    ++questions;
    run.life.probed(0, run.clock.now(), false);
  }
  CHECK(questions > 5);
  CHECK(run.clock.now() == Time(2s));
  CHECK(actions == Actions{{Kind::kTerminate, 0}});
  run.next_is(3s);
  CHECK(run.due() == Actions{{Kind::kKill, 0}});
  run.exited(0);
  CHECK(run.life.status(0) == Status::kBackoff);
}

TEST_CASE("lifecycle: one that stops answering is ended after so many failures in a row") {
  auto members = rules({{}});
  members[0].probed = members[0].live = true;
  members[0].period = 10s;
  members[0].failures = 2;
  Run run(members);
  run.start_all();
  const auto ask = [&](Duration after, bool answer) {
    run.next_is(after);
    CHECK(run.due() == Actions{{Kind::kProbe, 0}});
    run.life.probed(0, run.clock.now(), answer);
  };
  ask(50ms, true);
  ask(10s, false);
  ask(10s, true);
  ask(10s, false);
  CHECK(run.due().empty());
  ask(10s, false);
  CHECK(run.due() == Actions{{Kind::kTerminate, 0}});
  CHECK(run.life.status(0) == Status::kUnhealthy);
  run.exited(0);
  CHECK(run.life.backoff(0) == 500ms);
}
