// The part of a GPU's facts that changes while it runs, and how it is divided.
#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "plugins/topology/nvml/device.hpp"

namespace aictl::nvml {
namespace {

constexpr unsigned kUncorrected = 1, kSinceDriverLoad = 0;
constexpr unsigned kMaxMig = 64;

/// "1g.10gb", "1c.3g.40gb": as NVIDIA names profiles.
std::string profile_name(const Attributes& slice) {
  const double gigabytes = std::round(double(slice.memory_mib) / 1024);
  std::string name = fmt::format("{}g.{:.0f}gb", slice.gpu_slices, gigabytes);
  if (slice.compute_slices < slice.gpu_slices)
    name = fmt::format("{}c.{}", slice.compute_slices, name);
  return name;
}

/// "e4a9…-…": 16 bytes as a UUID.
std::string uuid_text(const unsigned char (&bytes)[16]) {
  std::string text;
  for (int i = 0; i < 16; ++i)
    text += fmt::format("{}{:02x}", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", bytes[i]);
  return text;
}

}  // namespace

void DeviceReader::read_state() {
  read_power();
  read_ecc();
  read_fabric();
  read_mig();
}

void DeviceReader::read_power() {
  const auto watts = [&](std::optional<double>& field, const Call<Device, unsigned*>& call,
                         std::string_view name) {
    if (const auto milliwatts = ask(call, name)) field = *milliwatts / 1000.0;
  };
  watts(gpu_.power_watts, api_.power, "power_watts");
  watts(gpu_.power_limit_watts, api_.power_limit, "power_limit_watts");
  watts(gpu_.power_default_watts, api_.power_default, "power_default_watts");
  unsigned degrees = 0;
  if (told(api_.temperature(device_, 0, &degrees), "temperature_c")) gpu_.temperature_c = degrees;
  if (const auto reasons = ask(api_.clock_reasons, "clock_reasons")) gpu_.clock_reasons = *reasons;
  if (const auto rates = ask(api_.utilisation, "utilisation")) gpu_.utilisation = int(rates->gpu);
  if (const auto mode = ask(api_.persistence, "persistence")) gpu_.persistence = *mode != 0;
}

void DeviceReader::read_ecc() {
  unsigned now = 0, pending = 0;
  if (told(api_.ecc_mode(device_, &now, &pending), "ecc")) gpu_.ecc = now != 0;
  unsigned long long errors = 0;
  if (told(api_.ecc_errors(device_, kUncorrected, kSinceDriverLoad, &errors), "ecc_uncorrected"))
    gpu_.ecc_uncorrected = errors;
  unsigned corrected = 0, uncorrected = 0, remap_pending = 0, remap_failed = 0;
  if (!told(api_.remapped_rows(device_, &corrected, &uncorrected, &remap_pending, &remap_failed),
            "remap_pending"))
    return;
  gpu_.remap_pending = remap_pending != 0;
  gpu_.remap_failed = remap_failed != 0;
}

void DeviceReader::read_fabric() {
  FabricInfoV2 info = {};
  info.version = version_of<FabricInfoV2>(2);
  int status = api_.fabric_v2(device_, &info);
  if (status != kSuccess) {
    FabricInfoV1 old = {};
    const int second = api_.fabric_v1(device_, &old);
    if (second == kSuccess) {
      std::copy(std::begin(old.cluster_uuid), std::end(old.cluster_uuid), info.cluster_uuid);
      info.clique = old.clique;
      info.state = old.state;
      status = second;
    }
  }
  if (!told(status, "fabric_state")) return;
  gpu_.fabric_state = info.state;
  const bool named = std::any_of(std::begin(info.cluster_uuid), std::end(info.cluster_uuid),
                                 [](unsigned char byte) { return byte != 0; });
  if (named) gpu_.fabric_cluster = fmt::format("{}.{}", uuid_text(info.cluster_uuid), info.clique);
}

void DeviceReader::read_mig() {
  unsigned now = 0, pending = 0;
  if (!told(api_.mig_mode(device_, &now, &pending), "mig")) return;
  gpu_.mig_enabled = now != 0;
  unsigned most = 0;
  if (!gpu_.mig_enabled || api_.max_mig(device_, &most) != kSuccess) return;
  for (unsigned i = 0; i < std::min(most, kMaxMig); ++i) {
    Device slice = nullptr;
    if (api_.mig_device(device_, i, &slice) != kSuccess) continue;  // a place that is free
    topology::MigInstance instance;
    std::array<char, 128> uuid = {};
    if (api_.uuid(slice, uuid.data(), unsigned(uuid.size() - 1)) == kSuccess)
      instance.uuid = uuid.data();
    Attributes attributes = {};
    if (api_.attributes(slice, &attributes) == kSuccess) {
      instance.profile = profile_name(attributes);
      instance.memory_bytes = uint64_t(attributes.memory_mib) << 20;
      instance.sm_count = int(attributes.multiprocessors);
    }
    gpu_.mig.push_back(std::move(instance));
  }
}

}  // namespace aictl::nvml
