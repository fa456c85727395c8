// A healthy machine to plant faults in: two sockets, four GPUs in NVLink pairs, all facts known.
#pragma once

#include <fmt/format.h>

#include "core/doctor/doctor.hpp"

namespace aictl::doctor::test {

inline topology::Bitset set_of(int first, int last) {
  topology::Bitset set;
  for (int i = first; i <= last; ++i) set.set(i);
  return set;
}

/// Appends an object and returns its index.
inline int add_object(Topology& machine, topology::ObjectType type, int parent, int os_index) {
  topology::Object object;
  object.type = type;
  object.parent = parent;
  object.os_index = os_index;
  machine.objects.push_back(object);
  return int(machine.objects.size()) - 1;
}

inline void add_gpu(Topology& machine, int index, int node) {
  topology::Gpu gpu;
  gpu.index = index;
  gpu.pci = topology::PciAddress{0, uint8_t(0x10 + index), 0, 0};
  gpu.vendor = "NVIDIA";
  gpu.model = "NVIDIA A100-SXM4-80GB";
  gpu.driver = "550.54";
  gpu.vbios = "92.00.45";
  gpu.nodeset.set(node);
  gpu.cpuset = set_of(node * 8, node * 8 + 7);
  gpu.pcie_generation = gpu.pcie_max_generation = 4;
  gpu.pcie_width = gpu.pcie_max_width = 16;
  gpu.pcie_gbs = 31.5;
  gpu.pcie_replays = 0;
  gpu.nvlink_count = gpu.nvlink_active = 4;
  gpu.nvlink_gbs = 25;
  gpu.fabric_state = 0;
  gpu.power_watts = 300;
  gpu.power_limit_watts = gpu.power_default_watts = 400;
  gpu.temperature_c = 60;
  gpu.clock_reasons = 0;
  gpu.utilisation = 90;
  gpu.persistence = true;
  gpu.ecc_uncorrected = 0;
  gpu.remap_pending = gpu.remap_failed = false;
  machine.gpus.push_back(gpu);
}

inline topology::Link link_of(int a, int b, topology::Level level, double gbs) {
  topology::Link link;
  link.a = fmt::format("gpu{}", a);
  link.b = fmt::format("gpu{}", b);
  link.level = level;
  link.count = level == topology::Level::kNv ? 4 : 0;
  link.gbs = gbs;
  return link;
}

inline Topology healthy() {
  Topology machine;
  machine.origin.live = true;
  const int root = add_object(machine, topology::ObjectType::kMachine, -1, -1);
  for (int node = 0; node < 2; ++node) {
    topology::Object& numa =
        machine.objects[size_t(add_object(machine, topology::ObjectType::kNuma, root, node))];
    numa.cpuset = set_of(node * 8, node * 8 + 7);
    numa.nodeset.set(node);
    numa.bytes = uint64_t{256} << 30;
  }
  machine.allowed_cpuset = set_of(0, 15);
  machine.allowed_nodeset = set_of(0, 1);
  for (int i = 0; i < 4; ++i) add_gpu(machine, i, i / 2);
  for (int a = 0; a < 4; ++a)
    for (int b = a + 1; b < 4; ++b)
      machine.links.push_back(a / 2 == b / 2 ? link_of(a, b, topology::Level::kNv, 100)
                                             : link_of(a, b, topology::Level::kSys, 10));
  topology::Nic nic;
  nic.name = "mlx5_0";
  nic.kind = "infiniband";
  nic.state = "up";
  nic.gbs = nic.max_gbs = 25;
  nic.nodeset.set(0);
  machine.nics.push_back(nic);
  machine.limits.cgroup_version = "v2";
  machine.limits.effective_cpus = 16;
  machine.limits.throttled_usec = 0;
  machine.system.settings = {{"transparent_hugepage", "madvise"},
                             {"numa_balancing", "0"},
                             {"governor", "performance"},
                             {"scaling_driver", "acpi-cpufreq"},
                             {"chassis_type", "23"},
                             {"aer", "5"},
                             {"dimm.0", "A1; NODE 0 CHANNEL A; 34359738368 B; 4800 MT/s"},
                             {"dimm.1", "B1; NODE 0 CHANNEL B; 34359738368 B; 4800 MT/s"}};
  return machine;
}

/// A workload about which all is known, and well.
inline Workload settled() {
  Workload workload;
  workload.tp_group = {0, 1};
  workload.threads = 8;
  workload.environment = {{"CUDA_VISIBLE_DEVICES", "0,1"}};
  workload.kubelet = Kubelet{"single-numa-node", 8};
  workload.weights = Weights{"/models/m.gguf", uint64_t{40} << 30, "ext4", "nvme0n1", 0};
  Process process;
  process.pid = 77;
  process.command = "engine";
  process.cpus = set_of(0, 7);
  process.bytes_on_node = {{0, 1000}, {1, 10}};
  process.environment = workload.environment;
  workload.process = process;
  return workload;
}

/// What one rule says of samples two seconds apart.
inline Report ask(const std::string& rule, std::vector<Topology> samples,
                  const Workload& workload = settled()) {
  if (samples.size() == 1) samples.push_back(samples[0]);
  const std::vector<std::string> only{rule};
  auto report = examine({samples, std::chrono::seconds(2), workload}, only);
  return report ? *report : Report{};
}

}  // namespace aictl::doctor::test
