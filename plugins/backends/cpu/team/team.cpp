#include "plugins/backends/cpu/team/team.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <cstdio>

namespace aictl::cpu {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::nanoseconds kIdleSpin = 50us;    // after a job, for the next
constexpr std::chrono::nanoseconds kBarrierSpin = 2ms;  // inside a job, for the others
constexpr std::chrono::nanoseconds kCrowdedSpin = 1us;  // when somebody else could use the core
constexpr std::chrono::nanoseconds kLookInterval = 100ms;

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

}  // namespace

Team::Team(const Placement& placement)
    : size_(static_cast<int>(placement.cpus.size())), crowded_(placement.crowded) {
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

void Team::run_call() {
  if (size_ == 1) return call_(context_, 0);
  look_at_load();
  epoch_.fetch_add(1, std::memory_order_release);
  epoch_.notify_all();
  call_(context_, 0);
  barrier();
}

void Team::worker_loop(std::stop_token stop, int worker, int cpu) {
  char name[16];
  std::snprintf(name, sizeof name, "cpu-worker-%d", worker);
  pthread_setname_np(pthread_self(), name);
  bind_to(cpu);
  uint32_t seen = 0;
  while (true) {
    wait_change(epoch_, seen, kIdleSpin);
    seen = epoch_.load(std::memory_order_acquire);
    if (stop.stop_requested()) return;
    call_(context_, worker);
    barrier();
  }
}

void Team::barrier() {
  if (size_ == 1) return;
  const uint32_t phase = phase_.load(std::memory_order_relaxed);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == static_cast<uint32_t>(size_)) {
    arrived_.store(0, std::memory_order_relaxed);
    phase_.store(phase + 1, std::memory_order_release);
    phase_.notify_all();
    return;
  }
  wait_change(phase_, phase, kBarrierSpin);
}

void Team::wait_change(std::atomic<uint32_t>& word, uint32_t old, std::chrono::nanoseconds spin) {
  constexpr int kPausesPerLook = 64;  // a look at the clock costs as much as a pause or two
  if (!spin_.load(std::memory_order_relaxed)) spin = kCrowdedSpin;
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
