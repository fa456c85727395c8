// GPUs without their management library: NVIDIA's by /proc/driver/nvidia, AMD's by amdgpu and kfd.
// What the library says later wins; this is what is left where it is absent.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "core/topology/bandwidth.hpp"
#include "plugins/topology/sysfs/parts.hpp"

namespace aictl::sysfs {
namespace {

using topology::Gpu;
using topology::PciAddress;
using topology::PciFacts;

constexpr uint16_t kNvidia = 0x10de, kAmd = 0x1002;
constexpr size_t kMaxGpus = 256;

/// A node of the kfd's topology that is a GPU.
struct KfdNode {
  int node = 0;
  PciAddress address;
  int64_t gfx_version = 0;  // 90402: gfx942
};

std::map<std::string, int64_t, std::less<>> properties(const Root& root, const std::string& path) {
  std::map<std::string, int64_t, std::less<>> found;
  for (const std::string& line : root.lines(path)) {
    const auto words = words_of(line);
    const auto value = words.size() == 2 ? parse_number(words[1]) : std::nullopt;
    if (value) found.emplace(words[0], *value);
  }
  return found;
}

std::vector<KfdNode> kfd_nodes(const Root& root, const std::string& folder) {
  std::vector<KfdNode> nodes;
  for (const std::string& name : root.names(folder)) {
    const auto number = parse_number(name);
    if (!number || nodes.size() == kMaxGpus) continue;
    auto facts = properties(root, fmt::format("{}/{}/properties", folder, name));
    if (facts["simd_count"] <= 0) continue;  // a processor
    const auto location =
        uint64_t(facts["location_id"]);  // bus, device and function as PCI packs them
    const PciAddress address{uint32_t(facts["domain"]), uint8_t(location >> 8),
                             uint8_t(location >> 3 & 31), uint8_t(location & 7)};
    nodes.push_back({int(*number), address, facts["gfx_target_version"]});
  }
  return nodes;
}

/// XGMI between the GPUs as the kfd has it: MB/s, 0 where there is no direct link.
void look_at_xgmi(const Root& root, const std::string& folder, const std::vector<KfdNode>& nodes,
                  Topology& topology) {
  constexpr int64_t kXgmi = 11;  // the kernel's HSA_IOLINKTYPE_XGMI
  constexpr uint64_t kSelf = 1000000;
  for (const auto& matrix : topology.distances)
    if (matrix.name == "XGMIBandwidth") return;
  topology::Distances matrix{"XGMIBandwidth", 1 | 8, {}, {}, {}};
  matrix.values.resize(nodes.size() * nodes.size());
  bool any = false;
  for (size_t i = 0; i < nodes.size(); ++i) {
    matrix.labels.push_back("pci:" + nodes[i].address.text());
    matrix.values[i * nodes.size() + i] = kSelf;
    const std::string links = fmt::format("{}/{}/io_links", folder, nodes[i].node);
    for (const std::string& name : root.names(links)) {
      auto link = properties(root, fmt::format("{}/{}/properties", links, name));
      const auto to = std::find_if(nodes.begin(), nodes.end(),
                                   [&](const KfdNode& n) { return n.node == link["node_to"]; });
      if (link["type"] != kXgmi || to == nodes.end() || link["max_bandwidth"] <= 0) continue;
      matrix.values[i * nodes.size() + size_t(to - nodes.begin())] =
          uint64_t(link["max_bandwidth"]);
      any = true;
    }
  }
  if (any) topology.distances.push_back(std::move(matrix));
}

/// The link as it is, and the most that board and slot allow.
void fill_link(const Root& root, const PciFacts& facts, Gpu& gpu) {
  const auto above = bridge_above(root, facts.address);
  const PciFacts slot = above ? pci_facts(root, *above) : PciFacts{};
  const auto least = [](auto a, auto b) { return a && b ? std::min(a, b) : a; };
  const auto generation = [](std::optional<double> gts) {
    const int number = gts ? topology::pcie_generation(*gts) : 0;
    return number > 0 ? std::optional(number) : std::nullopt;
  };
  if (!gpu.pcie_width) gpu.pcie_width = facts.link_width;
  if (!gpu.pcie_max_width) gpu.pcie_max_width = least(facts.max_link_width, slot.max_link_width);
  if (!gpu.pcie_generation) gpu.pcie_generation = generation(facts.link_gts);
  if (!gpu.pcie_max_generation)
    gpu.pcie_max_generation = generation(least(facts.max_link_gts, slot.max_link_gts));
  if (!gpu.pcie_gbs && gpu.pcie_max_generation && gpu.pcie_max_width)
    gpu.pcie_gbs = topology::pcie_gbs(*gpu.pcie_max_generation, *gpu.pcie_max_width);
}

/// "Model: \t\t NVIDIA H100", a line each.
void fill_nvidia(const Root& root, const std::string& driver, Gpu& gpu) {
  gpu.vendor = "NVIDIA";
  if (gpu.driver.empty()) gpu.driver = driver;
  const std::string file = fmt::format("proc/driver/nvidia/gpus/{}/information", gpu.pci->text());
  for (const std::string& line : root.lines(file)) {
    const size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::string_view key = std::string_view(line).substr(0, colon);
    const std::string value(trimmed(std::string_view(line).substr(colon + 1)));
    if (value.find('?') != std::string::npos) continue;  // "GPU-????": the driver does not know yet
    if (key == "Model" && gpu.model.empty()) gpu.model = value;
    if (key == "GPU UUID" && gpu.uuid.empty()) gpu.uuid = value;
    if (key == "Video BIOS" && gpu.vbios.empty()) gpu.vbios = value;
  }
}

std::optional<uint64_t> positive(const Root& root, const std::string& path) {
  const auto value = root.number(path);
  return value && *value >= 0 ? std::optional(uint64_t(*value)) : std::nullopt;
}

/// Heat and power of amdgpu, in thousandths and millionths.
void fill_sensors(const Root& root, const std::string& folder, Gpu& gpu) {
  for (const std::string& name : root.names(folder + "hwmon")) {
    const std::string at = folder + "hwmon/" + name + "/";
    const auto read = [&](const char* file, double unit, std::optional<double>& field) {
      const auto value = root.number(at + file);
      if (value && !field) field = double(*value) / unit;
    };
    read("power1_average", 1e6, gpu.power_watts);
    read("power1_cap", 1e6, gpu.power_limit_watts);
    read("power1_cap_default", 1e6, gpu.power_default_watts);
    read("temp1_input", 1e3, gpu.temperature_c);
  }
}

void fill_amd(const Root& root, int64_t gfx, Gpu& gpu) {
  const std::string folder = fmt::format("sys/bus/pci/devices/{}/", gpu.pci->text());
  const auto name = [&](const char* file, std::string& field) {
    if (field.empty()) field = root.word(folder + file);
  };
  gpu.vendor = "AMD";
  name("product_name", gpu.model);
  name("serial_number", gpu.serial);
  name("vbios_version", gpu.vbios);
  name("unique_id", gpu.uuid);
  if (gpu.driver.empty()) gpu.driver = root.word("sys/module/amdgpu/version");
  if (gpu.architecture.empty() && gfx > 0)
    gpu.architecture = fmt::format("gfx{}{:x}{:x}", gfx / 10000, gfx / 100 % 100, gfx % 100);
  if (!gpu.memory_bytes) gpu.memory_bytes = positive(root, folder + "mem_info_vram_total");
  if (!gpu.memory_used) gpu.memory_used = positive(root, folder + "mem_info_vram_used");
  const auto busy = positive(root, folder + "gpu_busy_percent");
  if (busy && *busy <= 100 && !gpu.utilisation) gpu.utilisation = int(*busy);
  fill_sensors(root, folder, gpu);
}

/// The GPU at `address`; a new one when nobody saw it.
Gpu& gpu_at(Topology& topology, const PciAddress& address) {
  for (Gpu& gpu : topology.gpus)
    if (gpu.pci == address) return gpu;
  topology.gpus.emplace_back().pci = address;
  return topology.gpus.back();
}

}  // namespace

void look_at_gpus(const Root& root, Topology& topology) {
  const std::string kfd = "sys/class/kfd/kfd/topology/nodes";
  const auto nodes = kfd_nodes(root, kfd);
  for (const std::string& name : root.names("sys/bus/pci/devices")) {
    const auto address = PciAddress::parse(name);
    if (!address || topology.gpus.size() == kMaxGpus) continue;
    const std::string folder = "sys/bus/pci/devices/" + name + "/";
    const int64_t base = root.number(folder + "class").value_or(0) >> 8;
    const int64_t vendor = root.number(folder + "vendor").value_or(0);
    const bool display = base == 0x0300 || base == 0x0302 || base == 0x0380 || base == 0x1200;
    if (!display || (vendor != kNvidia && vendor != kAmd)) continue;
    const auto node = std::find_if(nodes.begin(), nodes.end(),
                                   [&](const KfdNode& n) { return n.address == *address; });
    // A display adapter of a board controller bears AMD's name, too, and has no memory of its own.
    if (vendor == kAmd && node == nodes.end() && !root.exists(folder + "mem_info_vram_total"))
      continue;
    Gpu& gpu = gpu_at(topology, *address);
    fill_link(root, pci_facts(root, *address), gpu);
    fill_locality(root, *address, gpu.cpuset, gpu.nodeset);
    if (vendor == kNvidia) fill_nvidia(root, topology.system.nvidia_driver, gpu);
    if (vendor == kAmd) fill_amd(root, node == nodes.end() ? 0 : node->gfx_version, gpu);
  }
  look_at_xgmi(root, kfd, nodes, topology);
  std::sort(topology.gpus.begin(), topology.gpus.end(),
            [](const Gpu& a, const Gpu& b) { return a.pci < b.pci; });
  for (size_t i = 0; i < topology.gpus.size(); ++i) topology.gpus[i].index = int(i);
}

}  // namespace aictl::sysfs
