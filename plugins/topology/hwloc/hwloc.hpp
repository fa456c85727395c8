// Topologies through libhwloc: this machine, a captured /sys, XML of versions 1 and 2, synthetic
// descriptions.
#pragma once

#include "core/plugin/plugins.hpp"
#include "core/plugin/topology_source.hpp"

namespace aictl {

/// Reads with libhwloc. look() on a captured root sets variables of the environment for the time of
/// the call: no other thread may run then.
class HwlocSource final : public TopologySource {
 public:
  Result<void> look(const Sight& sight, Topology& topology) const override;
  bool recognises(std::string_view bytes) const override;
  Result<Topology> import(std::string_view bytes, const Sight& sight) const override;
  std::string_view imports() const override { return "hwloc XML (versions 1 and 2)"; }
  Result<std::optional<Topology>> synthesise(const std::string& description) const override;
};

void add_hwloc_topology(Plugins& plugins);

}  // namespace aictl
