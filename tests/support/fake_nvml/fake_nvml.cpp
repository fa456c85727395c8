// libnvidia-ml.so.1 without a driver: the same names and layouts, the answers of a scenario.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>

#include "plugins/topology/nvml/abi.hpp"
#include "tests/support/fake_nvml/scenario.hpp"

namespace aictl::nvml {
/// What a handle points to: a GPU, or a slice of it.
struct DeviceHandle {
  const fake_nvml::Gpu* gpu = nullptr;
  const fake_nvml::Slice* slice = nullptr;
  unsigned index = 0;
};
}  // namespace aictl::nvml

namespace {

using namespace aictl::nvml;

constexpr int kUninitialised = 1, kInvalidArgument = 2;

fake_nvml::Scenario current;
std::deque<DeviceHandle> handles;  // stays in place as it grows

/// What any question to a device answers first.
int alive(Device device) {
  if (device == nullptr || device->gpu == nullptr) return kInvalidArgument;
  return device->gpu->lost ? kGpuIsLost : kSuccess;
}

int put(char* out, unsigned size, const std::string& text) {
  std::snprintf(out, size, "%s", text.c_str());
  return kSuccess;
}

void put_pci(PciInfo* info, unsigned bus) {
  *info = {};
  info->bus = bus;
  std::snprintf(info->bus_id, sizeof info->bus_id, "00000000:%02X:00.0", bus & 0xffu);
}

template <typename T>
int answer(Device device, T* out, T value, bool supported = true) {
  if (const int status = alive(device); status != kSuccess) return status;
  if (!supported) return kNotSupported;
  *out = value;
  return kSuccess;
}

}  // namespace

extern "C" {

int nvmlInit_v2() {
  const char* name = std::getenv("AICTL_FAKE_NVML");
  current = fake_nvml::scenario(name == nullptr ? "" : name);
  handles.clear();
  for (unsigned i = 0; i < current.gpus.size(); ++i)
    handles.push_back({&current.gpus[i], nullptr, i});
  return current.init_status;
}
int nvmlShutdown() { return kSuccess; }
const char* nvmlErrorString(int status) {
  switch (status) {
    case kUninitialised:
      return "Uninitialized";
    case 9:
      return "Driver Not Loaded";
    default:
      return "Unknown Error";
  }
}
int nvmlSystemGetDriverVersion(char* out, unsigned size) { return put(out, size, "580.95.05"); }
int nvmlSystemGetCudaDriverVersion_v2(int* out) { return *out = 13000, kSuccess; }
int nvmlDeviceGetCount_v2(unsigned* out) { return *out = unsigned(current.gpus.size()), kSuccess; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, Device* out) {
  if (index >= current.gpus.size()) return kInvalidArgument;
  if (current.gpus[index].no_handle) return kGpuIsLost;
  *out = &handles[index];
  return kSuccess;
}
int nvmlDeviceGetPciInfo_v3(Device device, PciInfo* out) {
  put_pci(out, device->gpu->bus);  // answered from memory, even for a lost GPU
  return kSuccess;
}
int nvmlDeviceGetName(Device device, char* out, unsigned size) {
  const int status = alive(device);
  return status == kSuccess ? put(out, size, device->gpu->name) : status;
}
int nvmlDeviceGetUUID(Device device, char* out, unsigned size) {
  if (device->slice != nullptr) return put(out, size, "MIG-" + std::to_string(device->index));
  const int status = alive(device);
  return status == kSuccess ? put(out, size, "GPU-" + std::to_string(device->index)) : status;
}
int nvmlDeviceGetMemoryInfo(Device device, MemoryV1* out) {
  const auto total = device->gpu->memory;
  return answer(device, out, MemoryV1{total, total - (1ull << 30), 1ull << 30}, total != 0);
}
int nvmlDeviceGetPersistenceMode(Device device, unsigned* out) { return answer(device, out, 1u); }
int nvmlDeviceGetPowerUsage(Device device, unsigned* out) { return answer(device, out, 123456u); }
int nvmlDeviceGetTemperature(Device device, unsigned, unsigned* out) {
  return answer(device, out, 41u);
}
int nvmlDeviceGetCurrPcieLinkGeneration(Device device, unsigned* out) {
  return answer(device, out, 1u);
}
int nvmlDeviceGetCurrPcieLinkWidth(Device device, unsigned* out) {
  return answer(device, out, 16u);
}
int nvmlDeviceGetMaxPcieLinkGeneration(Device device, unsigned* out) {
  return answer(device, out, 5u);
}
int nvmlDeviceGetMaxPcieLinkWidth(Device device, unsigned* out) { return answer(device, out, 16u); }

#ifndef AICTL_FAKE_NVML_OLD
int nvmlDeviceGetSerial(Device device, char*, unsigned) {
  const int status = alive(device);
  return status == kSuccess ? kNotSupported : status;
}
int nvmlDeviceGetVbiosVersion(Device device, char* out, unsigned size) {
  const int status = alive(device);
  return status == kSuccess ? put(out, size, "96.00.74.00.01") : status;
}
int nvmlDeviceGetArchitecture(Device device, unsigned* out) {
  return answer(device, out, device->gpu->architecture);
}
int nvmlDeviceGetCudaComputeCapability(Device device, int* major, int* minor) {
  *minor = device->gpu->minor;
  return answer(device, major, device->gpu->major);
}
int nvmlDeviceGetMemoryInfo_v2(Device device, MemoryV2* out) {
  if (out->version != version_of<MemoryV2>(2)) return 25;
  const auto total = device->gpu->memory;
  return answer(device, out,
                MemoryV2{out->version, total, 512ull << 20, total - (2ull << 30), 1ull << 30},
                total != 0);
}
int nvmlDeviceGetBAR1MemoryInfo(Device device, Bar1Memory* out) {
  return answer(device, out, Bar1Memory{128ull << 30, 0, 0}, device->gpu->memory != 0);
}
int nvmlDeviceGetMemoryBusWidth(Device device, unsigned* out) {
  return answer(device, out, device->gpu->bus_width, device->gpu->bus_width != 0);
}
int nvmlDeviceGetMaxClockInfo(Device device, unsigned, unsigned* out) {
  return answer(device, out, device->gpu->memory_mhz, device->gpu->memory_mhz != 0);
}
int nvmlDeviceGetPcieReplayCounter(Device device, unsigned* out) { return answer(device, out, 7u); }
int nvmlDeviceGetCpuAffinityWithinScope(Device device, unsigned words, unsigned long* out,
                                        unsigned) {
  std::fill(out, out + words, 0ul);
  return answer(device, out, 0xfful << (device->index % 2 * 8));
}
int nvmlDeviceGetMemoryAffinity(Device device, unsigned words, unsigned long* out, unsigned) {
  std::fill(out, out + words, 0ul);
  return answer(device, out, device->gpu->own_node >= 0 ? 1ul : 1ul << device->index % 2);
}
int nvmlDeviceGetNumaNodeId(Device device, unsigned* out) {
  return answer(device, out, unsigned(device->gpu->own_node), device->gpu->own_node >= 0);
}
int nvmlDeviceGetTopologyCommonAncestor(Device device, Device, unsigned* out) {
  return answer(device, out, current.ancestor);
}
int nvmlDeviceGetP2PStatus(Device device, Device, unsigned, unsigned* out) {
  return answer(device, out, current.p2p_status);
}
int nvmlDeviceGetNvLinkState(Device device, unsigned link, unsigned* out) {
  const bool up = link + unsigned(device->gpu->links_down) < device->gpu->nvlinks;
  return answer(device, out, up ? 1u : 0u, link < device->gpu->nvlinks);
}
int nvmlDeviceGetNvLinkVersion(Device device, unsigned, unsigned* out) {
  return answer(device, out, device->gpu->nvlink_version);
}
int nvmlDeviceGetNvLinkRemoteDeviceType(Device device, unsigned, unsigned* out) {
  return answer(device, out, device->gpu->to_switches ? kRemoteSwitch : kRemoteGpu);
}
int nvmlDeviceGetNvLinkRemotePciInfo_v2(Device device, unsigned link, PciInfo* out) {
  const unsigned next = (device->index + 1) % unsigned(current.gpus.size());
  put_pci(out, device->gpu->to_switches ? 0xc0 + link % 4 : current.gpus[next].bus);
  return alive(device);
}
int nvmlDeviceGetNvLinkErrorCounter(Device device, unsigned link, unsigned counter,
                                    unsigned long long* out) {
  return answer(device, out, link == 0 && counter == 0 ? 3ull : 0ull);
}
int nvmlDeviceGetFieldValues(Device device, int count, FieldValue* values) {
  for (int i = 0; i < count; ++i) {
    FieldValue& value = values[i];
    value.type = 1;
    value.status = kNotSupported;
    const auto set = [&](unsigned number) { value.value.u32 = number, value.status = kSuccess; };
    if (value.field == kFieldNvlinkSpeed && device->gpu->nvlink_mbps > 0)
      set(device->gpu->nvlink_mbps);
    if (value.field == kFieldNvlinkCount && device->gpu->nvlinks > 0) set(device->gpu->nvlinks);
    if (value.field == kFieldC2cCount && device->gpu->c2c) set(10);
    if (value.field == kFieldC2cSpeed && device->gpu->c2c) set(45000);
  }
  return alive(device);
}
int nvmlDeviceGetGpuFabricInfoV(Device device, FabricInfoV2* out) {
  if (out->version != version_of<FabricInfoV2>(2)) return 25;
  FabricInfoV2 info = *out;
  for (int i = 0; i < 16; ++i) info.cluster_uuid[i] = (unsigned char)(i * 17);
  info.clique = 5;
  info.state = (unsigned char)(device->gpu->fabric_state);
  return answer(device, out, info, device->gpu->fabric_state >= 0);
}
int nvmlDeviceGetC2cModeInfoV(Device device, C2cMode* out) {
  return answer(device, out, C2cMode{1}, device->gpu->c2c);
}
int nvmlDeviceGetMigMode(Device device, unsigned* now, unsigned* pending) {
  *pending = 0;
  return answer(device, now, device->gpu->slices.empty() ? 0u : 1u, device->gpu->memory != 0);
}
int nvmlDeviceGetMaxMigDeviceCount(Device device, unsigned* out) { return answer(device, out, 7u); }
int nvmlDeviceGetMigDeviceHandleByIndex(Device device, unsigned index, Device* out) {
  if (index >= device->gpu->slices.size()) return kNotFound;
  handles.push_back({device->gpu, &device->gpu->slices[index], index});
  *out = &handles.back();
  return kSuccess;
}
int nvmlDeviceGetAttributes_v2(Device device, Attributes* out) {
  if (device->slice == nullptr) return kNotSupported;
  *out = {};
  out->multiprocessors = device->slice->multiprocessors;
  out->gpu_slices = device->slice->gpu_slices;
  out->compute_slices = device->slice->compute_slices;
  out->memory_mib = device->slice->memory_mib;
  return kSuccess;
}
int nvmlDeviceGetEnforcedPowerLimit(Device device, unsigned* out) {
  return answer(device, out, 500000u);
}
int nvmlDeviceGetPowerManagementDefaultLimit(Device device, unsigned* out) {
  return answer(device, out, 700000u);
}
int nvmlDeviceGetCurrentClocksEventReasons(Device device, unsigned long long* out) {
  return answer(device, out, 4ull);
}
int nvmlDeviceGetUtilizationRates(Device device, Utilisation* out) {
  return answer(device, out, Utilisation{55, 20}, device->gpu->slices.empty());
}
int nvmlDeviceGetEccMode(Device device, unsigned* now, unsigned* pending) {
  *pending = 1;
  return answer(device, now, 1u);
}
int nvmlDeviceGetTotalEccErrors(Device device, unsigned, unsigned, unsigned long long* out) {
  return answer(device, out, 2ull);
}
int nvmlDeviceGetRemappedRows(Device device, unsigned*, unsigned*, unsigned* pending,
                              unsigned* failed) {
  *failed = 0;
  return answer(device, pending, 1u);
}
#endif  // AICTL_FAKE_NVML_OLD

}  // extern "C"
