// Progress: a bar on stderr for work that takes a while. On a terminal only, and only after a
// second.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/clock.hpp"
#include "core/cli/context.hpp"

namespace aictl::cli {

/// Used by one thread. Erases itself when it ends.
class Progress {
 public:
  /// `total` 0: unknown, a running count is shown. `unit_is_bytes` prints sizes, else plain
  /// numbers.
  Progress(Context& context, const Clock& clock, std::string label, uint64_t total,
           bool unit_is_bytes = false);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Tells how much is done; redraws at most ten times a second.
  void update(uint64_t done);

 private:
  std::string line() const;

  Context& context_;
  const Clock& clock_;
  std::string label_;
  uint64_t total_, done_ = 0;
  bool bytes_, shown_ = false;
  Time start_, next_draw_;
};

}  // namespace aictl::cli
