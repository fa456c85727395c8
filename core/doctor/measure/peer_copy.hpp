// The copy test: the driver says that GPUs read each other's memory; only a copy shows that they
// do, at what speed, and that the bytes arrive (ACS and the IOMMU can slow, spoil or hang them).
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/topology/topology.hpp"

namespace aictl::doctor {

/// A copy from one GPU's memory to another's.
struct PeerCopy {
  topology::PciAddress from, to;
  double gbs = 0;      // of the best repetition
  bool wrong = false;  // other bytes arrived than were sent
  bool hung = false;   // it did not come back in time
};

/// Copies between every pair of GPUs whose driver allows it, in a child process, which is killed
/// when it takes longer than `deadline`. `library`: of the driver; empty: where drivers put it.
/// Errors: kNotFound without a driver; kUnavailable when it does not start or has no memory left.
Result<std::vector<PeerCopy>> copy_between_gpus(const std::string& library,
                                                std::chrono::milliseconds deadline);

/// Puts what was measured into the links, by PCI address.
void add_copies(const std::vector<PeerCopy>& copies, Topology& machine);

}  // namespace aictl::doctor
