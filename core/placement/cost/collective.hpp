// What ranks pay to agree: all-reduce over a group of GPUs.
#pragma once

#include <string>

#include "core/topology/topology.hpp"

namespace aictl::placement {

/// How a group is joined: effective GB/s in one direction.
struct Fabric {
  double ring_gbs = 0;  // the slowest edge of its best ring
  double pair_gbs = 0;  // the slowest pair
  bool nvlink = false;  // every pair is joined directly
  bool p2p = false;     // GPUs read each other's memory; else through the host's
  topology::Level worst = topology::Level::kSelf;
  int worst_count = 0;  // direct links of the worst pair, where it has any

  /// The worst pair's link: "NV2", "SYS".
  std::string worst_word() const;
};

/// Seconds to all-reduce `bytes` over `ranks`: the better of a ring and, where GPUs read each
/// other, one shot of small messages. Source: section 7, NCCL's low-latency constants.
double all_reduce_seconds(double bytes, int ranks, const Fabric& fabric);

/// Effective GB/s of a copy over a link of `raw` GB/s.
double effective_gbs(double raw, bool nvlink, bool p2p);

}  // namespace aictl::placement
