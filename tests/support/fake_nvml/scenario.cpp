#include "tests/support/fake_nvml/scenario.hpp"

namespace fake_nvml {
namespace {

Scenario boxes(int count, const Gpu& like) {
  Scenario made;
  for (int i = 0; i < count; ++i) {
    made.gpus.push_back(like);
    made.gpus.back().bus = 0x10 + unsigned(i) * 0x10;
  }
  return made;
}

Gpu hopper_on_switches() {
  Gpu gpu;
  gpu.nvlinks = 18;
  gpu.fabric_state = 3;
  return gpu;
}

Gpu gb10() {
  Gpu gpu;
  gpu.name = "NVIDIA GB10";
  gpu.architecture = 10;
  gpu.major = 12;
  gpu.minor = 1;
  gpu.memory = 0;
  gpu.bus_width = gpu.memory_mhz = 0;
  return gpu;
}

Gpu grace_hopper() {
  Gpu gpu;
  gpu.name = "NVIDIA GH200 480GB";
  gpu.c2c = true;
  gpu.own_node = 1;
  return gpu;
}

Gpu ampere() {
  Gpu gpu;
  gpu.name = "NVIDIA GeForce RTX 3090";
  gpu.architecture = 7;
  gpu.major = 8;
  gpu.minor = 6;
  gpu.memory = 25769803776ull;
  gpu.bus_width = 384;
  gpu.memory_mhz = 9751;
  gpu.nvlinks = 4;
  gpu.to_switches = false;
  gpu.nvlink_version = 5;
  gpu.nvlink_mbps = 0;  // the field is not supported
  return gpu;
}

}  // namespace

Scenario scenario(const std::string& name) {
  if (name == "noinit") return {.init_status = 9, .gpus = {}};
  if (name == "nvswitch") return boxes(8, hopper_on_switches());
  if (name == "gb10") return boxes(1, gb10());
  if (name == "gh200") return boxes(1, grace_hopper());
  if (name == "bridge") return boxes(2, ampere());
  Scenario made = boxes(name == "pcie" ? 3 : 2, name == "pcie" ? Gpu() : hopper_on_switches());
  if (name == "pcie") {
    made.p2p_status = 1;
  } else if (name == "mig") {
    made.gpus[1].slices = {
        {},
        {.gpu_slices = 3, .compute_slices = 3, .multiprocessors = 60, .memory_mib = 40448},
        {.gpu_slices = 2, .compute_slices = 1, .multiprocessors = 16, .memory_mib = 20096}};
  } else if (name == "lost") {
    made.gpus[1].lost = true;
  } else if (name == "no_handle") {
    made.gpus[1].no_handle = true;
  } else if (name == "fabric") {
    for (Gpu& gpu : made.gpus) gpu.fabric_state = 2;
  } else if (name == "link_down") {
    made.gpus[1].links_down = 2;
  } else {
    made.gpus.clear();
  }
  return made;
}

}  // namespace fake_nvml
