// OS devices and PCI functions become GPUs: one a board, whatever number of drivers show it.
#include <algorithm>
#include <map>
#include <numeric>

#include "core/topology/bandwidth.hpp"
#include "core/topology/devices/locality.hpp"

namespace aictl::topology {
namespace {

constexpr uint16_t kNvidia = 0x10de, kAmd = 0x1002, kIntel = 0x8086;
constexpr uint16_t kVga = 0x0300, k3d = 0x0302, kDisplay = 0x0380, kAccelerator = 0x1200;
constexpr uint16_t kOtherBridge = 0x0680;

std::string vendor_name(uint16_t vendor) {
  switch (vendor) {
    case kNvidia:
      return "NVIDIA";
    case kAmd:
      return "AMD";
    case kIntel:
      return "Intel";
    default:
      return "";
  }
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

/// "opencl0d2": platform and device.
bool is_opencl(std::string_view name) {
  if (!name.starts_with("opencl")) return false;
  name.remove_prefix(6);
  const size_t d = name.find('d');
  return d != name.npos && is_number(name.substr(0, d)) && is_number(name.substr(d + 1));
}

/// Whether an OS device is a driver's view of a GPU. Types and subtypes differ between versions of
/// hwloc, names do not; an OpenCL device may also be a processor.
bool shows_gpu(const Object& object, const Object* function) {
  for (std::string_view backend : {"nvml", "cuda", "rsmi", "ze"})
    if (object.name.starts_with(backend) &&
        is_number(std::string_view(object.name).substr(backend.size())))
      return true;
  if (!is_opencl(object.name) || function == nullptr) return false;
  const std::string kind = info(object, "OpenCLDeviceType");
  return (kind.empty() || kind == "GPU") && !vendor_name(function->pci.vendor).empty();
}

/// A function that is a GPU even if no driver speaks for it. Integrated graphics and the consoles
/// of servers are display controllers too, so the vendor counts.
bool is_gpu(const Object& object) {
  if (object.type != ObjectType::kPci) return false;
  const uint16_t kind = object.pci.class_id;
  if (object.pci.vendor == kNvidia) return kind == kVga || kind == k3d;
  return object.pci.vendor == kAmd && (kind == k3d || kind == kDisplay || kind == kAccelerator);
}

std::optional<uint64_t> kibibytes(const std::string& text) {
  if (!is_number(text) || text.size() > 15) return std::nullopt;
  return std::stoull(text) * 1024;
}

void read_infos(const Object& object, Gpu& gpu) {
  const auto take = [&](std::string& field, std::string_view name) {
    if (field.empty()) field = info(object, name);
  };
  take(gpu.model, "GPUModel");
  take(gpu.uuid, "NVIDIAUUID");
  take(gpu.uuid, "AMDUUID");
  take(gpu.uuid, "LevelZeroUUID");
  take(gpu.serial, "NVIDIASerial");
  take(gpu.serial, "AMDSerial");
  for (std::string_view name :
       {"CUDAGlobalMemorySize", "RSMIVRAMSize", "LevelZeroHBMSize", "OpenCLGlobalMemorySize"})
    if (!gpu.memory_bytes) gpu.memory_bytes = kibibytes(info(object, name));
}

void read_function(const Topology& topology, int index, Gpu& gpu) {
  const PciFacts& facts = function_of(topology, index)->pci;
  gpu.pci = facts.address;
  if (gpu.vendor.empty()) gpu.vendor = vendor_name(facts.vendor);
  if (!gpu.pcie_width) gpu.pcie_width = facts.link_width;
  if (!gpu.pcie_max_width) gpu.pcie_max_width = facts.max_link_width;
  const auto generation = [](const std::optional<double>& speed) -> std::optional<int> {
    const int number = speed ? pcie_generation(*speed) : 0;
    return number == 0 ? std::nullopt : std::optional(number);
  };
  if (!gpu.pcie_generation) gpu.pcie_generation = generation(facts.link_gts);
  if (!gpu.pcie_max_generation) gpu.pcie_max_generation = generation(facts.max_link_gts);
  if (!gpu.pcie_gbs && gpu.pcie_generation && gpu.pcie_width)
    gpu.pcie_gbs = pcie_gbs(*gpu.pcie_generation, *gpu.pcie_width);
  if (!gpu.pcie_gbs && facts.link_gbs > 0) gpu.pcie_gbs = facts.link_gbs;
}

/// Finds the GPU that an object shows, or makes it.
class GpuJoin {
 public:
  explicit GpuJoin(Topology& topology) : topology_(topology) {
    for (size_t i = 0; i < topology.gpus.size(); ++i) {
      const Gpu& gpu = topology.gpus[i];
      if (gpu.pci) by_address_.emplace(*gpu.pci, i);
      if (!gpu.pci && !gpu.names.empty())
        by_number_.emplace(trailing_number(gpu.names.front()).value_or(0), i);
    }
  }

  void add(int index) {
    const Object& object = topology_.objects[index];
    const Object* function = function_of(topology_, index);
    Gpu& gpu = function != nullptr ? at(by_address_, function->pci.address)
                                   : at(by_number_, trailing_number(object.name).value_or(0));
    if (function != nullptr) read_function(topology_, index, gpu);
    if (object.type == ObjectType::kOsDevice) {
      if (std::find(gpu.names.begin(), gpu.names.end(), object.name) == gpu.names.end())
        gpu.names.push_back(object.name);
      read_infos(object, gpu);
    }
    const Place place = place_of(topology_, index);
    if (gpu.cpuset.empty()) gpu.cpuset = place.cpuset;
    if (gpu.nodeset.empty()) gpu.nodeset = place.nodeset;
  }

 private:
  template <typename Key>
  Gpu& at(std::map<Key, size_t>& known, const Key& key) {
    const auto [entry, added] = known.try_emplace(key, topology_.gpus.size());
    if (added) topology_.gpus.emplace_back().index = -1;
    return topology_.gpus[entry->second];
  }

  Topology& topology_;
  std::map<PciAddress, size_t> by_address_;
  std::map<int, size_t> by_number_;  // of names, where no PCI function is known
};

/// PCI order, then those without an address as they came; links follow.
void number_gpus(Topology& topology) {
  std::vector<Gpu>& gpus = topology.gpus;
  std::stable_sort(gpus.begin(), gpus.end(),
                   [](const Gpu& a, const Gpu& b) { return a.pci && (!b.pci || *a.pci < *b.pci); });
  std::vector<int> new_number(gpus.size());
  std::iota(new_number.begin(), new_number.end(), 0);
  for (size_t i = 0; i < gpus.size(); ++i) {
    const int old = gpus[i].index;
    if (old >= 0 && size_t(old) < gpus.size()) new_number[old] = int(i);
    gpus[i].index = int(i);
  }
  renumber_links(topology, "gpu", new_number);
}

void complete(Gpu& gpu) {
  std::sort(gpu.names.begin(), gpu.names.end());
  const GpuSpec* spec = gpu_spec(gpu.model);
  if (spec != nullptr && !gpu.memory_gbs) gpu.memory_gbs = spec->memory_gbs;
}

int count_nvswitches(const Topology& topology) {
  const bool any_nvidia = std::any_of(topology.gpus.begin(), topology.gpus.end(),
                                      [](const Gpu& gpu) { return gpu.vendor == "NVIDIA"; });
  if (!any_nvidia) return 0;  // old NVIDIA chipsets have bridges of the same class
  return int(std::count_if(topology.objects.begin(), topology.objects.end(), [](const Object& o) {
    return o.type == ObjectType::kPci &&
           (o.subtype == "NVSwitch" || (o.pci.vendor == kNvidia && o.pci.class_id == kOtherBridge));
  }));
}

}  // namespace

void join_gpus(Topology& topology) {
  GpuJoin join(topology);
  for (size_t i = 0; i < topology.objects.size(); ++i) {
    const Object& object = topology.objects[i];
    const bool device =
        object.type == ObjectType::kOsDevice && shows_gpu(object, function_of(topology, int(i)));
    if (device || is_gpu(object)) join.add(int(i));
  }
  number_gpus(topology);
  for (Gpu& gpu : topology.gpus) complete(gpu);
  if (topology.nvswitches == 0) topology.nvswitches = count_nvswitches(topology);
}

}  // namespace aictl::topology
