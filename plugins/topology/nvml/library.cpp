#include "plugins/topology/nvml/library.hpp"

#include <dlfcn.h>

#include <initializer_list>
#include <vector>

#include <fmt/format.h>

namespace aictl::nvml {
namespace {

/// The name of the library, then where drivers put it besides: distributions, WSL, container hosts.
const std::vector<std::string>& usual_places() {
  static const std::vector<std::string> kPlaces = {
      "libnvidia-ml.so.1",
      "/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1",
      "/usr/lib/aarch64-linux-gnu/libnvidia-ml.so.1",
      "/usr/lib64/libnvidia-ml.so.1",
      "/usr/lib/libnvidia-ml.so.1",
      "/usr/lib/wsl/lib/libnvidia-ml.so.1",
      "/usr/local/nvidia/lib64/libnvidia-ml.so.1",
      "/run/opengl-driver/lib/libnvidia-ml.so.1",
      "/run/nvidia/driver/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1",
      "/run/nvidia/driver/usr/lib/aarch64-linux-gnu/libnvidia-ml.so.1",
  };
  return kPlaces;
}

/// The file a loaded library came from.
std::string file_of(void* handle) {
  void* symbol = dlsym(handle, "nvmlInit_v2");
  if (symbol == nullptr) symbol = dlsym(handle, "nvmlInit");
  Dl_info info = {};
  if (symbol == nullptr || dladdr(symbol, &info) == 0 || info.dli_fname == nullptr) return "";
  return info.dli_fname;
}

/// Loads the library at `path`; nullptr when it is not there, is no NVML, or is the stub of the
/// toolkit, which answers every call with an error.
void* load(const std::string& path) {
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return nullptr;
  const std::string file = file_of(handle);
  if (!file.empty() && file.find("/stubs/") == file.npos) return handle;
  dlclose(handle);
  return nullptr;
}

/// Finds the first of `names` that the library has.
template <typename... Args>
void find(void* handle, Call<Args...>& call, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    call.function = reinterpret_cast<int (*)(Args...)>(dlsym(handle, name));
    if (call) return;
  }
}

void find_system(void* handle, Api& api) {
  find(handle, api.init, {"nvmlInit_v2", "nvmlInit"});
  find(handle, api.shutdown, {"nvmlShutdown"});
  api.error_string = reinterpret_cast<const char* (*)(int)>(dlsym(handle, "nvmlErrorString"));
  find(handle, api.driver_version, {"nvmlSystemGetDriverVersion"});
  find(handle, api.cuda_version,
       {"nvmlSystemGetCudaDriverVersion_v2", "nvmlSystemGetCudaDriverVersion"});
  find(handle, api.count, {"nvmlDeviceGetCount_v2", "nvmlDeviceGetCount"});
  find(handle, api.handle, {"nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetHandleByIndex"});
}

void find_device(void* handle, Api& api) {
  find(handle, api.name, {"nvmlDeviceGetName"});
  find(handle, api.uuid, {"nvmlDeviceGetUUID"});
  find(handle, api.serial, {"nvmlDeviceGetSerial"});
  find(handle, api.vbios, {"nvmlDeviceGetVbiosVersion"});
  find(handle, api.pci_info,
       {"nvmlDeviceGetPciInfo_v3", "nvmlDeviceGetPciInfo_v2", "nvmlDeviceGetPciInfo"});
  find(handle, api.architecture, {"nvmlDeviceGetArchitecture"});
  find(handle, api.compute_capability, {"nvmlDeviceGetCudaComputeCapability"});
  find(handle, api.memory_v2, {"nvmlDeviceGetMemoryInfo_v2"});
  find(handle, api.memory_v1, {"nvmlDeviceGetMemoryInfo"});
  find(handle, api.bar1, {"nvmlDeviceGetBAR1MemoryInfo"});
  find(handle, api.bus_width, {"nvmlDeviceGetMemoryBusWidth"});
  find(handle, api.max_clock, {"nvmlDeviceGetMaxClockInfo"});
  find(handle, api.generation, {"nvmlDeviceGetCurrPcieLinkGeneration"});
  find(handle, api.width, {"nvmlDeviceGetCurrPcieLinkWidth"});
  find(handle, api.max_generation, {"nvmlDeviceGetMaxPcieLinkGeneration"});
  find(handle, api.max_width, {"nvmlDeviceGetMaxPcieLinkWidth"});
  find(handle, api.replays, {"nvmlDeviceGetPcieReplayCounter"});
  find(handle, api.cpu_affinity, {"nvmlDeviceGetCpuAffinityWithinScope"});
  find(handle, api.memory_affinity, {"nvmlDeviceGetMemoryAffinity"});
  find(handle, api.numa_node, {"nvmlDeviceGetNumaNodeId"});
  find(handle, api.common_ancestor, {"nvmlDeviceGetTopologyCommonAncestor"});
  find(handle, api.p2p_status, {"nvmlDeviceGetP2PStatus"});
}

void find_links(void* handle, Api& api) {
  find(handle, api.nvlink_state, {"nvmlDeviceGetNvLinkState"});
  find(handle, api.nvlink_version, {"nvmlDeviceGetNvLinkVersion"});
  find(handle, api.nvlink_remote_type, {"nvmlDeviceGetNvLinkRemoteDeviceType"});
  find(handle, api.nvlink_remote,
       {"nvmlDeviceGetNvLinkRemotePciInfo_v2", "nvmlDeviceGetNvLinkRemotePciInfo"});
  find(handle, api.nvlink_errors, {"nvmlDeviceGetNvLinkErrorCounter"});
  find(handle, api.fields, {"nvmlDeviceGetFieldValues"});
  find(handle, api.fabric_v2, {"nvmlDeviceGetGpuFabricInfoV"});
  find(handle, api.fabric_v1, {"nvmlDeviceGetGpuFabricInfo"});
  find(handle, api.c2c, {"nvmlDeviceGetC2cModeInfoV"});
}

void find_state(void* handle, Api& api) {
  find(handle, api.mig_mode, {"nvmlDeviceGetMigMode"});
  find(handle, api.max_mig, {"nvmlDeviceGetMaxMigDeviceCount"});
  find(handle, api.mig_device, {"nvmlDeviceGetMigDeviceHandleByIndex"});
  find(handle, api.attributes, {"nvmlDeviceGetAttributes_v2", "nvmlDeviceGetAttributes"});
  find(handle, api.power, {"nvmlDeviceGetPowerUsage"});
  find(handle, api.power_limit, {"nvmlDeviceGetEnforcedPowerLimit"});
  find(handle, api.power_default, {"nvmlDeviceGetPowerManagementDefaultLimit"});
  find(handle, api.persistence, {"nvmlDeviceGetPersistenceMode"});
  find(handle, api.temperature, {"nvmlDeviceGetTemperature"});
  find(handle, api.clock_reasons,
       {"nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons"});
  find(handle, api.utilisation, {"nvmlDeviceGetUtilizationRates"});
  find(handle, api.ecc_mode, {"nvmlDeviceGetEccMode"});
  find(handle, api.ecc_errors, {"nvmlDeviceGetTotalEccErrors"});
  find(handle, api.remapped_rows, {"nvmlDeviceGetRemappedRows"});
}

}  // namespace

Library::Library(void* handle) : handle_(handle) {
  find_system(handle, api_);
  find_device(handle, api_);
  find_links(handle, api_);
  find_state(handle, api_);
}

Library::~Library() {
  if (initialised_) api_.shutdown();
  dlclose(handle_);
}

Result<std::unique_ptr<Library>> Library::open(const std::string& path) {
  void* handle = nullptr;
  if (!path.empty()) {
    handle = load(path);
  } else {
    for (const std::string& place : usual_places())
      if (handle == nullptr) handle = load(place);
  }
  if (handle == nullptr)
    return Error{ErrorCode::kNotFound,
                 path.empty() ? "no libnvidia-ml.so.1 in the usual places"
                              : fmt::format("{} is no NVML library of a driver", path),
                 "it comes with NVIDIA's driver; --nvml PATH names another place"};
  std::unique_ptr<Library> library(new Library(handle));
  const int status = library->api_.init();
  if (status != kSuccess)
    return Error{ErrorCode::kUnavailable,
                 fmt::format("nvmlInit: {} ({})", library->reason(status), status),
                 "see nvidia-smi and the kernel's log"};
  library->initialised_ = true;
  return library;
}

std::string Library::reason(int status) const {
  switch (status) {
    case kNotSupported:
      return "not supported";
    case kNoPermission:
      return "no permission";
    case kNotFound:
      return "not found";
    case kFunctionNotFound:
      return "this driver is too old to tell";
    case kGpuIsLost:
      return "the GPU is lost";
    default:
      break;
  }
  const char* text = api_.error_string == nullptr ? nullptr : api_.error_string(status);
  return text == nullptr ? fmt::format("NVML status {}", status) : text;
}

}  // namespace aictl::nvml
