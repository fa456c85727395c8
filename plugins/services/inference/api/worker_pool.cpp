#include "plugins/services/inference/api/worker_pool.hpp"

#include <pthread.h>

namespace aictl::inference {

WorkerPool::WorkerPool(int threads, size_t waiting, const std::string& name) : tasks_(waiting) {
  for (int i = 0; i < threads; ++i) {
    threads_.emplace_back([this] {
      while (auto task = tasks_.receive()) (*task)();
    });
    const std::string thread_name = (name + "-" + std::to_string(i)).substr(0, 15);
    pthread_setname_np(threads_.back().native_handle(), thread_name.c_str());
  }
}

WorkerPool::~WorkerPool() { tasks_.close(); }

}  // namespace aictl::inference
