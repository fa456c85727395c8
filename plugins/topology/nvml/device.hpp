// What the driver says of one GPU, field by field; a field it does not tell gets a reason.
#pragma once

#include <string_view>

#include "core/topology/topology.hpp"
#include "plugins/topology/nvml/library.hpp"

namespace aictl::nvml {

/// One device and where its facts go. `gpu` must outlive it.
class DeviceReader {
 public:
  DeviceReader(const Library& library, Device device, topology::Gpu& gpu)
      : library_(library), api_(library.api()), device_(device), gpu_(gpu) {}

  /// Name, UUID, architecture, memory, PCI Express link, place.
  void read_identity();
  void read_memory(std::optional<uint64_t> host_bytes);
  void read_pcie();
  /// CPUs and memory nodes near it, where the PCI tree does not tell.
  void read_place(bool in_tree);
  /// Power, heat, clocks, ECC, persistence, MIG, fabric.
  void read_state();

 private:
  /// Whether a call succeeded; otherwise notes why `field` is missing.
  bool told(int status, std::string_view field);
  template <typename T>
  std::optional<T> ask(const Call<Device, T*>& call, std::string_view field) {
    T value = {};
    return told(call(device_, &value), field) ? std::optional(value) : std::nullopt;
  }
  std::string text(const Call<Device, char*, unsigned>& call, std::string_view field);
  void read_power();
  void read_ecc();
  void read_fabric();
  void read_mig();

  const Library& library_;
  const Api& api_;
  Device device_;
  topology::Gpu& gpu_;
};

/// The PCI address of a device or of the far end of a link.
topology::PciAddress address_of(const PciInfo& info);

}  // namespace aictl::nvml
