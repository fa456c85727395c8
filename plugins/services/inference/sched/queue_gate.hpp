// QueueGate: bounds what is inside an engine, and tells who is turned away when to come again.
#pragma once

#include <atomic>

#include "core/base/clock.hpp"

namespace aictl::inference {

/// Counts sequences inside, queued or running. enter() from any thread; leave() from one thread.
class QueueGate {
 public:
  explicit QueueGate(int limit) : limit_(limit) {}

  /// Lets `n` in if there is room for all of them.
  bool enter(int n);
  /// `n` ended at `now`; their ends are the measured rate of service.
  void leave(int n, Time now);
  /// Takes back an enter() whose request went no further.
  void undo(int n) { inside_.fetch_sub(n); }

  /// When somebody turned away should come again: each one since the last leave() is told a place
  /// of its own further down the line. Within 20 ms and 60 s; a second while nothing is measured.
  Duration retry_after() const;
  int inside() const { return inside_.load(); }
  int limit() const { return limit_; }

 private:
  const int limit_;
  std::atomic<int> inside_{0};
  std::atomic<int> refused_{0};  // since the last leave()
  std::atomic<Duration::rep> interval_{Duration(std::chrono::seconds(1)).count()};

  // The engine's thread only. Decaying sums, so that the mean follows the load.
  double elapsed_ = 0, ended_ = 0;
  Time last_ = Time::max();  // end before this one, if somebody was inside ever since
};

}  // namespace aictl::inference
