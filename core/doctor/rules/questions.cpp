// What several rules ask of a machine.
#include <fmt/format.h>

#include "core/doctor/rules/rules.hpp"

namespace aictl::doctor {

std::string gpu_name(const topology::Gpu& gpu) { return fmt::format("gpu{}", gpu.index); }

std::optional<bool> under_load(const topology::Gpu& gpu) {
  constexpr uint64_t kIdle = 1;  // of NVML's clock event reasons
  if (gpu.utilisation) return *gpu.utilisation >= 10;
  if (gpu.clock_reasons) return (*gpu.clock_reasons & kIdle) == 0;
  return std::nullopt;
}

const topology::Gpu* same_gpu(const Topology& topology, const topology::Gpu& gpu) {
  for (const topology::Gpu& other : topology.gpus)
    if (gpu.pci ? other.pci == gpu.pci : other.index == gpu.index) return &other;
  return nullptr;
}

std::string setting(const Topology& topology, const std::string& key) {
  const auto found = topology.system.settings.find(key);
  return found == topology.system.settings.end() ? "" : found->second;
}

topology::Bitset host_nodes(const Topology& topology) {
  topology::Bitset nodes;
  for (const topology::Object& object : topology.objects)
    if (object.type == topology::ObjectType::kNuma && object.os_index >= 0 &&
        object.tier != topology::MemoryTier::kGpu)
      nodes.set(object.os_index);
  for (const topology::Gpu& gpu : topology.gpus)
    if (gpu.memory_node && *gpu.memory_node >= 0) nodes.clear(*gpu.memory_node);
  return nodes;
}

std::string percent(double share) { return fmt::format("{:.0f} %", share * 100); }

}  // namespace aictl::doctor
