// Prober: asks processes for their health, off the supervisor's thread, which must not wait.
#pragma once

#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

#include "core/base/channel.hpp"
#include "core/base/file.hpp"
#include "core/platform/run/local/launch.hpp"

namespace aictl::platform {

class Prober {
 public:
  struct Question {
    size_t member = 0;
    int run = 0;  // the how many-eth start of it is asked; comes back with the answer
    HealthCheck check;
  };
  struct Answer {
    size_t member = 0;
    int run = 0;
    bool healthy = false;
  };

  /// `threads` questions are asked at the same time.
  explicit Prober(size_t threads);
  ~Prober();
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;

  /// Asks: an HTTP GET, healthy when the status is 200 to 399.
  void ask(Question question);
  /// Readable when there are answers.
  int fd() const { return wake_.get(); }
  std::vector<Answer> answers();

 private:
  void work();

  Channel<Question> questions_;
  Fd wake_;
  std::mutex mutex_;  // guards answers_
  std::vector<Answer> answers_;
  std::vector<std::jthread> threads_;
};

}  // namespace aictl::platform
