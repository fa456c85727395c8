// Device: a GPU, or a memory node with its cores, as memory and speed; each number with its source.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/topology/topology.hpp"

namespace aictl::placement {

/// Bytes are bytes; speeds are what the vendor says (GPU) or what is assumed (CPU), before any
/// factor of efficiency.
struct Device {
  int gpu = -1;       // place in Topology::gpus; -1: a memory node and its cores
  int node = -1;      // operating system index of the NUMA node it is, or is near; -1: unknown
  std::string name;   // "gpu0", "numa1"
  std::string model;  // "RTX4090"; of a CPU its model name
  std::string uuid;
  std::string vendor;     // "NVIDIA", "AMD"; empty: unknown
  std::string source;     // of its speed: "table", "driver", "assumed", "measured"
  double memory = 0;      // 0: unknown
  double taken = 0;       // reserved by the driver, or used by others
  double gbs = 0;         // 1e9 bytes a second of its memory
  double tflops = 0;      // dense BF16; of a CPU F32
  double fp8_tflops = 0;  // 0: has none
  bool consumer = false, unified = false;
  int cores = 0;      // of a CPU
  std::string unfit;  // why it is left out: "lost", "in MIG mode"; empty: it is not

  bool cpu() const { return gpu < 0; }
  /// Whether a copy of one stands for the other.
  bool same_as(const Device& other) const {
    return model == other.model && memory == other.memory && cpu() == other.cpu();
  }
};

/// What is known better than the topology says.
struct DeviceWishes {
  std::string gpu;            // model of GPUs of which no table tells; empty: guessed from links
  double cpu_gbs = 0;         // measured read bandwidth of the whole machine; 0: assumed
  double cpu_tflops = 0;      // measured
  double utilisation = 0.90;  // share of memory that may be used
};

/// The GPUs, by index, also unfit ones.
std::vector<Device> gpu_devices(const Topology& topology, const DeviceWishes& wishes);

/// Memory nodes that have cores, by index.
std::vector<Device> cpu_devices(const Topology& topology, const DeviceWishes& wishes);

/// U of section 6: bytes a rank may take.
double usable_bytes(const Device& device, double utilisation);

}  // namespace aictl::placement
