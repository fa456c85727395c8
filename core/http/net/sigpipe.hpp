// Libraries that write without MSG_NOSIGNAL: a peer that closes must be an error, not a signal.
#pragma once

#include <pthread.h>
#include <signal.h>

namespace aictl::http {

/// While it lives, this thread gets no SIGPIPE; one that came meanwhile is dropped at the end.
class SigpipeBlock {
 public:
  SigpipeBlock() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~SigpipeBlock() {
    const timespec no_wait{};
    if (!was_pending_)
      while (sigtimedwait(&pipe_, nullptr, &no_wait) > 0) {
      }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  SigpipeBlock(const SigpipeBlock&) = delete;
  SigpipeBlock& operator=(const SigpipeBlock&) = delete;

 private:
  sigset_t pipe_{};
  sigset_t before_{};
  bool was_pending_ = false;
};

}  // namespace aictl::http
