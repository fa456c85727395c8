#include "core/base/process.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <vector>

using namespace aictl;

namespace {

ProcessOptions shell(const std::string& script) {
  ProcessOptions options;
  options.program = "/bin/sh";
  options.argv = {"sh", "-c", script};
  options.environment = {"PATH=/usr/bin:/bin", "GREETING=hello"};
  return options;
}

std::string all_of(const Fd& fd) {
  ::fcntl(fd.get(), F_SETFL, 0);
  auto text = read_all(fd.get());
  return text ? *text : "<error>";
}

ExitStatus wait_for(const Process& process) {
  int status = 0;
  ::waitpid(process.pid, &status, 0);
  return ExitStatus::of_wait(status);
}

}  // namespace

TEST_CASE("process: what it writes comes through its pipes, its stdin is empty") {
  auto process = Process::spawn(shell("cat; echo $GREETING; echo oops >&2; exit 3"));
  REQUIRE(process.ok());
  CHECK(all_of(process->output) == "hello\n");
  CHECK(all_of(process->errors) == "oops\n");
  const ExitStatus status = wait_for(*process);
  CHECK(status.code == 3);
  CHECK(status.text() == "exit status 3");
}

TEST_CASE("process: it leads a group of its own, with no signal blocked or ignored") {
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t term, before;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &term, &before);
  auto process = Process::spawn(shell("grep -E 'Sig(Blk|Ign)' /proc/self/status; exec sleep 1000"));
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  REQUIRE(process.ok());
  CHECK(::getpgid(process->pid) == process->pid);
  char buffer[256 + 1];
  pollfd fd{process->output.get(), POLLIN, 0};
  REQUIRE(::poll(&fd, 1, 30'000) == 1);
  const ssize_t n = ::read(process->output.get(), buffer, sizeof buffer - 1);
  REQUIRE(n > 0);
  buffer[n] = '\0';
  unsigned long long blocked = 1, ignored = 1;
  REQUIRE(std::sscanf(buffer, "SigBlk: %llx SigIgn: %llx", &blocked, &ignored) == 2);
  // Signals 32 and 33 are the C library's own: who was started by posix_spawn, as by make, has them
  // ignored, and no program can change that.
  constexpr unsigned long long kOfTheLibrary = 3ULL << 31;
  CHECK(blocked == 0);
  CHECK((ignored & ~kOfTheLibrary) == 0);
  ::kill(-process->pid, SIGTERM);
  CHECK(wait_for(*process).text() == "killed by signal 15 (Terminated)");
  std::signal(SIGPIPE, SIG_DFL);
}

TEST_CASE("process: it gets none of our descriptors, also those that would survive an exec") {
  const Fd leaky(::open("/dev/null", O_RDONLY));
  const Fd higher(::fcntl(leaky.get(), F_DUPFD, 100));
  auto process = Process::spawn(shell("ls /proc/self/fd | tr '\\n' ' '"));
  REQUIRE(process.ok());
  CHECK(all_of(process->output) == "0 1 2 3 ");  // 3 is the folder that ls reads
  wait_for(*process);
}

TEST_CASE("process: what cannot be started is an error with the reason") {
  ProcessOptions absent = shell("");
  absent.program = "/nowhere/at/all";
  auto process = Process::spawn(absent);
  REQUIRE_FALSE(process.ok());
  CHECK(process.error().code == ErrorCode::kNotFound);
  CHECK(process.error().message == "/nowhere/at/all: No such file or directory");

  ProcessOptions homeless = shell("");
  homeless.folder = "/nowhere";
  process = Process::spawn(homeless);
  REQUIRE_FALSE(process.ok());
  CHECK(process.error().message == "folder /nowhere: No such file or directory");

  ProcessOptions plain = shell("");
  plain.program = "/etc/passwd";
  process = Process::spawn(plain);
  REQUIRE_FALSE(process.ok());
  CHECK(process.error().code == ErrorCode::kForbidden);
}

TEST_CASE("process: programs are found as a shell finds them, by absolute path") {
  CHECK(find_program("sh", "/nowhere:/bin:/usr/bin", "/") == "/bin/sh");
  CHECK(find_program("sh", "", "/").empty());
  CHECK(find_program("", "/bin", "/").empty());
  CHECK(find_program("/bin/sh", "", "/tmp") == "/bin/sh");
  CHECK(find_program("./sh", "", "/bin") == "/bin/./sh");
  CHECK(find_program("passwd-that-is-not", "/bin", "/").empty());
  CHECK(find_program("/etc/passwd", "", "/").empty());
}

TEST_CASE("process: output is cut into lines, long ones into pieces") {
  std::vector<std::string> lines;
  const auto keep = [&](std::string_view line) { lines.emplace_back(line); };
  LineCutter cutter(4);
  cutter.feed("ab\ncd\r\n", keep);
  cutter.feed("ef", keep);
  CHECK(lines == std::vector<std::string>{"ab", "cd"});
  cutter.feed("gh\n\nabcdefghij\n", keep);
  cutter.feed("end", keep);
  cutter.finish(keep);
  cutter.finish(keep);
  CHECK(lines == std::vector<std::string>{"ab", "cd", "efgh", "", "abcd", "efgh", "ij", "end"});
}
