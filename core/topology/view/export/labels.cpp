#include <algorithm>
#include <cctype>
#include <map>

#include <fmt/format.h>

#include "core/topology/view/export/export.hpp"

namespace aictl::topology::view {
namespace {

using Labels = std::map<std::string, std::string>;

constexpr size_t kLongestValue = 63;

/// A legal value: letters, digits, dashes, dots and underscores, with a letter or digit at each
/// end.
std::string label_value(std::string_view text) {
  std::string value;
  for (const unsigned char c : text.substr(0, kLongestValue)) {
    const bool legal = c < 0x80 && (std::isalnum(c) || c == '-' || c == '_' || c == '.');
    value += legal ? char(c) : '-';
  }
  const auto edge = [](unsigned char c) { return !std::isalnum(c); };
  while (!value.empty() && edge(static_cast<unsigned char>(value.back()))) value.pop_back();
  while (!value.empty() && edge(static_cast<unsigned char>(value.front()))) value.erase(0, 1);
  return value;
}

class Writer {
 public:
  void feature(const std::string& name, std::string_view value) {
    put("feature.node.kubernetes.io/" + name, value);
  }
  void gpu(const std::string& name, std::string_view value) { put("nvidia.com/" + name, value); }
  void put(const std::string& key, std::string_view value) {
    if (std::string legal = label_value(value); !legal.empty()) labels_[key] = std::move(legal);
  }
  std::vector<std::pair<std::string, std::string>> take() const {
    return {labels_.begin(), labels_.end()};
  }

 private:
  Labels labels_;
};

std::string info(const Topology& topology, std::string_view name) {
  for (const Object& object : topology.objects)
    if (object.type == ObjectType::kMachine || object.type == ObjectType::kPackage)
      for (const auto& [key, value] : object.infos)
        if (key == name) return value;
  return "";
}

void add_cpu(const Topology& topology, Writer& out) {
  if (const auto cores = objects_of(topology, ObjectType::kCore); !cores.empty()) {
    const bool smt = std::any_of(cores.begin(), cores.end(),
                                 [](const Object* core) { return core->cpuset.count() > 1; });
    out.feature("cpu-hardware_multithreading", smt ? "true" : "false");
  }
  std::string vendor = info(topology, "CPUVendor");
  if (vendor == "GenuineIntel") vendor = "Intel";
  if (vendor == "AuthenticAMD") vendor = "AMD";
  out.feature("cpu-model.vendor_id", vendor);
  out.feature("cpu-model.family", info(topology, "CPUFamilyNumber"));
  out.feature("cpu-model.id", info(topology, "CPUModelNumber"));
  out.feature("kernel-version.full", topology.system.kernel);
}

void add_memory(const Topology& topology, Writer& out) {
  int hosts = 0;
  for (const Object* node : objects_of(topology, ObjectType::kNuma)) {
    hosts += node->tier != MemoryTier::kGpu;
    if (node->tier == MemoryTier::kNvm) out.feature("memory-nv.present", "true");
  }
  for (const Disk& disk : topology.disks)
    if (disk.kind == "pmem") out.feature("memory-nv.present", "true");
  if (hosts > 1) out.feature("memory-numa", "true");
}

/// Devices Node Feature Discovery speaks of: displays, co-processors and accelerators.
void add_pci(const Topology& topology, Writer& out) {
  for (const Object* device : objects_of(topology, ObjectType::kPci)) {
    const int base = device->pci.class_id >> 8;
    if (base == 0x03 || base == 0x12 || device->pci.class_id == 0x0b40)
      out.feature(
          fmt::format("pci-{:04x}_{:04x}.present", device->pci.class_id, device->pci.vendor),
          "true");
  }
}

void add_gpus(const Topology& topology, Writer& out) {
  std::vector<const Gpu*> gpus;
  for (const Gpu& gpu : topology.gpus)
    if (gpu.vendor == "NVIDIA") gpus.push_back(&gpu);
  if (gpus.empty()) return;
  const Gpu& first = *gpus.front();
  out.gpu("gpu.present", "true");
  out.gpu("gpu.count", std::to_string(gpus.size()));
  out.gpu("gpu.product", first.model);
  out.gpu("gpu.replicas", "1");
  if (first.memory_bytes) out.gpu("gpu.memory", std::to_string(*first.memory_bytes >> 20));
  std::string family = first.architecture;
  for (char& c : family) c = char(std::tolower(static_cast<unsigned char>(c)));
  out.gpu("gpu.family", family);
  if (first.compute_capability) {
    const size_t dot = first.compute_capability->find('.');
    out.gpu("gpu.compute.major", first.compute_capability->substr(0, dot));
    if (dot != std::string::npos)
      out.gpu("gpu.compute.minor", first.compute_capability->substr(dot + 1));
  }
  const bool mig =
      std::any_of(gpus.begin(), gpus.end(), [](const Gpu* gpu) { return gpu->mig_enabled; });
  out.gpu("mig.capable", mig ? "true" : "false");
  if (mig) out.gpu("mig.strategy", "single");
  const bool one_clique = std::all_of(gpus.begin(), gpus.end(), [&](const Gpu* gpu) {
    return gpu->fabric_cluster == first.fabric_cluster;
  });
  if (first.fabric_cluster.empty() || !one_clique) return;
  out.gpu("gpu.clique", first.fabric_cluster);
  out.put("accelerator.topograph.run/domain", first.fabric_cluster);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> node_labels(const Topology& topology) {
  Writer out;
  add_cpu(topology, out);
  add_memory(topology, out);
  add_pci(topology, out);
  add_gpus(topology, out);
  return out.take();
}

}  // namespace aictl::topology::view
