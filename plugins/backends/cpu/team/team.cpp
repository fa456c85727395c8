#include "plugins/backends/cpu/team/team.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "core/base/check.hpp"

namespace aictl::cpu {
namespace {

using namespace std::chrono_literals;

// How long to spin before sleeping.
constexpr std::chrono::nanoseconds kIdleSpin = 50us;   // without work
constexpr std::chrono::nanoseconds kFinishSpin = 2ms;  // for what others have in hand
constexpr std::chrono::nanoseconds kBusySpin = 50us;  // either, when other processes want our cores
constexpr std::chrono::nanoseconds kCrowdedSpin = 1us;  // when workers share cores with each other
constexpr std::chrono::nanoseconds kLookInterval = 100ms;
constexpr int kCrowdedGrain = 8;  // a worker that sleeps costs that many times more to wake

inline void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

void bind_to(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (cpu < CPU_SETSIZE) CPU_SET(cpu, &set);
  // Best effort: without it the thread runs where the system puts it.
  pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

// Threads that want a CPU now, from /proc/loadavg ("0.1 0.2 0.3 3/456 789"); 0 when unknown.
int runnable_threads() {
  const int fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  char text[128] = {};
  const ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  int running = 0;
  return n > 0 && std::sscanf(text, "%*f %*f %*f %d/", &running) == 1 ? running : 0;
}

constexpr uint64_t part_word(int64_t begin, int64_t end) {
  return static_cast<uint64_t>(end) << 32 | static_cast<uint64_t>(begin);
}

}  // namespace

Team::Team(const Placement& placement)
    : size_(static_cast<int>(placement.cpus.size())),
      crowded_(placement.crowded),
      parts_(std::make_unique<Part[]>(placement.cpus.size())) {
  spin_.store(!crowded_, std::memory_order_relaxed);
  for (int worker = 1; worker < size_; ++worker) {
    const int cpu = placement.cpus[static_cast<size_t>(worker)];
    threads_.emplace_back(
        [this, worker, cpu](std::stop_token stop) { worker_loop(stop, worker, cpu); });
  }
}

Team::~Team() {
  for (std::jthread& thread : threads_) thread.request_stop();
  epoch_.fetch_add(1, std::memory_order_release);
  epoch_.notify_all();
}

void Team::share_out(int64_t count, int64_t grain) {
  CHECK(count <= UINT32_MAX);
  look_at_load();
  if (!spin_.load(std::memory_order_relaxed)) grain *= kCrowdedGrain;
  if (count <= grain) return call_(context_, 0, 0, count);
  grain_.store(grain, std::memory_order_relaxed);
  unfinished_.store(static_cast<uint32_t>(count), std::memory_order_relaxed);
  for (int worker = 0; worker < size_; ++worker)
    parts_[static_cast<size_t>(worker)].left.store(
        part_word(count * worker / size_, count * (worker + 1) / size_), std::memory_order_release);
  epoch_.fetch_add(1, std::memory_order_release);
  epoch_.notify_all();
  work_off(0);
  while (const uint32_t left = unfinished_.load(std::memory_order_acquire))
    wait_while(unfinished_, left, kFinishSpin);
}

// Whoever claims something of a part has seen what share_out() wrote before it, and keeps it from
// going on until finish() is told: call_ and context_ are read after a claim only.
void Team::work_off(int worker) {
  int64_t begin = 0, end = 0;
  for (int i = 0; i < size_; ++i) {
    Part& part = parts_[static_cast<size_t>((worker + i) % size_)];
    while (claim(part, i == 0, begin, end)) {
      call_(context_, worker, begin, end);
      finish(static_cast<uint32_t>(end - begin));
      // Another process's turn on this core had better come now than in the middle of a claim,
      // which all would wait for.
      if (worker != 0 && !spin_.load(std::memory_order_relaxed)) sched_yield();
    }
  }
}

// Half of what is left, so that there are few claims and the last ones are small.
bool Team::claim(Part& part, bool front, int64_t& begin, int64_t& end) {
  uint64_t seen = part.left.load(std::memory_order_relaxed), rest;
  do {
    begin = static_cast<uint32_t>(seen);
    end = static_cast<int64_t>(seen >> 32);
    if (begin >= end) return false;
    const int64_t taken = std::min(
        end - begin, std::max((end - begin + 1) / 2, grain_.load(std::memory_order_relaxed)));
    if (front) {
      rest = part_word(begin + taken, end);
      end = begin + taken;
    } else {
      rest = part_word(begin, end - taken);
      begin = end - taken;
    }
  } while (!part.left.compare_exchange_weak(seen, rest, std::memory_order_acquire,
                                            std::memory_order_relaxed));
  return true;
}

void Team::finish(uint32_t things) {
  if (unfinished_.fetch_sub(things, std::memory_order_acq_rel) == things) unfinished_.notify_all();
}

void Team::worker_loop(std::stop_token stop, int worker, int cpu) {
  char name[16];
  std::snprintf(name, sizeof name, "cpu-worker-%d", worker);
  pthread_setname_np(pthread_self(), name);
  bind_to(cpu);
  uint32_t seen = 0;
  while (true) {
    wait_while(epoch_, seen, kIdleSpin);
    seen = epoch_.load(std::memory_order_acquire);
    if (stop.stop_requested()) return;
    work_off(worker);
  }
}

void Team::wait_while(std::atomic<uint32_t>& word, uint32_t old, std::chrono::nanoseconds spin) {
  constexpr int kPausesPerLook = 64;  // a look at the clock costs as much as a pause or two
  if (!spin_.load(std::memory_order_relaxed)) spin = crowded_ ? kCrowdedSpin : kBusySpin;
  for (int i = 0; i < kPausesPerLook; ++i) {
    if (word.load(std::memory_order_acquire) != old) return;
    pause();
  }
  const Clock::time_point end = Clock::now() + spin;
  while (Clock::now() < end) {
    for (int i = 0; i < kPausesPerLook; ++i) {
      if (word.load(std::memory_order_acquire) != old) return;
      pause();
    }
  }
  while (word.load(std::memory_order_acquire) == old) word.wait(old, std::memory_order_acquire);
}

void Team::look_at_load() {
  if (crowded_) return;
  const Clock::time_point now = Clock::now();
  if (now < next_look_) return;
  next_look_ = now + kLookInterval;
  static const int cores = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  spin_.store(runnable_threads() <= cores, std::memory_order_relaxed);
}

}  // namespace aictl::cpu
