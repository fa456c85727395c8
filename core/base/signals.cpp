#include "core/base/signals.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "core/base/check.hpp"

namespace aictl {
namespace {

// What a handler may touch: a counter, and a pipe that wakes those who wait.
std::atomic<int> received{0};
std::atomic<bool> in_use{false};
int pipe_ends[2] = {-1, -1};

void on_signal(int) {
  const int saved_errno = errno;
  received.fetch_add(1);
  const char byte = 0;
  // A full pipe is fine: whoever waits is awake already.
  [[maybe_unused]] const ssize_t ignored = ::write(pipe_ends[1], &byte, 1);
  errno = saved_errno;
}

}  // namespace

Signals::Signals(std::initializer_list<int> which) {
  CHECK(!in_use.exchange(true));
  CHECK(::pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK) == 0);
  received = 0;
  struct sigaction action = {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  for (const int signal : which) {
    before_.emplace_back(signal, action);
    ::sigaction(signal, &action, &before_.back().second);
  }
}

Signals::~Signals() {
  for (const auto& [signal, action] : before_) ::sigaction(signal, &action, nullptr);
  ::close(pipe_ends[0]);
  ::close(pipe_ends[1]);
  in_use = false;
}

int Signals::count() const { return received.load(); }

int Signals::wait(int seen, std::optional<std::chrono::milliseconds> limit) const {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + limit.value_or(std::chrono::milliseconds(0));
  while (count() <= seen) {
    int left = -1;
    if (limit) {
      left = static_cast<int>(
          std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count());
      if (left <= 0) break;
    }
    pollfd poll_fd{pipe_ends[0], POLLIN, 0};
    ::poll(&poll_fd, 1, left);
    char drained[64];
    while (::read(pipe_ends[0], drained, sizeof drained) > 0) {
    }
  }
  return count();
}

}  // namespace aictl
