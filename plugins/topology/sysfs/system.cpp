// The running system: kernel, firmware's names, hypervisor, what the kernel was started with.
#include <fmt/format.h>

#include "plugins/topology/sysfs/parts.hpp"

namespace aictl::sysfs {
namespace {

constexpr size_t kMaxCpuinfo = size_t{256} << 10;  // the first processors say all we ask

/// Words of the command line that change what a machine can do for GPUs and memory.
constexpr std::string_view kBootWords[] = {"iommu",
                                           "intel_iommu",
                                           "amd_iommu",
                                           "iommu.passthrough",
                                           "pci",
                                           "isolcpus",
                                           "nohz_full",
                                           "nosmt",
                                           "numa_balancing",
                                           "transparent_hugepage",
                                           "hugepages",
                                           "hugepagesz",
                                           "default_hugepagesz",
                                           "mitigations",
                                           "numa"};

struct Cpuinfo {
  std::string model;
  bool hypervisor = false;
};

Cpuinfo read_cpuinfo(const Root& root) {
  Cpuinfo found;
  for (const std::string& line : root.lines("proc/cpuinfo", kMaxCpuinfo)) {
    const size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::string_view key = trimmed(std::string_view(line).substr(0, colon));
    const std::string_view value = trimmed(std::string_view(line).substr(colon + 1));
    if (found.model.empty() && (key == "model name" || key == "cpu" || key == "Model"))
      found.model = value;
    if (key != "flags") continue;
    for (const std::string_view flag : words_of(value)) found.hypervisor |= flag == "hypervisor";
    break;  // all processors have the same flags
  }
  return found;
}

/// The name of the hypervisor by what DMI says; "" for hardware.
std::string hypervisor_by_dmi(std::string_view vendor, std::string_view product) {
  struct Row {
    std::string_view vendor, product, name;
  };
  constexpr Row kRows[] = {{"QEMU", "", "QEMU"},
                           {"VMware", "", "VMware"},
                           {"innotek", "", "VirtualBox"},
                           {"Xen", "", "Xen"},
                           {"Microsoft Corporation", "Virtual Machine", "Hyper-V"},
                           {"Google", "Google Compute Engine", "Google Compute Engine"},
                           {"OpenStack", "", "OpenStack"},
                           {"Red Hat", "KVM", "KVM"}};
  for (const Row& row : kRows)
    if (vendor.starts_with(row.vendor) && product.find(row.product) != std::string_view::npos)
      return std::string(row.name);
  // EC2: bare metal sizes are named so.
  if (vendor == "Amazon EC2" && product.find("metal") == std::string_view::npos)
    return "Amazon EC2";
  return "";
}

void look_at_dmi(const Root& root, Topology& topology) {
  topology::SystemFacts& system = topology.system;
  const std::string folder = "sys/class/dmi/id/";
  if (system.vendor.empty()) system.vendor = root.word(folder + "sys_vendor");
  if (system.product.empty()) system.product = root.word(folder + "product_name");
  if (system.product.empty()) system.product = root.word("proc/device-tree/model");
  set_fact(topology, "bios", root.word(folder + "bios_version"));
  set_fact(topology, "board", root.word(folder + "board_name"));
  set_fact(topology, "chassis_type", root.word(folder + "chassis_type"));
}

void look_at_hypervisor(const Root& root, bool flag, Topology& topology) {
  topology::SystemFacts& system = topology.system;
  if (!system.hypervisor.empty()) return;
  std::string name = root.word("sys/hypervisor/type");
  if (name.empty()) name = hypervisor_by_dmi(system.vendor, system.product);
  if (name.empty() && flag) name = "unknown";
  if (name.empty()) return;
  system.hypervisor = name;
  topology.warnings.push_back(
      {"hypervisor",
       "a virtual machine: NUMA nodes and PCI levels are what the hypervisor reports"});
}

void look_at_boot(const Root& root, Topology& topology) {
  const std::string line = root.word("proc/cmdline");
  for (const std::string_view word : words_of(line)) {
    const size_t equals = word.find('=');
    const std::string_view key = word.substr(0, equals);
    for (const std::string_view known : kBootWords)
      if (key == known)
        set_fact(topology, fmt::format("boot.{}", key),
                 equals == std::string_view::npos ? "yes" : std::string(word.substr(equals + 1)));
  }
}

/// "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 ...": the first word
/// that is a number with dots.
std::string nvidia_version(const Root& root) {
  for (const std::string& line : root.lines("proc/driver/nvidia/version")) {
    if (!line.starts_with("NVRM version:")) continue;
    for (const std::string_view word : words_of(line))
      if (word.find('.') != std::string_view::npos &&
          word.find_first_not_of("0123456789.") == std::string_view::npos)
        return std::string(word);
  }
  return "";
}

void look_at_drivers(const Root& root, Topology& topology) {
  if (topology.system.nvidia_driver.empty()) topology.system.nvidia_driver = nvidia_version(root);
  set_fact(topology, "accelerator_driver", root.word("sys/module/amdgpu/version"));
  for (const std::string& line : root.lines("proc/driver/nvidia/params")) {
    const size_t colon = line.find(':');
    if (colon == std::string::npos || topology.system.settings.size() > 512) continue;
    const std::string_view key = std::string_view(line).substr(0, colon);
    for (const std::string_view known :
         {"PeerMappingOverride", "DmaRemapPeerMmio", "GrdmaPciTopoCheckOverride",
          "EnablePCIERelaxedOrderingMode", "PreserveVideoMemoryAllocations"})
      if (key == known)
        set_fact(topology, fmt::format("nvidia.{}", key),
                 std::string(trimmed(std::string_view(line).substr(colon + 1))));
  }
  const auto groups = root.names("sys/kernel/iommu_groups");
  if (root.exists("sys/kernel/iommu_groups"))
    set_fact(topology, "iommu_groups", fmt::format("{}", groups.size()));
}

}  // namespace

void set_fact(Topology& topology, const std::string& key, std::string value) {
  if (!value.empty()) topology.system.settings.emplace(key, std::move(value));
}

void look_at_system(const Root& root, Topology& topology) {
  topology::SystemFacts& system = topology.system;
  if (system.kernel.empty()) system.kernel = root.word("proc/sys/kernel/osrelease");
  if (system.kernel.empty()) {
    const std::string version = root.word("proc/version");  // "Linux version 6.1.0 (who@where) ..."
    if (const auto words = words_of(version); words.size() > 2) system.kernel = words[2];
  }
  const Cpuinfo cpuinfo = read_cpuinfo(root);
  set_fact(topology, "cpu_model", cpuinfo.model);
  look_at_dmi(root, topology);
  look_at_hypervisor(root, cpuinfo.hypervisor, topology);
  look_at_boot(root, topology);
  look_at_drivers(root, topology);
}

}  // namespace aictl::sysfs
