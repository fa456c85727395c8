#include "core/plugin/topology_source.hpp"

#include "core/plugin/plugins.hpp"

namespace aictl {

Result<Topology> read_topology(const Plugins& plugins, const TopologyInput&) {
  Topology topology;
  for (const auto& row : plugins.topology.rows())
    if (auto looked = row.make()->look({}, topology); !looked) return std::move(looked).error();
  return topology;
}

}  // namespace aictl
