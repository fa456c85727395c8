// A machine out of an NCCL or RCCL topology file (NCCL_TOPO_FILE), as cloud vendors publish them.
#pragma once

#include "core/plugin/plugins.hpp"
#include "core/plugin/topology_source.hpp"

namespace aictl {

/// Reads memory nodes, the PCI tree as switches, GPUs, NICs with their speeds, NVLink and XGMI.
/// Knows no memory sizes and no cores.
class NcclSource final : public TopologySource {
 public:
  bool recognises(std::string_view bytes) const override;
  Result<Topology> import(std::string_view bytes, const Sight& sight) const override;
  std::string_view imports() const override { return "NCCL topology XML"; }
};

void add_nccl_topology(Plugins& plugins);

}  // namespace aictl
