#include "core/base/process.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>

namespace aictl {
namespace {

// What the child reports through a pipe that a successful exec closes.
struct Failure {
  enum Stage : int { kSetup, kFolder, kExec } stage;
  int error;
};

// All the child needs, made before the fork: after it only async-signal-safe calls are allowed,
// because another thread may have held a lock.
struct Prepared {
  const char* program;
  const char* folder;  // nullptr: stay
  std::vector<char*> argv, environment;
  int null_fd, output_fd, error_fd, report_fd;
  int death_signal;
  pid_t parent;
};

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> all;
  for (const std::string& word : words) all.push_back(const_cast<char*>(word.c_str()));
  all.push_back(nullptr);
  return all;
}

[[noreturn]] void report(const Prepared& p, Failure::Stage stage) {
  const Failure failure{stage, errno};
  [[maybe_unused]] const ssize_t written = ::write(p.report_fd, &failure, sizeof failure);
  ::_exit(127);
}

// A program expects the signals of a fresh shell, whatever we block or ignore.
void reset_signals() {
  struct sigaction plain = {};
  plain.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &plain, nullptr);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Whatever is open here, also what our own parent left open by mistake, ends at exec.
void close_all_at_exec() {
  if (::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0) return;
  for (int fd = 3; fd < 65536; ++fd) ::fcntl(fd, F_SETFD, FD_CLOEXEC);  // a kernel before 5.11
}

[[noreturn]] void become(const Prepared& p) {
  ::setpgid(0, 0);
  // Asked first and checked second: a parent that ended in between is noticed either way.
  if (p.death_signal && ::prctl(PR_SET_PDEATHSIG, p.death_signal) != 0) report(p, Failure::kSetup);
  if (::getppid() != p.parent) ::_exit(127);
  reset_signals();
  if (::dup2(p.null_fd, 0) < 0 || ::dup2(p.output_fd, 1) < 0 || ::dup2(p.error_fd, 2) < 0)
    report(p, Failure::kSetup);
  if (p.folder && ::chdir(p.folder) != 0) report(p, Failure::kFolder);
  close_all_at_exec();
  ::execve(p.program, p.argv.data(), p.environment.data());
  report(p, Failure::kExec);
}

Result<std::array<Fd, 2>> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return errno_error("pipe", errno);
  // Ends below 3 would be overwritten when the child's own streams are set.
  for (int& end : ends) {
    if (end > 2) continue;
    const int higher = ::fcntl(end, F_DUPFD_CLOEXEC, 3);
    ::close(end);
    end = higher;
  }
  return std::array<Fd, 2>{Fd(ends[0]), Fd(ends[1])};
}

Error spawn_error(const ProcessOptions& options, const Failure& failure) {
  if (failure.stage == Failure::kFolder)
    return errno_error(fmt::format("folder {}", options.folder), failure.error);
  if (failure.stage == Failure::kSetup)
    return errno_error(fmt::format("preparing {}", options.program), failure.error);
  if (failure.error == EACCES)
    return {ErrorCode::kForbidden, fmt::format("{} may not be executed", options.program),
            "it needs execute permission, on a file system mounted without noexec"};
  if (failure.error == ENOEXEC)
    return {ErrorCode::kIo, fmt::format("{} is not a program", options.program),
            "a script starts with a line such as #!/bin/sh"};
  Error error = errno_error(options.program, failure.error);
  if (failure.error == ENOENT && ::access(options.program.c_str(), F_OK) == 0)
    error.hint = "the file is there, but the interpreter of its first line is not";
  return error;
}

}  // namespace

std::string ExitStatus::text() const {
  if (signal == 0) return fmt::format("exit status {}", code);
  return fmt::format("killed by signal {} ({})", signal, ::strsignal(signal));
}

ExitStatus ExitStatus::of_wait(int status) {
  if (WIFSIGNALED(status)) return {128 + WTERMSIG(status), WTERMSIG(status)};
  return {WEXITSTATUS(status), 0};
}

Result<Process> Process::spawn(const ProcessOptions& options) {
  auto output = make_pipe(), errors = make_pipe(), reports = make_pipe();
  if (!output) return std::move(output).error();
  if (!errors) return std::move(errors).error();
  if (!reports) return std::move(reports).error();
  Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!null) return errno_error("/dev/null", errno);
  const Prepared prepared{options.program.c_str(),
                          options.folder.empty() ? nullptr : options.folder.c_str(),
                          pointers(options.argv),
                          pointers(options.environment),
                          null.get(),
                          (*output)[1].get(),
                          (*errors)[1].get(),
                          (*reports)[1].get(),
                          options.death_signal,
                          ::getpid()};
  const pid_t pid = ::fork();
  if (pid < 0) return errno_error(fmt::format("starting {}", options.program), errno);
  if (pid == 0) become(prepared);
  ::setpgid(pid, pid);  // here and there: whoever is first, the group exists when we go on
  (*reports)[1] = Fd();
  Failure failure{};
  ssize_t got;
  do {
    got = ::read((*reports)[0].get(), &failure, sizeof failure);
  } while (got < 0 && errno == EINTR);
  if (got == static_cast<ssize_t>(sizeof failure)) {
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    return spawn_error(options, failure);
  }
  Process process;
  process.pid = pid;
  process.output = std::move((*output)[0]);
  process.errors = std::move((*errors)[0]);
  for (const Fd* fd : {&process.output, &process.errors})
    ::fcntl(fd->get(), F_SETFL, ::fcntl(fd->get(), F_GETFL) | O_NONBLOCK);
  return process;
}

std::string find_program(std::string_view name, std::string_view path, std::string_view folder) {
  namespace fs = std::filesystem;
  const auto runs = [](const fs::path& file) {
    std::error_code ignored;
    return fs::is_regular_file(file, ignored) && ::access(file.c_str(), X_OK) == 0;
  };
  if (name.find('/') != name.npos) {
    const fs::path file = fs::path(folder) / name;  // an absolute name stands alone
    return runs(file) ? fs::absolute(file).string() : "";
  }
  while (!name.empty() && !path.empty()) {
    const size_t colon = std::min(path.find(':'), path.size());
    const fs::path file = fs::path(colon == 0 ? "." : path.substr(0, colon)) / name;
    if (runs(file)) return fs::absolute(file).string();
    path.remove_prefix(std::min(colon + 1, path.size()));
  }
  return "";
}

void LineCutter::feed(std::string_view bytes, const OnLine& on_line) {
  while (!bytes.empty()) {
    const size_t end = bytes.find('\n');
    const size_t room = limit_ - partial_.size();
    if (std::min(end, bytes.size()) > room) {  // over the limit: a piece goes
      partial_ += bytes.substr(0, room);
      bytes.remove_prefix(room);
      on_line(partial_);
      partial_.clear();
      continue;
    }
    if (end == bytes.npos) {
      partial_ += bytes;
      return;
    }
    partial_ += bytes.substr(0, end);
    bytes.remove_prefix(end + 1);
    if (partial_.ends_with('\r')) partial_.pop_back();
    on_line(partial_);
    partial_.clear();
  }
}

void LineCutter::finish(const OnLine& on_line) {
  if (!partial_.empty()) on_line(partial_);
  partial_.clear();
}

}  // namespace aictl
