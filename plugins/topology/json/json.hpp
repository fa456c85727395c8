// Topologies as `aictl topo -o json` writes them.
#pragma once

#include "core/plugin/plugins.hpp"
#include "core/plugin/topology_source.hpp"

namespace aictl {

class JsonTopologySource final : public TopologySource {
 public:
  bool recognises(std::string_view bytes) const override;
  Result<Topology> import(std::string_view bytes, const Sight& sight) const override;
  std::string_view imports() const override { return "JSON of aictl topo"; }
};

void add_json_topology(Plugins& plugins);

}  // namespace aictl
