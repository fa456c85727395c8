// The hops of a route: bridges and switches by their PCI address, memory nodes by their number.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/topology/links/pcie.hpp"
#include "core/topology/view/route.hpp"

namespace aictl::topology::view {

/// A device or a memory node by the name that links use.
struct End {
  std::string key;  // "gpu0"
  std::string what;
  std::vector<std::string> names;  // other ways to call it
  std::optional<PciAddress> pci;
  Bitset nodeset;
  std::optional<Width> own;   // what its slot carries, where no PCI tree tells
  std::optional<Width> port;  // of a NIC: what its port carries
};

/// From `a` to `b`, end to end. `link`: what is known of the pair; may be nullptr.
std::vector<Hop> hops_between(const Topology& topology, const Link* link, const End& a,
                              const End& b);

}  // namespace aictl::topology::view
