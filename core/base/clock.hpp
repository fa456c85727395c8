// Time comes in as a parameter: real code holds a Clock, tests hold a ManualClock they can tick.
#pragma once

#include <atomic>
#include <chrono>

namespace aictl {

using Time = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

class Clock {
 public:
  virtual ~Clock() = default;
  /// Monotonic time, for deadlines and durations. Callable from any thread.
  virtual Time now() const { return std::chrono::steady_clock::now(); }
  /// Seconds since the Unix epoch, for what people and files see. Callable from any thread.
  virtual int64_t unix_seconds() const {
    using namespace std::chrono;
    return duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
  }
};

/// A clock that stands still until a test moves it.
class ManualClock final : public Clock {
 public:
  Time now() const override { return Time(Duration(ticks_.load())); }
  int64_t unix_seconds() const override {
    return std::chrono::duration_cast<std::chrono::seconds>(Duration(ticks_.load())).count();
  }
  void advance(Duration by) { ticks_ += by.count(); }

 private:
  std::atomic<Duration::rep> ticks_{0};
};

}  // namespace aictl
