#include "plugins/topology/nvml/nvml.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include "core/topology/devices/locality.hpp"
#include "plugins/topology/nvml/device.hpp"
#include "plugins/topology/nvml/library.hpp"
#include "plugins/topology/nvml/links.hpp"

namespace aictl {
namespace {

using namespace topology;
using nvml::Library;

constexpr unsigned kMaxDevices = 256;
constexpr uint16_t kNvidia = 0x10de;

bool is_nvidia_gpu(const Object& object) {
  return object.type == ObjectType::kPci && object.pci.vendor == kNvidia &&
         (object.pci.class_id == 0x0300 || object.pci.class_id == 0x0302);
}

/// Where the tree has a function; nullopt when it does not.
std::optional<int> object_at(const Topology& topology, const std::optional<PciAddress>& address) {
  for (size_t i = 0; i < topology.objects.size(); ++i)
    if (address && topology.objects[i].type == ObjectType::kPci &&
        topology.objects[i].pci.address == *address)
      return int(i);
  return std::nullopt;
}

/// The GPU at an address, or a new one.
int gpu_at(Topology& topology, const std::optional<PciAddress>& address) {
  for (size_t i = 0; i < topology.gpus.size(); ++i)
    if (address && topology.gpus[i].pci == address) return int(i);
  topology.gpus.emplace_back().pci = address;
  return int(topology.gpus.size()) - 1;
}

void read_system(const Library& library, Topology& topology) {
  std::array<char, 96> driver = {};
  if (library.api().driver_version(driver.data(), unsigned(driver.size() - 1)) == nvml::kSuccess)
    topology.system.nvidia_driver = driver.data();
  int cuda = 0;
  if (library.api().cuda_version(&cuda) == nvml::kSuccess)
    topology.system.cuda_driver = fmt::format("{}.{}", cuda / 1000, cuda % 1000 / 10);
}

void read_device(const Library& library, nvml::Device device, int index, Topology& topology) {
  Gpu& gpu = topology.gpus[index];
  gpu.driver = topology.system.nvidia_driver;
  nvml::DeviceReader reader(library, device, gpu);
  reader.read_identity();
  reader.read_memory(host_memory(topology));
  reader.read_pcie();
  const auto object = object_at(topology, gpu.pci);
  if (object) {
    Place place = place_of(topology, *object);
    gpu.cpuset = std::move(place.cpuset);
    gpu.nodeset = std::move(place.nodeset);
  }
  reader.read_place(object.has_value());
  reader.read_state();
}

/// A GPU that gives no handle tells no address either: it is one of those the kernel sees and the
/// driver does not.
void mark_lost(const std::vector<std::string>& reasons, Topology& topology) {
  for (const Object& object : topology.objects) {
    if (reasons.empty() || !is_nvidia_gpu(object)) continue;
    const auto known = [&](const Gpu& gpu) {
      return gpu.pci == object.pci.address && !gpu.driver.empty();
    };
    if (std::any_of(topology.gpus.begin(), topology.gpus.end(), known)) continue;
    Gpu& gpu = topology.gpus[gpu_at(topology, object.pci.address)];
    gpu.vendor = "NVIDIA";
    gpu.lost = reasons.front();
  }
  for (const Gpu& gpu : topology.gpus)
    if (!gpu.lost.empty())
      topology.warnings.push_back(
          {"gpu_lost", fmt::format("GPU {}: {}", gpu.pci ? gpu.pci->text() : gpu.uuid, gpu.lost)});
}

void read_all(const Library& library, Topology& topology) {
  read_system(library, topology);
  unsigned count = 0;
  if (const int status = library.api().count(&count); status != nvml::kSuccess) {
    topology.warnings.push_back({"nvml_failed", "nvmlDeviceGetCount: " + library.reason(status)});
    return;
  }
  std::vector<nvml::Seen> seen;
  std::vector<std::string> lost;
  for (unsigned i = 0; i < std::min(count, kMaxDevices); ++i) {
    nvml::Device device = nullptr;
    if (const int status = library.api().handle(i, &device); status != nvml::kSuccess) {
      lost.push_back(library.reason(status));
      topology.warnings.push_back(
          {"gpu_unreadable", fmt::format("NVML device {}: {}", i, lost.back())});
      continue;
    }
    nvml::PciInfo pci = {};
    const bool placed = library.api().pci_info(device, &pci) == nvml::kSuccess;
    const int index =
        gpu_at(topology, placed ? std::optional(nvml::address_of(pci)) : std::nullopt);
    const std::string name = fmt::format("nvml{}", i);
    std::vector<std::string>& names = topology.gpus[index].names;
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    read_device(library, device, index, topology);
    seen.push_back({device, index});
  }
  mark_lost(lost, topology);
  for (size_t i = 0; i < topology.gpus.size(); ++i) topology.gpus[i].index = int(i);
  std::erase_if(seen, [&](const nvml::Seen& one) { return !topology.gpus[one.gpu].lost.empty(); });
  nvml::read_links(library, seen, topology);
}

}  // namespace

Result<void> NvmlSource::look(const Sight& sight, Topology& topology) const {
  if (!sight.sysroot.empty() && sight.sysroot != "/") return {};  // a capture has no driver
  auto library = Library::open(sight.nvml);
  if (library) {
    read_all(**library, topology);
    return {};
  }
  const bool expected = !sight.nvml.empty() || std::any_of(topology.objects.begin(),
                                                           topology.objects.end(), is_nvidia_gpu);
  const bool absent = library.error().code == ErrorCode::kNotFound;
  // Most machines have no NVIDIA GPU and no driver; that is nothing to tell.
  if (!absent || expected)
    topology.warnings.push_back({absent ? "nvml_missing" : "nvml_failed", library.error().message});
  return {};
}

void add_nvml_topology(Plugins& plugins) {
  plugins.topology.add("nvml", "NVIDIA GPUs of this machine, as the driver sees them",
                       [] { return std::make_unique<NvmlSource>(); });
}

}  // namespace aictl
