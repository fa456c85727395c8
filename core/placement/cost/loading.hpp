// Loading, section 7: what a replica waits for before it answers.
#pragma once

#include <string>

#include "core/placement/cost/fit.hpp"

namespace aictl::placement {

/// Where the weights come from; speeds in GB/s.
struct WeightSource {
  std::string name = "disk";  // "nvme0n1", "nfs4"
  double gbs = 1;             // of the disk or the network
  int node = -1;              // memory node of the disk; -1: unknown
  bool known = false;         // the weights are there; else it is the machine's likeliest disk
  bool in_memory = false;     // the page cache holds them now
  bool fits_memory = false;   // it could hold them: free memory is more than the weights
};

/// Seconds of one replica.
struct Loading {
  WeightSource source;
  double cold = 0;         // from the disk
  double warm = 0;         // from the page cache; 0: it has no room for the weights
  std::string_view limit;  // of a cold start: "disk", "PCIe", "engine"
  bool far = false;        // the disk is on another memory node than the replica

  double now() const { return source.in_memory ? warm : cold; }
};

/// `pcie_gbs`: of one GPU's link; 0: nothing is copied to a device.
Loading loading_of(const ModelShape& shape, const Cut& cut, Engine engine, double pcie_gbs,
                   WeightSource source);

}  // namespace aictl::placement
