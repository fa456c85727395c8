// What taking GPUs costs those who come later: how many well-joined pairs, fours and eights are
// left.
#pragma once

#include <array>
#include <unordered_map>

#include "core/placement/search/links.hpp"

namespace aictl::placement {

/// F of section 9: sum over k of w_k * (G_k(before) - G_k(after)), w = {2: 1, 4: 3, 8: 8}; G_k is
/// the number of disjoint groups of k whose worst link is at least the host's best for k. Exact
/// within a bound of steps, which machines of 16 GPUs do not reach; a lower bound past it.
class Fragmentation {
 public:
  /// `all`: the GPUs of the host that are fit.
  Fragmentation(const LinkTable& links, GpuMask all);

  double loss(GpuMask before, GpuMask after);
  /// G_k of `free`; k is 2, 4 or 8.
  int groups(int k, GpuMask free);

 private:
  struct Size {
    int k, weight;
    std::array<GpuMask, kMaxGpus> near = {};  // of each GPU: those joined well enough
    std::unordered_map<GpuMask, int> known;
  };
  int count(Size& size, GpuMask free, int& budget);
  /// The best G with one more group that has the lowest of `free` in it.
  int best_with(Size& size, GpuMask group, int wanted, GpuMask candidates, GpuMask free,
                int& budget);

  std::array<Size, 3> sizes_ = {Size{2, 1, {}, {}}, Size{4, 3, {}, {}}, Size{8, 8, {}, {}}};
};

}  // namespace aictl::placement
