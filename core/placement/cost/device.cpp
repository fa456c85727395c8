#include "core/placement/cost/device.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "core/placement/cpu/cores.hpp"
#include "core/topology/bandwidth.hpp"

namespace aictl::placement {
namespace {

// Where nobody measured: what a core can draw, and what the channels of a node give at most.
constexpr double kCoreGbs = 10, kNodeGbs = 100;
constexpr double kVectorFlops = 32;  // a cycle and core: two 256-bit fused multiply-adds, F32
constexpr double kComputeShare = 0.6, kDefaultGhz = 2.5;
constexpr double kDisplayBytes = 0.6e9;  // a consumer board's desktop

// What GPUs with so many NVLinks usually are, where a table of links is all there is.
std::string guess_model(const Topology& topology, int index) {
  int most = 0;
  const std::string name = fmt::format("gpu{}", index);
  for (const topology::Link& link : topology.links)
    if (link.level == topology::Level::kNv && (link.a == name || link.b == name))
      most = std::max(most, link.count);
  if (most >= 18) return "H100";
  if (most >= 8) return "A100";
  if (most >= 5) return "V100";
  if (most == 4) return "RTX 3090";
  return most > 0 ? "V100" : "A10";
}

void read_speed(const topology::Gpu& gpu, const std::string& model, bool told, Device& device) {
  const topology::GpuSpec* spec = topology::gpu_spec(model);
  device.source = told ? "table" : "assumed";
  if (spec) {
    device.model = gpu.model.empty() ? std::string(spec->name) : gpu.model;
    device.memory = spec->memory_gb * 1e9;
    device.gbs = spec->memory_gbs;
    device.tflops = spec->bf16_tflops;
    device.fp8_tflops = spec->fp8_tflops;
    device.consumer = spec->consumer;
  } else {  // a board nobody has a row for: slow and small, so that the plan holds
    device.model = model;
    device.source = "assumed";
    device.memory = 16e9;
    device.gbs = 300;
    device.tflops = 50;
  }
  if (!gpu.memory_gbs || *gpu.memory_gbs <= 0 || *gpu.memory_gbs == device.gbs) return;
  device.gbs = *gpu.memory_gbs;
  device.source = "driver";
}

double clock_ghz(const Topology& topology) {
  double most = 0;
  for (const topology::CpuKind& kind : topology.cpu_kinds)
    for (const auto& [name, value] : kind.infos) {
      double mhz = 0;
      if (name == "FrequencyMaxMHz")
        std::from_chars(value.data(), value.data() + value.size(), mhz);
      most = std::max(most, mhz / 1000);
    }
  return most > 0.1 && most < 10 ? most : kDefaultGhz;
}

std::string cpu_model(const Topology& topology) {
  for (const topology::Object& object : topology.objects)
    for (const auto& [name, value] : object.infos)
      if (name == "CPUModel") return value;
  return "CPU";
}

// Nodes with cores of their own; of those beside the same cores the largest (DRAM beside HBM).
std::vector<const topology::Object*> nodes_with_cores(const Topology& topology) {
  std::vector<const topology::Object*> nodes;
  for (const topology::Object* node : topology::objects_of(topology, topology::ObjectType::kNuma)) {
    if (node->cpuset.empty() || node->tier == topology::MemoryTier::kGpu) continue;
    const auto twin = std::ranges::find_if(
        nodes, [&](const topology::Object* other) { return other->cpuset == node->cpuset; });
    if (twin == nodes.end())
      nodes.push_back(node);
    else if (node->bytes > (*twin)->bytes)
      *twin = node;
  }
  return nodes;
}

// The share of the machine's memory that we may have.
double allowed_share(const Topology& topology) {
  const double total = double(topology::host_memory(topology).value_or(0));
  double most = total;
  if (topology.limits.memory_max) most = std::min(most, double(*topology.limits.memory_max));
  if (topology.limits.memory_available)
    most = std::min(most, double(*topology.limits.memory_available));
  return total > 0 ? most / total : 0;
}

}  // namespace

std::vector<Device> gpu_devices(const Topology& topology, const DeviceWishes& wishes) {
  std::vector<Device> devices;
  for (const topology::Gpu& gpu : topology.gpus) {
    Device device;
    device.gpu = int(devices.size());  // its index, whatever a dump says
    device.name = fmt::format("gpu{}", device.gpu);
    device.uuid = gpu.uuid;
    device.vendor = gpu.vendor;
    device.node = gpu.nodeset.count() > 4 ? -1 : gpu.nodeset.first();
    const bool told = !gpu.model.empty() || !wishes.gpu.empty();
    const bool named = topology::gpu_spec(gpu.model) != nullptr;
    const std::string model = !named && !wishes.gpu.empty() ? wishes.gpu
                              : !gpu.model.empty()          ? gpu.model
                                                            : guess_model(topology, device.gpu);
    read_speed(gpu, model, told, device);
    if (gpu.memory_bytes) device.memory = double(*gpu.memory_bytes);
    device.unified = gpu.unified_memory;
    if (gpu.unified_memory && !gpu.memory_bytes)
      device.memory = double(topology::host_memory(topology).value_or(0));
    device.taken = double(gpu.memory_reserved.value_or(0)) + double(gpu.memory_used.value_or(0));
    if (!gpu.lost.empty())
      device.unfit = gpu.lost;
    else if (gpu.mig_enabled)
      device.unfit = "in MIG mode";
    devices.push_back(std::move(device));
  }
  return devices;
}

std::vector<Device> cpu_devices(const Topology& topology, const DeviceWishes& wishes) {
  std::vector<Device> devices;
  const auto nodes = nodes_with_cores(topology);
  const double share = allowed_share(topology), ghz = clock_ghz(topology);
  const std::string model = cpu_model(topology);
  for (const topology::Object* node : nodes) {
    const int cores = int(usable_cores(topology, node->cpuset).size());
    if (cores == 0) continue;
    Device device;
    device.node = node->os_index;
    device.name = fmt::format("numa{}", node->os_index);
    device.model = model;
    device.source = "assumed";
    device.memory = double(node->bytes) * share;
    device.cores = cores;
    device.gbs = std::min(kCoreGbs * cores, kNodeGbs);
    if (node->read_gbs && *node->read_gbs > 0) {
      device.gbs = *node->read_gbs;
      device.source = "driver";
    }
    device.tflops = cores * ghz * kVectorFlops * kComputeShare / 1000;
    devices.push_back(std::move(device));
  }
  for (Device& device : devices) {
    if (wishes.cpu_gbs > 0) device.gbs = wishes.cpu_gbs / double(devices.size());
    if (wishes.cpu_tflops > 0) device.tflops = wishes.cpu_tflops / double(devices.size());
    if (wishes.cpu_gbs > 0) device.source = "measured";
  }
  return devices;
}

double usable_bytes(const Device& device, double utilisation) {
  const double rest = std::max(0.0, device.memory - device.taken) * utilisation;
  return std::max(0.0, rest - (device.consumer ? kDisplayBytes : 0));
}

}  // namespace aictl::placement
