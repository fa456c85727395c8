// The variable that shows a process its GPUs, and what each is called in it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/topology/topology.hpp"

namespace aictl::placement {

/// The words for `gpus` (indexes of the topology): UUIDs where all are known, else what ROCm counts
/// AMD's as, else the indexes.
std::vector<std::string> device_words(const topology::Topology& topology,
                                      const std::vector<int>& gpus);

/// "CUDA_VISIBLE_DEVICES=GPU-..." or the vendor's own variable; with indexes also
/// CUDA_DEVICE_ORDER=PCI_BUS_ID, since CUDA would count the fastest first.
std::string visible_devices(std::string_view vendor, const std::vector<std::string>& words,
                            const std::vector<int>& gpus);

}  // namespace aictl::placement
