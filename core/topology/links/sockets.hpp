// What data crosses between memory nodes: the interconnect of sockets.
#pragma once

#include <optional>

#include "core/topology/links/pcie.hpp"
#include "core/topology/topology.hpp"

namespace aictl::topology {

/// Knows the interconnect of one machine. Refers to the topology, which must outlive it and keep
/// its objects and matrices.
class SocketLinks {
 public:
  explicit SocketLinks(const Topology& topology);

  /// The way between devices near `a` and near `b`: what a matrix of bandwidths says of the two
  /// nodes, else the table's figure for the processor. nullopt: they are on the same nodes, or both
  /// in one package, whose inside nobody tells of.
  std::optional<Width> between(const Bitset& a, const Bitset& b) const;

 private:
  std::optional<double> told(const Bitset& a, const Bitset& b) const;
  bool share_package(const Bitset& a, const Bitset& b) const;

  const Topology& topology_;
  double table_gbs_;  // 0: the processor is not known
};

}  // namespace aictl::topology
