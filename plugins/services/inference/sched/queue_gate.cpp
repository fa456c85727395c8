// A counter with a limit, and the mean time between two ends.
#include "plugins/services/inference/sched/queue_gate.hpp"

#include <algorithm>

namespace aictl::inference {

bool QueueGate::enter(int n) {
  int inside = inside_.load();
  do {
    if (inside + n > limit_) {
      refused_.fetch_add(n);
      return false;
    }
  } while (!inside_.compare_exchange_weak(inside, inside + n));
  return true;
}

void QueueGate::leave(int n, Time now) {
  constexpr double kDecay = 31.0 / 32;
  if (last_ != Time::max()) {
    elapsed_ = elapsed_ * kDecay + static_cast<double>((now - last_).count());
    ended_ = ended_ * kDecay + n;
    interval_.store(static_cast<Duration::rep>(elapsed_ / ended_));
  }
  const int left = inside_.fetch_sub(n) - n;
  last_ = left > 0 ? now : Time::max();  // idle time says nothing about the rate
  refused_.store(0);
}

Duration QueueGate::retry_after() const {
  const double wait = static_cast<double>(interval_.load()) * std::max(1, refused_.load());
  constexpr Duration kLeast = std::chrono::milliseconds(20), kMost = std::chrono::seconds(60);
  if (wait > static_cast<double>(kMost.count())) return kMost;
  return std::max(kLeast, Duration(static_cast<Duration::rep>(wait)));
}

}  // namespace aictl::inference
