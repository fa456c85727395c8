// The PCI tree: which bridges stand between two functions, and how wide the way is.
#pragma once

#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "core/topology/topology.hpp"

namespace aictl::topology {

/// Subtype of a bridge that stands for a switch with its ports, as NCCL writes them. Elsewhere
/// every port is a bridge of its own.
inline constexpr std::string_view kWholeSwitch = "Switch";

/// Bandwidth of a way, and who says so.
struct Width {
  double gbs = 0;
  LinkSource source = LinkSource::kDriver;
};

/// The narrower of two ways; an unknown one does not count.
std::optional<Width> narrower(std::optional<Width> a, std::optional<Width> b);

/// Finds functions by address. Refers to the topology, which must outlive it and keep its objects.
class PcieTree {
 public:
  explicit PcieTree(const Topology& topology);

  /// nvidia-smi's level between two functions; kUnknown where the tree does not have them.
  Level level(const PciAddress& a, const PciAddress& b) const;
  /// The narrowest link on the way from `a` to `b`; nullopt when none is known.
  std::optional<Width> width(const PciAddress& a, const PciAddress& b) const;
  /// The narrowest link on the way from `a` up to the processor.
  std::optional<Width> width(const PciAddress& a) const;

  /// Indexes of objects from the function up to its host bridge, the function first.
  struct Chain {
    std::vector<int> hops;
    int anchor = -1;  // the object the host bridge hangs from; -1: the function is not there
  };
  Chain chain(const PciAddress& address) const;
  /// What the way from hops[i] to the next carries; nullopt: unknown, or inside the processor.
  std::optional<Width> hop_width(const std::vector<int>& hops, size_t i) const;

 private:
  /// Ports of switches among the first `count` hops, the function itself left out.
  int ports(const std::vector<int>& hops, size_t count) const;
  std::optional<Width> narrowest(const std::vector<int>& hops, size_t count) const;

  const Topology& topology_;
  std::map<PciAddress, int> functions_;
};

/// What one link carries by its lanes (now) and speed (at best), else by what the kernel says.
std::optional<Width> width_of(const PciFacts& facts);

}  // namespace aictl::topology
