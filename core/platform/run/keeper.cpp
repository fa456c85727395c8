#include "core/platform/run/keeper.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

#include <fmt/format.h>

#include "core/base/process.hpp"
#include "core/platform/run/state/processes.hpp"

namespace aictl::platform {
namespace {

constexpr int kGone = SIGUSR1;

sigset_t signals_of_keeper() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGCHLD, kGone}) sigaddset(&set, signal);
  return set;
}

[[noreturn]] void be_supervisor(pid_t keeper, const std::function<int()>& supervise) {
  // A group of its own: Ctrl-C reaches the keeper alone, which hands it on, once.
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, kGone);
  if (::getppid() != keeper) ::_exit(1);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  ::signal(SIGTTOU, SIG_IGN);  // a group in the background that may write to the terminal
  ::_exit(supervise());
}

// Hands signals on until the supervisor has ended.
ExitStatus wait_for(pid_t supervisor, const sigset_t& signals) {
  struct sigaction hangup = {};
  ::sigaction(SIGHUP, nullptr, &hangup);
  const bool stays_at_hangup = hangup.sa_handler == SIG_IGN;  // as nohup wants it
  while (true) {
    const int signal = ::sigwaitinfo(&signals, nullptr);
    if (signal == SIGINT || signal == SIGTERM || (signal == SIGHUP && !stays_at_hangup))
      ::kill(supervisor, signal);
    int status = 0;
    for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;)
      if (pid == supervisor) return ExitStatus::of_wait(status);
  }
}

}  // namespace

int keeper_gone_signal() { return kGone; }

Result<int> keep(const std::function<int()>& supervise, const std::function<void()>& in_keeper) {
  const sigset_t signals = signals_of_keeper();
  sigset_t before;
  ::pthread_sigmask(SIG_BLOCK, &signals, &before);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  const pid_t self = ::getpid();
  const pid_t supervisor = ::fork();
  if (supervisor < 0) {
    const int error = errno;
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return errno_error("starting the supervisor", error);
  }
  if (supervisor == 0) be_supervisor(self, supervise);
  if (in_keeper) in_keeper();
  const ExitStatus ended = wait_for(supervisor, signals);
  end_descendants();
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (ended.signal == 0) return ended.code;
  return Error{ErrorCode::kInternal,
               fmt::format("the supervisor was {}; all it had started was stopped", ended.text()),
               "start again: aictl up"};
}

}  // namespace aictl::platform
