// What a copy test needs of NVIDIA's driver, libcuda.so.1, found when it is asked for: its own
// names and layouts, no toolkit. https://docs.nvidia.com/cuda/cuda-driver-api
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/base/result.hpp"

namespace aictl::doctor {

/// The driver's calls; 0 is success everywhere.
struct CudaDriver {
  using Context = void*;
  using Address = uint64_t;
  int (*init)(unsigned flags) = nullptr;
  int (*device_count)(int* count) = nullptr;
  int (*device)(int* device, int ordinal) = nullptr;
  int (*pci_bus_id)(char* text, int size, int device) = nullptr;
  int (*can_access_peer)(int* can, int device, int peer) = nullptr;
  int (*retain_context)(Context* context, int device) = nullptr;
  int (*set_context)(Context context) = nullptr;
  int (*enable_peer)(Context peer, unsigned flags) = nullptr;
  int (*synchronize)() = nullptr;
  int (*allocate)(Address* address, size_t bytes) = nullptr;
  int (*release)(Address address) = nullptr;
  int (*to_device)(Address to, const void* from, size_t bytes) = nullptr;
  int (*to_host)(void* to, Address from, size_t bytes) = nullptr;
  int (*copy_peer)(Address to, Context to_context, Address from, Context from_context,
                   size_t bytes) = nullptr;
};

/// Loads the driver's library, by default from where drivers put it. It stays loaded. Errors:
/// kNotFound when there is none or it lacks a call.
Result<CudaDriver> open_cuda(const std::string& path);

}  // namespace aictl::doctor
