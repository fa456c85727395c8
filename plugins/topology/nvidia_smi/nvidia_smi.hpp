// A machine out of the text of `nvidia-smi topo -m` or `-mp`: what people paste into reports.
#pragma once

#include "core/plugin/plugins.hpp"
#include "core/plugin/topology_source.hpp"

namespace aictl {

/// Reads levels, NVLinks, affinities and NIC names. Knows no model, no memory and no bandwidth: the
/// table has none.
class NvidiaSmiSource final : public TopologySource {
 public:
  bool recognises(std::string_view bytes) const override;
  Result<Topology> import(std::string_view bytes, const Sight& sight) const override;
  std::string_view imports() const override { return "nvidia-smi topo -m"; }
};

void add_nvidia_smi_topology(Plugins& plugins);

}  // namespace aictl
