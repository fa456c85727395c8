// Whoever is killed with SIGKILL, nothing that was started is left.
#include "core/platform/run/keeper.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "core/platform/run/supervisor.hpp"
#include "tests/unit/core/platform/run/scratch.hpp"

using namespace aictl;
using namespace aictl::platform;

namespace {

// A keeper as a child, its supervisor, and a workload with children of every kind: in its group,
// outside it, outside and with an empty environment.
struct Kept {
  Kept() {
    folder = *StateFolder::make(scratch.path / "p");
    plan.platform = "p";
    plan.folder = "/";
    plan.launches = {shell("a",
                           "sleep 1000 & setsid sleep 1000 & setsid env -i sleep 1234 & "
                           "wait")};
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const Fd reading(ends[0]);
    Fd telling(ends[1]);
    keeper = ::fork();
    if (keeper == 0) {
      const auto tell = [&](const Json& event) {
        if (event["event"] == "ready" && ::write(telling.get(), "!", 1) != 1) ::_exit(97);
      };
      auto kept = keep([&] {
        const Clock clock;
        SupervisorOptions options;
        options.locker = find_process(::getppid())->id;
        Supervisor supervisor(plan, *folder, options, {[](size_t, std::string_view) {}, tell},
                              clock);
        auto status = supervisor.run();
        return status ? *status : 99;
      });
      ::_exit(kept ? *kept : 98);
    }
    telling = Fd();
    char told = 0;
    REQUIRE(::read(reading.get(), &told, 1) == 1);  // nothing comes when all of them have ended
    // The supervisor, the shell, and the three that the shell starts after it is told of.
    REQUIRE(wait_until([this] { return below().size() == 5; }));
    supervisor = find_process(below().front().id.pid)->id.pid;
    REQUIRE(find_process(supervisor)->parent == keeper);
    everybody = below();
  }
  std::vector<ProcessRow> below() const { return descendants(keeper); }
  bool all_gone() const {
    return std::none_of(everybody.begin(), everybody.end(),
                        [](const ProcessRow& row) { return is_running(row.id); });
  }
  int wait() const {
    int status = 0;
    ::waitpid(keeper, &status, 0);
    return status;
  }

  Scratch scratch;
  std::optional<StateFolder> folder;
  LocalPlan plan;
  pid_t keeper = 0, supervisor = 0;
  std::vector<ProcessRow> everybody;
};

}  // namespace

TEST_CASE("keeper: SIGTERM stops everything, and the status is the supervisor's") {
  Kept kept;
  ::kill(kept.keeper, SIGTERM);
  CHECK(kept.wait() == 0);
  CHECK(kept.all_gone());
}

TEST_CASE("keeper: kill -9 of the keeper leaves nothing") {
  Kept kept;
  ::kill(kept.keeper, SIGKILL);
  kept.wait();
  CHECK(wait_until([&] { return kept.all_gone(); }));
}

TEST_CASE("keeper: kill -9 of the supervisor leaves nothing, and is told") {
  Kept kept;
  ::kill(kept.supervisor, SIGKILL);
  const int status = kept.wait();
  CHECK(WEXITSTATUS(status) == 98);
  CHECK(kept.all_gone());
}

TEST_CASE("keeper: kill -9 of both leaves what the next up finds and stops") {
  Kept kept;
  const auto direct_child_runs = [&] {
    const auto journal = read_journal(*kept.folder);
    return journal && !journal->rows.empty() && is_running(journal->rows[0].process);
  };
  REQUIRE(direct_child_runs());      // whoever was told that it is ready finds it in the journal
  ::kill(kept.supervisor, SIGSTOP);  // so that it cannot notice that the keeper has gone
  ::kill(kept.keeper, SIGKILL);
  ::kill(kept.supervisor, SIGKILL);
  kept.wait();
  // The kernel ends the direct children.
  CHECK(wait_until([&] { return !direct_child_runs(); }));
  repair(*kept.folder);
  CHECK(marked_processes(kept.folder->path().string()).empty());
  // What emptied its environment and left its group is beyond knowing: ended here.
  for (const ProcessRow& row : kept.everybody) signal_process(row.id, SIGKILL);
  CHECK(wait_until([&] { return kept.all_gone(); }));
}

TEST_CASE("keeper: an exit status comes through") {
  auto status = keep([] { return 7; });
  REQUIRE(status.ok());
  CHECK(*status == 7);
}
