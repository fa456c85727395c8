#include "core/placement/search/fragmentation.hpp"

#include <algorithm>
#include <bit>
#include <set>

namespace aictl::placement {
namespace {

constexpr int kBudget = 200'000;

GpuMask above(int gpu) { return gpu >= 63 ? 0 : ~GpuMask{0} << (gpu + 1); }

// Whether `candidates` hold `wanted` GPUs that are all near each other.
bool has_clique(const std::array<GpuMask, kMaxGpus>& near, GpuMask candidates, int wanted,
                int& budget) {
  if (wanted == 0) return true;
  for (; std::popcount(candidates) >= wanted && budget-- > 0; candidates &= candidates - 1)
    if (has_clique(near,
                   candidates & near[size_t(std::countr_zero(candidates))] &
                       above(std::countr_zero(candidates)),
                   wanted - 1, budget))
      return true;
  return false;
}

}  // namespace

Fragmentation::Fragmentation(const LinkTable& links, GpuMask all) {
  const std::vector<int> gpus = gpus_of(all);
  std::set<int, std::greater<>> ranks;
  for (int a : gpus)
    for (int b : gpus)
      if (a < b) ranks.insert(links.at(a, b).rank);
  for (Size& size : sizes_)
    for (int rank : ranks) {
      for (int a : gpus) {
        size.near[size_t(a)] = 0;
        for (int b : gpus)
          if (a != b && links.at(a, b).rank >= rank) size.near[size_t(a)] |= GpuMask{1} << b;
      }
      int budget = kBudget;
      if (has_clique(size.near, all, size.k, budget)) break;
    }
}

int Fragmentation::best_with(Size& size, GpuMask group, int wanted, GpuMask candidates,
                             GpuMask free, int& budget) {
  if (wanted == 0) return 1 + count(size, free & ~group, budget);
  const int most = std::popcount(free) / size.k;
  int best = 0;
  for (; std::popcount(candidates) >= wanted && best < most && budget-- > 0;
       candidates &= candidates - 1) {
    const int gpu = std::countr_zero(candidates);
    best =
        std::max(best, best_with(size, group | GpuMask{1} << gpu, wanted - 1,
                                 candidates & size.near[size_t(gpu)] & above(gpu), free, budget));
  }
  return best;
}

int Fragmentation::count(Size& size, GpuMask free, int& budget) {
  const int most = std::popcount(free) / size.k;
  if (most == 0) return 0;
  if (const auto known = size.known.find(free); known != size.known.end()) return known->second;
  const int lowest = std::countr_zero(free);
  const GpuMask rest = free & (free - 1);
  int best = best_with(size, GpuMask{1} << lowest, size.k - 1, rest & size.near[size_t(lowest)],
                       free, budget);
  if (best < most) best = std::max(best, count(size, rest, budget));
  if (budget > 0) size.known.emplace(free, best);
  return best;
}

int Fragmentation::groups(int k, GpuMask free) {
  for (Size& size : sizes_)
    if (size.k == k) {
      int budget = kBudget;
      return count(size, free, budget);
    }
  return 0;
}

double Fragmentation::loss(GpuMask before, GpuMask after) {
  double sum = 0;
  for (Size& size : sizes_) sum += size.weight * (groups(size.k, before) - groups(size.k, after));
  return sum;
}

}  // namespace aictl::placement
