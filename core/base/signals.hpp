// Signals as something one can ask and wait for, instead of code that runs in the middle of
// everything.
#pragma once

#include <chrono>
#include <csignal>
#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

namespace aictl {

/// While it lives, the given signals are counted instead of ending the process; afterwards they do
/// what they did before. One at a time in a process. The functions are callable from any thread.
class Signals {
 public:
  explicit Signals(std::initializer_list<int> which);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  /// How many came since the start.
  int count() const;
  /// Waits until one more than `seen` has come, or `limit` has passed; returns count().
  int wait(int seen, std::optional<std::chrono::milliseconds> limit = std::nullopt) const;

 private:
  std::vector<std::pair<int, struct sigaction>> before_;
};

}  // namespace aictl
