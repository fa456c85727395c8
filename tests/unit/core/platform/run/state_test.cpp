// What is kept on disk, and how the next `up` repairs it.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "core/base/process.hpp"
#include "core/platform/run/state/journal.hpp"
#include "core/platform/run/state/rotating_log.hpp"
#include "tests/unit/core/platform/run/scratch.hpp"

using namespace aictl;
using namespace aictl::platform;
namespace fs = std::filesystem;

namespace {

// A process that stays, marked or not.
pid_t stay(const std::string& mark, const std::string& script = "exec sleep 1000") {
  ProcessOptions options;
  options.program = "/bin/sh";
  options.argv = {"sh", "-c", script};
  options.environment = {"PATH=/usr/bin:/bin"};
  if (!mark.empty()) options.environment.push_back("_AICTL_UP=" + mark);
  auto process = Process::spawn(options);
  REQUIRE(process.ok());
  return process->pid;
}

bool has_ended(pid_t pid) {
  const auto row = find_process(pid);
  return !row || row->zombie;
}

void end(pid_t pid) {
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
}

}  // namespace

TEST_CASE("processes: one is known by number and start") {
  const auto self = find_process(::getpid());
  REQUIRE(self);
  CHECK(self->parent == ::getppid());
  CHECK(is_running(self->id));
  CHECK_FALSE(is_running({self->id.pid, self->id.start + 1}));
  CHECK_FALSE(is_running({0, 0}));
  signal_process({self->id.pid, self->id.start + 1}, SIGKILL);  // not us
  CHECK(describe_process(::getpid()).find("(pid " + std::to_string(::getpid())) !=
        std::string::npos);
}

TEST_CASE("processes: marks find their own folder's, by name or all") {
  const pid_t a = stay(mark_of("a", "/s")), b = stay(mark_of("b", "/s")),
              other = stay(mark_of("a", "/x@/s"));
  const auto pids = [](std::string_view folder, std::string_view name) {
    std::vector<pid_t> all;
    for (const ProcessRow& row : marked_processes(folder, name)) all.push_back(row.id.pid);
    std::sort(all.begin(), all.end());
    return all;
  };
  std::vector<pid_t> both{a, b};
  std::sort(both.begin(), both.end());
  CHECK(pids("/s", "") == both);
  CHECK(pids("/s", "b") == std::vector<pid_t>{b});
  CHECK(pids("/x@/s", "") == std::vector<pid_t>{other});
  for (const pid_t pid : {a, b, other}) end(pid);
}

TEST_CASE("processes: ending them asks first") {
  Scratch scratch;
  const fs::path asked = scratch.path / "asked", ready = scratch.path / "ready";
  const pid_t polite = stay("", "trap 'echo > " + asked.string() + "; exit' TERM; echo > " +
                                    ready.string() + "; while :; do sleep 0.01; done");
  REQUIRE(wait_until([&] { return fs::exists(ready); }));
  const pid_t deaf = stay("", "trap '' TERM; exec sleep 1000");
  end_processes({find_process(polite)->id, find_process(deaf)->id},
                std::chrono::milliseconds(1000));
  CHECK(fs::exists(asked));
  CHECK(has_ended(polite));
  CHECK(has_ended(deaf));
  end(polite);
  end(deaf);
}

TEST_CASE("state folder: one holds the lock, another is told who does") {
  Scratch scratch;
  auto first = StateFolder::make(scratch.path / "deep/p");
  REQUIRE(first.ok());
  CHECK_FALSE(first->is_locked());
  REQUIRE(first->lock().ok());
  first->set_locker(find_process(::getpid())->id);
  auto second = StateFolder::make(scratch.path / "deep/p");
  REQUIRE(second.ok());
  CHECK(second->is_locked());
  auto refused = second->lock();
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::kConflict);
  CHECK(refused.error().message.find("(pid " + std::to_string(::getpid())) != std::string::npos);
  first = StateFolder(scratch.path);
  CHECK(second->lock().ok());
}

TEST_CASE("state folder: a file in its place is refused") {
  Scratch scratch;
  std::ofstream(scratch.path / "file") << "x";
  auto made = StateFolder::make(scratch.path / "file");
  REQUIRE_FALSE(made.ok());
  CHECK(made.error().code == ErrorCode::kInvalidArgument);
}

TEST_CASE(
    "journal: what is written is read again; anything else is refused or empty, never a crash") {
  Journal journal;
  journal.platform = "p";
  journal.boot = "b";
  journal.supervisor = {12, 34};
  journal.rows.resize(1);
  journal.rows[0].name = "chat";
  journal.rows[0].process = {56, 78};
  journal.rows[0].argv = {"aictl", "serve"};
  journal.rows[0].ports = {{"http", 8000}};
  journal.rows[0].restarts = 3;
  auto again = parse_journal(dump_json(journal_json(journal)));
  REQUIRE(again.ok());
  CHECK(journal_json(*again) == journal_json(journal));
  for (const char* bad : {"", "{", "[]", "{\"version\":2,\"workloads\":[]}", "{\"version\":1}",
                          "{\"version\":1,\"workloads\":{}}"})
    CHECK_FALSE(parse_journal(bad).ok());
  auto odd = parse_journal(
      "{\"version\":1,\"platform\":7,\"workloads\":[3,{\"name\":[],\"pid\":\"x\",\"argv\":[1],"
      "\"ports\":{\"a\":\"b\"}}]}");
  REQUIRE(odd.ok());
  CHECK(odd->rows.size() == 1);
}

TEST_CASE("repair: what a killed up left is stopped, strangers are left alone, files are removed") {
  Scratch scratch;
  auto folder = StateFolder::make(scratch.path / "p");
  REQUIRE(folder.ok());
  REQUIRE(folder->lock().ok());
  const std::string path = folder->path().string();
  const pid_t marked = stay(mark_of("a", path)), journaled = stay(""), reused = stay(""),
              stranger = stay(mark_of("a", "/elsewhere"));
  Journal journal;
  journal.boot = boot_id();
  journal.rows.resize(2);
  journal.rows[0].process = find_process(journaled)->id;
  journal.rows[1].process = {reused, 1};  // the number is somebody else's by now
  REQUIRE(write_journal(*folder, journal).ok());
  fs::create_directories(folder->path() / "scratch/a");
  fs::create_directories(folder->path() / "state/a");
  std::ofstream(folder->path() / "journal.json.AbCdEf") << "half";
  const auto stopped = repair(*folder);
  CHECK(stopped.size() == 2);
  CHECK(has_ended(marked));
  CHECK(has_ended(journaled));
  CHECK_FALSE(has_ended(reused));
  CHECK_FALSE(has_ended(stranger));
  CHECK_FALSE(fs::exists(folder->journal()));
  CHECK_FALSE(fs::exists(folder->path() / "journal.json.AbCdEf"));
  CHECK_FALSE(fs::exists(folder->path() / "scratch"));
  CHECK(fs::exists(folder->path() / "state/a"));
  for (const pid_t pid : {marked, journaled, reused, stranger}) end(pid);
}

TEST_CASE("repair: a journal of an earlier run of the machine names nobody") {
  Scratch scratch;
  auto folder = StateFolder::make(scratch.path / "p");
  REQUIRE(folder.ok());
  const pid_t stranger = stay("");
  Journal journal;
  journal.boot = "another";
  journal.rows.resize(1);
  journal.rows[0].process = find_process(stranger)->id;
  REQUIRE(write_journal(*folder, journal).ok());
  CHECK(repair(*folder).empty());
  CHECK_FALSE(has_ended(stranger));
  end(stranger);
}

TEST_CASE("log: full files are renamed, so many are kept, and read as one") {
  Scratch scratch;
  const fs::path path = scratch.path / "a.log";
  auto log = RotatingLog::open(path, 20, 2);
  REQUIRE(log.ok());
  for (int i = 0; i < 10; ++i) log->write("line " + std::to_string(i));  // 7 bytes each: two a file
  CHECK(fs::exists(scratch.path / "a.log.2"));
  CHECK_FALSE(fs::exists(scratch.path / "a.log.3"));
  const auto tail = [&](int64_t lines) {
    auto reader = LogReader::open(path);
    REQUIRE(reader.ok());
    return *reader->tail(lines);
  };
  CHECK(tail(-1) == "line 4\nline 5\nline 6\nline 7\nline 8\nline 9\n");
  CHECK(tail(3) == "line 7\nline 8\nline 9\n");
  CHECK(tail(2) == "line 8\nline 9\n");
  CHECK(tail(0).empty());
  CHECK(tail(1000) == tail(-1));
  auto again = RotatingLog::open(path, 20, 2);  // goes on where it stopped
  REQUIRE(again.ok());
  again->write("line 10");
  CHECK(tail(2) == "line 9\nline 10\n");
}

TEST_CASE("log: a reader goes on through rotations, without a line lost or twice") {
  Scratch scratch;
  const fs::path path = scratch.path / "a.log";
  auto log = RotatingLog::open(path, 40, 2);
  REQUIRE(log.ok());
  log->write("before");
  auto reader = LogReader::open(path);
  REQUIRE(reader.ok());
  std::string all = *reader->tail(-1);
  CHECK(reader->more().empty());
  for (int i = 0; i < 20; ++i) {
    log->write("line " + std::to_string(i));
    if (i % 3 == 0) all += reader->more();
  }
  all += reader->more();
  std::string wanted = "before\n";
  for (int i = 0; i < 20; ++i) wanted += "line " + std::to_string(i) + "\n";
  CHECK(all == wanted);
}
