// The supervisor with real processes: a line of shell each.
#include "core/platform/run/supervisor.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>

#include "core/http/server.hpp"
#include "core/platform/run/keeper.hpp"
#include "tests/unit/core/platform/run/scratch.hpp"

using namespace aictl;
using namespace aictl::platform;
using namespace std::chrono_literals;

namespace {

struct Run {
  explicit Run(std::vector<Launch> launches) {
    plan.platform = "p";
    plan.folder = "/";
    plan.launches = std::move(launches);
    options.restarts.first = 10ms;
    options.restarts.attempts = 3;
  }

  // Runs to the end; `on_event` may send signals to this process.
  Result<int> run(std::function<void(const Json&)> on_event = {}) {
    auto made = StateFolder::make(scratch.path / "p");
    REQUIRE(made.ok());
    const Clock clock;
    Supervisor supervisor(plan, *made, options,
                          {[&](size_t i, std::string_view line) {
                             lines.push_back(plan.launches[i].name + ": " + std::string(line));
                             if (lines.size() == stop_after) ::raise(SIGTERM);
                           },
                           [&](const Json& event) {
                             events.push_back(event);
                             if (on_event) on_event(event);
                           }},
                          clock);
    return supervisor.run();
  }

  // The names of the processes in the order of an event.
  std::vector<std::string> order(const std::string& what) const {
    std::vector<std::string> names;
    for (const Json& event : events)
      if (event["event"] == what) names.push_back(event["name"]);
    return names;
  }

  Scratch scratch;
  LocalPlan plan;
  SupervisorOptions options;
  size_t stop_after = 0;  // lines; 0: never
  std::vector<std::string> lines;
  std::vector<Json> events;
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("supervisor: starts in the order of needs, stops in reverse, reads every line") {
  Run run({shell("a", "echo one; exec sleep 1000"), shell("b", "echo two >&2; exec sleep 1000"),
           shell("c", "printf 'no end'; echo three >&2; exec sleep 1000")});
  run.stop_after = 3;
  run.plan.launches[1].needs = {0};
  run.plan.launches[2].needs = {1};
  auto status = run.run([&](const Json& event) {
    if (event["event"] == "ready") CHECK(read_journal(StateFolder(run.scratch.path / "p")).ok());
  });
  REQUIRE(status.ok());
  CHECK(*status == 0);
  CHECK(run.order("started") == Names{"a", "b", "c"});
  CHECK(run.order("exited") == Names{"c", "b", "a"});
  CHECK_FALSE(std::filesystem::exists(run.scratch.path / "p/journal.json"));
  std::sort(run.lines.begin(), run.lines.end());
  CHECK(run.lines == Names{"a: one", "b: two", "c: no end", "c: three"});
  auto log = read_file(run.scratch.path / "p/logs/a.log");
  REQUIRE(log.ok());
  CHECK(log->find("\none\naictl: killed by signal 15") != std::string::npos);
}

TEST_CASE("supervisor: the journal says what an event tells before it is told") {
  Run run({shell("a", "exec sleep 1000")});
  int healthy = 0;
  Names told;
  auto status = run.run([&](const Json& event) {
    const std::string what = event["event"];
    const auto journal = read_journal(StateFolder(run.scratch.path / "p"));
    if (!journal || journal->rows.size() != 1) return told.push_back(what + ": no journal");
    const JournalRow& row = journal->rows[0];
    told.push_back(what + ": " + row.status + (journal->stopping ? ", stopping" : ""));
    if (what == "started") CHECK(row.process.pid == event["pid"].get<pid_t>());
    if (what == "exited") CHECK(row.process.pid == 0);
    if (what == "exited") CHECK(row.ended == event["ended"].get<std::string>());
    if (what != "healthy") return;
    CHECK(row.restarts == healthy);
    // The first is killed; once the second is told of, all is stopped.
    if (++healthy == 1) ::kill(row.process.pid, SIGKILL);
    if (healthy == 2) ::raise(SIGTERM);
  });
  REQUIRE(status.ok());
  CHECK(*status == 0);
  CHECK(told == Names{"started: ready", "healthy: ready", "ready: ready", "exited: backoff",
                      "started: ready", "healthy: ready", "stopping: ready, stopping",
                      "exited: stopped, stopping", "stopped: no journal"});
}

TEST_CASE("supervisor: a process that is killed comes again") {
  Run run({shell("a", "exec sleep 1000")});
  int starts = 0;
  auto status = run.run([&](const Json& event) {
    if (event["event"] != "started") return;
    ++starts;
    ::kill(event["pid"].get<pid_t>(), starts == 1 ? SIGKILL : 0);
    if (starts == 2) ::kill(::getpid(), SIGINT);
  });
  REQUIRE(status.ok());
  CHECK(*status == 0);
  CHECK(starts == 2);
}

TEST_CASE(
    "supervisor: what does not come up is told with its last lines, and all else is stopped") {
  Run run({shell("good", "exec sleep 1000"), shell("bad", "echo no model here; exit 3")});
  run.plan.launches[1].startup = HealthCheck{"http://127.0.0.1:1", "/", 1, 1, 3};
  auto status = run.run();
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().code == ErrorCode::kUnavailable);
  CHECK(status.error().message == "'bad' does not come up: exit status 3 (3 starts)");
  CHECK(status.error().hint.find("it printed:\n  no model here\n") == 0);
  CHECK(run.order("exited") == Names{"bad", "bad", "bad", "good"});
}

TEST_CASE("supervisor: a program that cannot be executed is told at once") {
  Run run({shell("a", "")});
  run.plan.launches[0].program = "/nowhere";
  auto status = run.run();
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().message == "'a' does not come up: /nowhere: No such file or directory");
}

TEST_CASE("supervisor: one that does not listen to SIGTERM is killed after its time") {
  Run run({shell("a", "trap '' TERM; echo on; while :; do sleep 0.05; done")});
  run.plan.launches[0].shutdown_seconds = 1;
  run.stop_after = 1;
  auto status = run.run();
  REQUIRE(status.ok());
  CHECK(*status == 0);
  auto log = read_file(run.scratch.path / "p/logs/a.log");
  REQUIRE(log.ok());
  CHECK(log->find("killed by signal 9") != std::string::npos);
}

TEST_CASE("supervisor: a second signal kills at once") {
  Run run({shell("a", "trap '' TERM; echo on; while :; do sleep 0.05; done")});
  run.plan.launches[0].shutdown_seconds = 1000;
  run.stop_after = 1;
  auto status = run.run([](const Json& event) {
    if (event["event"] == "stopping" && event["at_once"] == false) ::raise(SIGTERM);
  });
  REQUIRE(status.ok());
  CHECK(*status == 0);
}

TEST_CASE("supervisor: what a process has started ends with it, also what left its group") {
  Run run({shell("a",
                 "sleep 1000 & setsid sh -c 'setsid sleep 1000 & sleep 1000' & "
                 "echo started; exec sleep 1000")});
  size_t marked = 0;
  const std::string folder = (run.scratch.path / "p").string();
  auto status = run.run([&](const Json& event) {
    if (event["event"] != "ready") return;
    wait_until([&] { return (marked = marked_processes(folder).size()) == 5; });
    ::kill(::getpid(), SIGTERM);
  });
  REQUIRE(status.ok());
  CHECK(marked == 5);
  CHECK(marked_processes(folder).empty());
}

TEST_CASE("supervisor: health is asked for until it is there; jobs end, and all is done") {
  sigset_t signals, before;  // not for the server's threads
  sigemptyset(&signals);
  sigaddset(&signals, SIGCHLD);
  ::pthread_sigmask(SIG_BLOCK, &signals, &before);
  http::ServerOptions options;
  options.addresses = {"127.0.0.1:0"};
  std::atomic<int> asked{0};
  auto server = http::Server::start(std::move(options), [&](http::Exchange exchange) {
    http::Response response;
    response.status = ++asked < 4 ? 503 : 200;
    exchange.respond(std::move(response));
  });
  REQUIRE(server.ok());
  Run run({shell("a", "exec sleep 1000"), shell("job", "echo done")});
  run.plan.launches[0].startup = HealthCheck{(*server)->url(), "/health", 1, 5, 3};
  run.plan.launches[1].restart = Restart::kOnFailure;
  run.plan.launches[1].needs = {0};
  auto status = run.run([](const Json& event) {
    if (event["event"] == "exited" && event["name"] == "job") ::raise(SIGTERM);
  });
  REQUIRE(status.ok());
  CHECK(*status == 0);
  CHECK(asked == 4);
  CHECK(run.lines == Names{"job: done"});
  CHECK(run.order("started") == Names{"a", "job"});
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST_CASE("supervisor: ten thousand lines come whole and in order") {
  Run run({shell("a", "i=0; while [ $i -lt 10000 ]; do echo line $i; i=$((i+1)); done")});
  run.plan.launches[0].restart = Restart::kNever;
  auto status = run.run();
  REQUIRE(status.ok());
  CHECK(*status == 0);
  REQUIRE(run.lines.size() == 10000);
  for (int i = 0; i < 10000; ++i)
    if (run.lines[static_cast<size_t>(i)] != "a: line " + std::to_string(i))
      FAIL(run.lines[static_cast<size_t>(i)]);
}
