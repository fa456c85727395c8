#include "plugins/backends/cpu/measure.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>

#include "plugins/backends/cpu/team/arena.hpp"
#include "plugins/backends/cpu/team/team.hpp"

namespace aictl::cpu {
namespace {

constexpr size_t kReadBytes = size_t{512} << 20;  // of all workers: more than any cache
constexpr int kRuns = 16;
constexpr double kRunSeconds = 0.02;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double read_gbs(const Kernels& kernels, Team& team) {
  auto arena = Arena::make(kReadBytes);
  if (!arena) return 0;
  std::byte* data = arena->take(kReadBytes);
  const size_t each = kReadBytes / static_cast<size_t>(team.size()) / 1024 * 1024;
  std::atomic<uint64_t> sink{0};
  double best = 0;
  for (int run = 0; run <= kRuns; ++run) {
    const auto start = std::chrono::steady_clock::now();
    team.share(team.size(), 0, [&](int, int64_t part, int64_t) {
      std::byte* mine = data + static_cast<size_t>(part) * each;
      if (run == 0) {  // the first touch, by the worker that reads
        for (size_t i = 0; i < each; i += 64) mine[i] = static_cast<std::byte>(i >> 6);
      } else {
        sink.fetch_xor(kernels.read_stream(mine, each), std::memory_order_relaxed);
      }
    });
    const double bytes = static_cast<double>(each) * team.size();
    if (run > 0) best = std::max(best, bytes / seconds_since(start) / 1e9);
  }
  return best;
}

// Multiply-adds a second, counted as two operations, in units of 1e12.
template <typename Sink, typename Chains>
double tera_ops(Team& team, Chains chains) {
  double best = 0;
  int64_t rounds = 1000;
  for (int run = 0; run < kRuns;) {
    std::atomic<uint64_t> products{0};
    const auto start = std::chrono::steady_clock::now();
    team.share(team.size(), 0, [&](int, int64_t, int64_t) {
      alignas(64) Sink sink[4 * kLanes] = {};
      products.fetch_add(chains(rounds, sink), std::memory_order_relaxed);
    });
    const double seconds = seconds_since(start);
    if (seconds < kRunSeconds) {  // too short to tell
      rounds *= 2;
      continue;
    }
    best = std::max(best, 2.0 * static_cast<double>(products.load()) / seconds / 1e12);
    ++run;
  }
  return best;
}

}  // namespace

Ceilings measure_ceilings(const Kernels& kernels, const Placement& placement) {
  Team team(placement);
  return {read_gbs(kernels, team), tera_ops<int32_t>(team, kernels.int8_chains),
          tera_ops<float>(team, kernels.fma_chains)};
}

}  // namespace aictl::cpu
