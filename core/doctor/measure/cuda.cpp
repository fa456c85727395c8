#include "core/doctor/measure/cuda.hpp"

#include <dlfcn.h>

#include <fmt/format.h>

namespace aictl::doctor {
namespace {

constexpr const char* kPlaces[] = {"libcuda.so.1", "/usr/lib/wsl/lib/libcuda.so.1",
                                   "/run/opengl-driver/lib/libcuda.so.1",
                                   "/usr/local/nvidia/lib64/libcuda.so.1"};

}  // namespace

Result<CudaDriver> open_cuda(const std::string& path) {
  void* handle = nullptr;
  if (!path.empty()) {
    handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  } else {
    for (const char* place : kPlaces)
      if (handle == nullptr) handle = dlopen(place, RTLD_NOW | RTLD_LOCAL);
  }
  if (handle == nullptr)
    return Error{ErrorCode::kNotFound,
                 path.empty() ? "no libcuda.so.1 in the usual places"
                              : fmt::format("{} is no library that can be loaded", path),
                 "it comes with NVIDIA's driver; --cuda PATH names another place"};
  CudaDriver driver;
  std::string missing;
  const auto find = [&](auto& call, const char* name) {
    call = reinterpret_cast<std::remove_reference_t<decltype(call)>>(dlsym(handle, name));
    if (call == nullptr) missing = name;
  };
  find(driver.init, "cuInit");
  find(driver.device_count, "cuDeviceGetCount");
  find(driver.device, "cuDeviceGet");
  find(driver.pci_bus_id, "cuDeviceGetPCIBusId");
  find(driver.can_access_peer, "cuDeviceCanAccessPeer");
  find(driver.retain_context, "cuDevicePrimaryCtxRetain");
  find(driver.set_context, "cuCtxSetCurrent");
  find(driver.enable_peer, "cuCtxEnablePeerAccess");
  find(driver.synchronize, "cuCtxSynchronize");
  find(driver.allocate, "cuMemAlloc_v2");
  find(driver.release, "cuMemFree_v2");
  find(driver.to_device, "cuMemcpyHtoD_v2");
  find(driver.to_host, "cuMemcpyDtoH_v2");
  find(driver.copy_peer, "cuMemcpyPeer");
  if (missing.empty()) return driver;
  return Error{ErrorCode::kNotFound, fmt::format("libcuda.so.1 has no {}", missing),
               "install a driver of this decade"};
}

}  // namespace aictl::doctor
