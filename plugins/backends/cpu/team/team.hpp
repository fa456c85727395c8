// A team of worker threads that run one function together. The thread that calls run() is worker 0.
// Waiting spins for a bounded time and then sleeps, so an idle team costs nothing.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#include "plugins/backends/cpu/team/placement.hpp"

namespace aictl::cpu {

class Team {
 public:
  /// Starts placement.cpus.size() - 1 threads, each bound to its CPU. No thread is made later.
  explicit Team(const Placement& placement);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  int size() const { return size_; }

  /// Calls job(worker) on every worker at once and returns when all have finished. One caller at a
  /// time, always the same thread while a step lasts.
  template <typename Job>
  void run(Job&& job) {
    call_ = [](void* context, int worker) { (*static_cast<Job*>(context))(worker); };
    context_ = &job;
    run_call();
  }

  /// Inside a job: waits until all workers have come here.
  void barrier();

 private:
  using Clock = std::chrono::steady_clock;

  void run_call();
  void worker_loop(std::stop_token stop, int worker, int cpu);
  void wait_change(std::atomic<uint32_t>& word, uint32_t old, std::chrono::nanoseconds spin);
  void look_at_load();

  const int size_;
  const bool crowded_;
  void (*call_)(void*, int) = nullptr;  // the job; written before epoch_ changes
  void* context_ = nullptr;
  std::atomic<bool> spin_{true};   // false while the machine has more runnable threads than cores
  Clock::time_point next_look_{};  // of worker 0 at the load
  alignas(64) std::atomic<uint32_t> epoch_{0};
  alignas(64) std::atomic<uint32_t> arrived_{0};
  alignas(64) std::atomic<uint32_t> phase_{0};  // changes when all have arrived
  std::vector<std::jthread> threads_;
};

/// The part of `count` things worker `worker` of `workers` takes: [begin, end).
struct Part {
  int64_t begin, end;
};
constexpr Part part_of(int64_t count, int worker, int workers) {
  return {count * worker / workers, count * (worker + 1) / workers};
}

}  // namespace aictl::cpu
