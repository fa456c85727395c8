#include "core/placement/cost/collective.hpp"

#include <algorithm>

namespace aictl::placement {
namespace {

constexpr double kRingStart = 6.6e-6, kOneShotStart = 4.5e-6;
constexpr double kNvlinkHop = 0.6e-6, kPcieHop = 1.0e-6;
// Through host memory. Section 7's worked example (25 us over 4 RTX 4090, 45 us over 8) gives this.
constexpr double kHostHop = 2.7e-6;
constexpr int kOneShotRanks = 8;
constexpr double kOneShotBytes = 512 << 10;
constexpr double kNvlinkShare = 0.8, kPcieShare = 0.85, kHostShare = 0.45;

}  // namespace

double all_reduce_seconds(double bytes, int ranks, const Fabric& fabric) {
  if (ranks <= 1) return 0;
  const double t = ranks;
  const double hop = fabric.nvlink ? kNvlinkHop : fabric.p2p ? kPcieHop : kHostHop;
  const double ring = kRingStart + 2 * (t - 1) * hop +
                      2 * (t - 1) / t * bytes / (std::max(fabric.ring_gbs, 0.1) * 1e9);
  if (!fabric.p2p || ranks > kOneShotRanks || bytes > kOneShotBytes) return ring;
  const double one_shot = kOneShotStart + (t - 1) * bytes / (std::max(fabric.pair_gbs, 0.1) * 1e9);
  return std::min(ring, one_shot);
}

std::string Fabric::worst_word() const {
  topology::Link link;
  link.level = worst;
  link.count = worst_count;
  return link.word();
}

double effective_gbs(double raw, bool nvlink, bool p2p) {
  return raw * (nvlink ? kNvlinkShare : p2p ? kPcieShare : kHostShare);
}

}  // namespace aictl::placement
