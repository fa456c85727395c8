// libnvidia-ml, found at run time. Every symbol may be missing: a call through a missing one
// answers kFunctionNotFound.
#pragma once

#include <memory>
#include <string>

#include "core/base/result.hpp"
#include "plugins/topology/nvml/abi.hpp"

namespace aictl::nvml {

/// A function of the library. Calling an absent one is allowed.
template <typename... Args>
struct Call {
  int (*function)(Args...) = nullptr;

  explicit operator bool() const { return function != nullptr; }
  int operator()(Args... args) const {
    return function == nullptr ? kFunctionNotFound : function(args...);
  }
};

/// The functions, under their names there without "nvml" and "Device". Where versions share a
/// layout the newest one of the driver is taken.
struct Api {
  Call<> init, shutdown;
  const char* (*error_string)(int) = nullptr;
  // The system
  Call<char*, unsigned> driver_version;
  Call<int*> cuda_version;
  Call<unsigned*> count;
  Call<unsigned, Device*> handle;
  // One device: identity
  Call<Device, char*, unsigned> name, uuid, serial, vbios;
  Call<Device, PciInfo*> pci_info;
  Call<Device, unsigned*> architecture;
  Call<Device, int*, int*> compute_capability;
  // Memory
  Call<Device, MemoryV2*> memory_v2;
  Call<Device, MemoryV1*> memory_v1;
  Call<Device, Bar1Memory*> bar1;
  Call<Device, unsigned*> bus_width;
  Call<Device, unsigned, unsigned*> max_clock;
  // PCI Express
  Call<Device, unsigned*> generation, width, max_generation, max_width, replays;
  // Place
  Call<Device, unsigned, unsigned long*, unsigned> cpu_affinity, memory_affinity;
  Call<Device, unsigned*> numa_node;
  Call<Device, Device, unsigned*> common_ancestor;
  Call<Device, Device, unsigned, unsigned*> p2p_status;
  // Links
  Call<Device, unsigned, unsigned*> nvlink_state, nvlink_version, nvlink_remote_type;
  Call<Device, unsigned, PciInfo*> nvlink_remote;
  Call<Device, unsigned, unsigned, unsigned long long*> nvlink_errors;
  Call<Device, int, FieldValue*> fields;
  Call<Device, FabricInfoV2*> fabric_v2;
  Call<Device, FabricInfoV1*> fabric_v1;
  Call<Device, C2cMode*> c2c;
  // MIG
  Call<Device, unsigned*, unsigned*> mig_mode;
  Call<Device, unsigned*> max_mig;
  Call<Device, unsigned, Device*> mig_device;
  Call<Device, Attributes*> attributes;
  // State
  Call<Device, unsigned*> power, power_limit, power_default, persistence;
  Call<Device, unsigned, unsigned*> temperature;
  Call<Device, unsigned long long*> clock_reasons;
  Call<Device, Utilisation*> utilisation;
  Call<Device, unsigned*, unsigned*> ecc_mode;
  Call<Device, unsigned, unsigned, unsigned long long*> ecc_errors;
  Call<Device, unsigned*, unsigned*, unsigned*, unsigned*> remapped_rows;
};

/// The library, loaded and initialised; shut down in the end.
class Library {
 public:
  /// Looks at `path`, or in the usual places when it is empty; never at a stub library, which is
  /// for linking only. Errors: kNotFound when there is none; kUnavailable when it does not
  /// initialise, with NVML's own words.
  static Result<std::unique_ptr<Library>> open(const std::string& path);
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  const Api& api() const { return api_; }
  /// Why a call failed: "not supported", "no permission", or NVML's words.
  std::string reason(int status) const;

 private:
  explicit Library(void* handle);

  void* handle_;
  bool initialised_ = false;
  Api api_;
};

}  // namespace aictl::nvml
