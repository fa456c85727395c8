// What of NVIDIA's management library is used here, declared by its published layout: the program
// builds without NVIDIA's headers, and finds out at run time what a driver has.
#pragma once

#include <cstdint>

namespace aictl::nvml {

using Device = struct DeviceHandle*;

// Statuses. The rest are told by nvmlErrorString.
inline constexpr int kSuccess = 0, kNotSupported = 3, kNoPermission = 4, kNotFound = 6;
inline constexpr int kFunctionNotFound = 13, kGpuIsLost = 15;

/// The version field of a structure: its size, and the number of its layout.
template <typename T>
constexpr unsigned version_of(unsigned layout) {
  return unsigned(sizeof(T)) | layout << 24;
}

struct PciInfo {
  char bus_id_legacy[16];
  unsigned domain, bus, device;
  unsigned device_id, subsystem_id;
  char bus_id[32];
};
static_assert(sizeof(PciInfo) == 68);

struct MemoryV1 {
  unsigned long long total, free, used;
};

struct MemoryV2 {
  unsigned version;
  unsigned long long total, reserved, free, used;
};
static_assert(sizeof(MemoryV2) == 40);

struct Bar1Memory {
  unsigned long long total, free, used;
};

struct Utilisation {
  unsigned gpu, memory;
};

struct FieldValue {
  unsigned field, scope;
  long long timestamp, latency_usec;
  unsigned type;  // of `value`: 0 double, 1 unsigned, 2 and 3 unsigned 64 bits, 4 signed 64 bits
  int status;
  union {
    double number;
    unsigned u32;
    unsigned long long u64;
  } value;
};
static_assert(sizeof(FieldValue) == 40);

inline constexpr unsigned kFieldNvlinkSpeed = 90;  // MB/s of one link
inline constexpr unsigned kFieldNvlinkCount = 91;
inline constexpr unsigned kFieldC2cCount = 170, kFieldC2cSpeed = 172;  // MB/s of one link

struct FabricInfoV2 {
  unsigned version;
  unsigned char cluster_uuid[16];
  int status;
  unsigned clique;
  unsigned char state;  // 0 not supported, 1 not started, 2 in progress, 3 completed
  unsigned health;
};
static_assert(sizeof(FabricInfoV2) == 36);

struct FabricInfoV1 {
  unsigned char cluster_uuid[16];
  int status;
  unsigned clique;
  unsigned char state;
};

struct Attributes {
  unsigned multiprocessors, copy_engines, decoders, encoders, jpegs, ofas;
  unsigned gpu_slices, compute_slices;
  unsigned long long memory_mib;
};
static_assert(sizeof(Attributes) == 40);

struct C2cMode {
  unsigned enabled;
};

// nvmlIntNvLinkDeviceType_t
inline constexpr unsigned kRemoteGpu = 0, kRemoteNpu = 1, kRemoteSwitch = 2;

}  // namespace aictl::nvml
