// The machines the fake driver can pretend to be.
#pragma once

#include <string>
#include <vector>

namespace fake_nvml {

struct Slice {
  unsigned gpu_slices = 1, compute_slices = 1, multiprocessors = 16;
  unsigned long long memory_mib = 9984;
};

struct Gpu {
  unsigned bus = 0;
  std::string name = "NVIDIA H100 80GB HBM3";
  unsigned architecture = 9;
  int major = 9, minor = 0;
  unsigned long long memory = 85520809984ull;  // 0: not supported
  unsigned bus_width = 5120, memory_mhz = 2619;
  unsigned nvlinks = 0;
  bool to_switches = true;      // else to the next GPU of the scenario
  unsigned nvlink_version = 6;  // 4.0
  unsigned nvlink_mbps = 25000;
  int links_down = 0;
  int fabric_state = -1;  // -1: not supported
  bool lost = false;      // gives a handle, answers nothing
  bool no_handle = false;
  bool c2c = false;
  int own_node = -1;
  std::vector<Slice> slices;  // in MIG mode when there are some
};

struct Scenario {
  int init_status = 0;
  std::vector<Gpu> gpus;
  unsigned ancestor = 30;  // of any two GPUs: PHB
  unsigned p2p_status = 0;
};

/// The scenario of a name; one without GPUs when there is no such name.
Scenario scenario(const std::string& name);

}  // namespace fake_nvml
