// A team of worker threads that share out loops. The thread that calls share() is worker 0 and
// never waits for a worker that has nothing in hand: who is late, asleep or without a core finds
// its part done by the others.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
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

  /// Calls work(worker, begin, end) for ranges that cover [0, count) once, on several workers at
  /// once, and returns when all of them are done. Each worker begins with its own even part (the
  /// same one each time, so that it owns the memory it touched first) and then helps the others.
  /// `grain` things are worth handing over, about 5 us of work: no more than that, and the caller
  /// does it alone. One caller at a time; not from within `work`.
  template <typename Work>
  void share(int64_t count, int64_t grain, Work&& work) {
    if (size_ == 1 || count <= grain) {
      if (count > 0) work(0, int64_t{0}, count);
      return;
    }
    call_ = [](void* context, int worker, int64_t begin, int64_t end) {
      (*static_cast<std::remove_reference_t<Work>*>(context))(worker, begin, end);
    };
    context_ = &work;
    share_out(count, grain);
  }

 private:
  using Clock = std::chrono::steady_clock;

  /// What is left of a worker's part, [begin, end) as two halves of a word: its owner takes from
  /// the front, the others from the back. A word says all there is to know of a claim, so an old
  /// one that comes again is as good.
  struct alignas(64) Part {
    std::atomic<uint64_t> left{0};
  };

  void share_out(int64_t count, int64_t grain);
  void work_off(int worker);
  bool claim(Part& part, bool front, int64_t& begin, int64_t& end);
  void finish(uint32_t things);
  void worker_loop(std::stop_token stop, int worker, int cpu);
  void wait_while(std::atomic<uint32_t>& word, uint32_t old, std::chrono::nanoseconds spin);
  void look_at_load();

  const int size_;
  const bool crowded_;
  void (*call_)(void*, int, int64_t, int64_t) = nullptr;  // the work; written before the parts are
  void* context_ = nullptr;
  std::atomic<int64_t> grain_{1};
  std::atomic<bool> spin_{true};   // false while the machine has more runnable threads than cores
  Clock::time_point next_look_{};  // of worker 0 at the load
  std::unique_ptr<Part[]> parts_;
  alignas(64) std::atomic<uint32_t> epoch_{0};       // changes when there is work
  alignas(64) std::atomic<uint32_t> unfinished_{0};  // things of the present loop
  std::vector<std::jthread> threads_;
};

}  // namespace aictl::cpu
