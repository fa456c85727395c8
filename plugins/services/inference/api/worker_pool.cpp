#include "plugins/services/inference/api/worker_pool.hpp"

#include "core/telemetry/log.hpp"

#include <exception>

#include <pthread.h>

namespace aictl::inference {

WorkerPool::WorkerPool(int threads, size_t waiting, const std::string& name) : tasks_(waiting) {
  for (int i = 0; i < threads; ++i) {
    threads_.emplace_back([this] {
      while (auto task = tasks_.receive()) {
        try {
          (*task)();
        } catch (const std::exception& error) {  // its exchange goes with it, answered with 500
          log::error("a worker's task failed", {{"why", error.what()}});
        }
      }
    });
    const std::string thread_name = (name + "-" + std::to_string(i)).substr(0, 15);
    pthread_setname_np(threads_.back().native_handle(), thread_name.c_str());
  }
}

WorkerPool::~WorkerPool() { tasks_.close(); }

}  // namespace aictl::inference
