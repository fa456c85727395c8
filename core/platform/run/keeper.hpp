// Keeper: two processes that watch over each other, so that whichever is killed, even with SIGKILL,
// the other ends everything that was started.
#pragma once

#include <functional>

#include "core/base/result.hpp"

namespace aictl::platform {

/// What the supervisor gets when the keeper is gone. Blocked there; to be read from a signalfd.
int keeper_gone_signal();

/// Runs `supervise` in a child and stays its keeper: signals that ask to end (SIGINT, SIGTERM,
/// SIGHUP) are handed on to it, processes that lost their parent become the keeper's or its, and
/// when it has ended, by itself or killed, the keeper kills every process below itself and reaps
/// it. Returns what `supervise` returned. `in_keeper` runs in the keeper after the fork. What
/// holds: after `kill -9` of either one nothing is left, also of what daemonised itself; after
/// `kill -9` of both at once their direct children get SIGKILL from the kernel, and the others are
/// found by their mark the next time. Call it while there is one thread. Errors: kIo; kInternal
/// when it was killed.
Result<int> keep(const std::function<int()>& supervise,
                 const std::function<void()>& in_keeper = {});

}  // namespace aictl::platform
