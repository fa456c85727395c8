#include "plugins/topology/nvml/device.hpp"

#include <array>
#include <climits>

#include <fmt/format.h>

#include "core/topology/bandwidth.hpp"

namespace aictl::nvml {
namespace {

constexpr unsigned kMemoryClock = 2;
constexpr unsigned kScopeNode = 0;
constexpr unsigned kCpuWords = 128, kNodeWords = 16;  // 8192 CPUs, 1024 memory nodes

std::string architecture_name(unsigned number) {
  switch (number) {
    case 2:
      return "Kepler";
    case 3:
      return "Maxwell";
    case 4:
      return "Pascal";
    case 5:
      return "Volta";
    case 6:
      return "Turing";
    case 7:
      return "Ampere";
    case 8:
      return "Ada";
    case 9:
      return "Hopper";
    case 10:
      return "Blackwell";
    case 13:
      return "Rubin";
    default:
      return "";
  }
}

template <size_t N>
topology::Bitset set_of(const std::array<unsigned long, N>& words) {
  constexpr int kBits = sizeof(unsigned long) * CHAR_BIT;
  topology::Bitset set;
  for (size_t word = 0; word < N; ++word)
    for (int bit = 0; bit < kBits; ++bit)
      if (words[word] >> bit & 1) set.set(int(word) * kBits + bit);
  return set;
}

}  // namespace

topology::PciAddress address_of(const PciInfo& info) {
  return {info.domain, uint8_t(info.bus), uint8_t(info.device), 0};
}

bool DeviceReader::told(int status, std::string_view field) {
  if (status == kSuccess) return true;
  gpu_.missing.emplace(field, library_.reason(status));
  if (status == kGpuIsLost && gpu_.lost.empty()) gpu_.lost = library_.reason(status);
  return false;
}

std::string DeviceReader::text(const Call<Device, char*, unsigned>& call, std::string_view field) {
  std::array<char, 256> buffer = {};
  if (!told(call(device_, buffer.data(), unsigned(buffer.size() - 1)), field)) return "";
  return buffer.data();
}

void DeviceReader::read_identity() {
  gpu_.vendor = "NVIDIA";
  const auto take = [&](std::string& field, std::string value) {
    if (!value.empty()) field = std::move(value);
  };
  take(gpu_.model, text(api_.name, "model"));
  take(gpu_.uuid, text(api_.uuid, "uuid"));
  take(gpu_.serial, text(api_.serial, "serial"));
  take(gpu_.vbios, text(api_.vbios, "vbios"));
  if (const auto number = ask(api_.architecture, "architecture"))
    gpu_.architecture = architecture_name(*number);
  int major = 0, minor = 0;
  if (told(api_.compute_capability(device_, &major, &minor), "compute_capability"))
    gpu_.compute_capability = fmt::format("{}.{}", major, minor);
}

void DeviceReader::read_memory(std::optional<uint64_t> host_bytes) {
  MemoryV2 memory = {};
  memory.version = version_of<MemoryV2>(2);
  int status = api_.memory_v2(device_, &memory);
  if (status == kSuccess) {
    gpu_.memory_bytes = memory.total;
    gpu_.memory_reserved = memory.reserved;
    gpu_.memory_used = memory.used;
  } else {
    MemoryV1 old = {};
    status = api_.memory_v1(device_, &old);
    if (status == kSuccess) {
      gpu_.memory_bytes = old.total;
      gpu_.memory_used = old.used;
    }
  }
  told(status, "memory_bytes");
  // Parts that share the host's memory have none to tell of.
  if (status == kNotSupported) {
    gpu_.unified_memory = true;
    gpu_.memory_bytes = host_bytes;
  }
  Bar1Memory bar1 = {};
  if (told(api_.bar1(device_, &bar1), "bar1_bytes")) gpu_.bar1_bytes = bar1.total;
  const auto width = ask(api_.bus_width, "memory_gbs");
  unsigned megahertz = 0;
  const bool clock = told(api_.max_clock(device_, kMemoryClock, &megahertz), "memory_gbs");
  // Two transfers a clock, as for all of HBM and GDDR.
  if (width && clock && *width > 0 && megahertz > 0)
    gpu_.memory_gbs = *width / 8.0 * 2 * megahertz / 1000;
}

void DeviceReader::read_pcie() {
  const auto take = [&](std::optional<int>& field, const Call<Device, unsigned*>& call,
                        std::string_view name) {
    if (const auto value = ask(call, name)) field = int(*value);
  };
  take(gpu_.pcie_generation, api_.generation, "pcie_generation");
  take(gpu_.pcie_width, api_.width, "pcie_width");
  take(gpu_.pcie_max_generation, api_.max_generation, "pcie_max_generation");
  take(gpu_.pcie_max_width, api_.max_width, "pcie_max_width");
  if (const auto replays = ask(api_.replays, "pcie_replays")) gpu_.pcie_replays = *replays;
  if (gpu_.pcie_generation && gpu_.pcie_width)
    gpu_.pcie_gbs = topology::pcie_gbs(*gpu_.pcie_generation, *gpu_.pcie_width);
}

void DeviceReader::read_place(bool in_tree) {
  unsigned node = 0;
  if (told(api_.numa_node(device_, &node), "memory_node")) gpu_.memory_node = int(node);
  if (in_tree) return;  // the kernel's tree is not cut to our cgroup, the driver's sets are
  std::array<unsigned long, kCpuWords> cpus = {};
  if (told(api_.cpu_affinity(device_, kCpuWords, cpus.data(), kScopeNode), "cpuset"))
    gpu_.cpuset = set_of(cpus);
  std::array<unsigned long, kNodeWords> nodes = {};
  if (told(api_.memory_affinity(device_, kNodeWords, nodes.data(), kScopeNode), "nodeset"))
    gpu_.nodeset = set_of(nodes);
}

}  // namespace aictl::nvml
