// A few threads for what would hold up an event loop: parsing, rendering and tokenising long
// requests.
#pragma once

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "core/base/channel.hpp"

namespace aictl::inference {

class WorkerPool {
 public:
  /// At most `waiting` tasks may wait.
  WorkerPool(int threads, size_t waiting, const std::string& name);
  /// Finishes the tasks it has and joins.
  ~WorkerPool();

  /// Runs `task` on a thread of the pool; false when too many wait already. Callable from any
  /// thread.
  bool run(std::function<void()> task) { return tasks_.try_send(std::move(task)); }

 private:
  Channel<std::function<void()>> tasks_;
  std::vector<std::jthread> threads_;
};

}  // namespace aictl::inference
