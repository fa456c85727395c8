// NVIDIA's driver, through libnvidia-ml: what it knows of GPUs that the kernel does not.
#pragma once

#include "core/plugin/plugins.hpp"
#include "core/plugin/topology_source.hpp"

namespace aictl {

/// Adds to the GPUs of this machine, by PCI address: model, memory, links, state. Without the
/// library, or when it does not start, the PCI facts stay and a warning says why.
class NvmlSource final : public TopologySource {
 public:
  Result<void> look(const Sight& sight, Topology& topology) const override;
};

void add_nvml_topology(Plugins& plugins);

}  // namespace aictl
