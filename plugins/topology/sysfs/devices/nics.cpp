// Network cards: the RDMA device and the interfaces of one PCI function are one NIC, named by the
// former as NCCL does; speed, state, locality.
#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "plugins/topology/sysfs/parts.hpp"

namespace aictl::sysfs {
namespace {

using topology::Nic;
using topology::PciAddress;

constexpr double kBitsPerByte = 8;
constexpr size_t kMaxNics = 4096;

/// The NIC at `address`; a new one when nobody saw it. nullptr: there are too many.
Nic* nic_at(Topology& topology, const PciAddress& address) {
  for (Nic& nic : topology.nics)
    if (nic.pci == address) return &nic;
  if (topology.nics.size() == kMaxNics) return nullptr;
  topology.nics.emplace_back().pci = address;
  return &topology.nics.back();
}

/// The NIC that `name` in `folder` of /sys/class is, or belongs to; nullptr for what has no PCI
/// function: a bridge, a tunnel, loopback.
Nic* nic_called(const Root& root, const std::string& folder, const std::string& name,
                Topology& topology) {
  const auto address = last_pci(root.link(folder + name));
  Nic* nic = address ? nic_at(topology, *address) : nullptr;
  if (nic == nullptr) return nullptr;
  if (std::find(nic->names.begin(), nic->names.end(), name) == nic->names.end())
    nic->names.push_back(name);
  nic->virtual_function |=
      !root.link(fmt::format("sys/bus/pci/devices/{}/physfn", address->text())).empty();
  fill_locality(root, *address, nic->cpuset, nic->nodeset);
  return nic;
}

/// "56 Gb/sec (4X FDR)" in GB/s.
std::optional<double> port_rate(const std::string& text) {
  double gigabits = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), gigabits);
  if (error != std::errc() || !(gigabits > 0) || gigabits > 1e5) return std::nullopt;
  return gigabits / kBitsPerByte;
}

void look_at_rdma(const Root& root, const std::string& name, Topology& topology) {
  const std::string folder = "sys/class/infiniband/";
  Nic* nic = nic_called(root, folder, name, topology);
  if (nic == nullptr) return;
  nic->name = name;
  for (const std::string& port : root.names(folder + name + "/ports")) {
    const std::string at = fmt::format("{}{}/ports/{}/", folder, name, port);
    // "4: ACTIVE"; the rate of a port that is down is made up.
    const bool active = root.word(at + "state").starts_with("4:");
    if (nic->kind.empty())
      nic->kind = root.word(at + "link_layer") == "Ethernet" ? "ethernet" : "infiniband";
    if (nic->state != "up") nic->state = active ? "up" : "down";
    const auto rate = port_rate(root.word(at + "rate"));
    if (active && rate) nic->gbs = std::max(nic->gbs.value_or(0), *rate);
  }
}

void look_at_interface(const Root& root, const std::string& name, Topology& topology) {
  const std::string folder = "sys/class/net/";
  Nic* nic = nic_called(root, folder, name, topology);
  if (nic == nullptr) return;
  if (nic->name.empty()) nic->name = name;
  constexpr int64_t kInfiniband = 32;  // ARPHRD_INFINIBAND
  if (nic->kind.empty())
    nic->kind = root.number(folder + name + "/type") == kInfiniband ? "infiniband" : "ethernet";
  // Mbit/s; -1, or no answer, while the link is down.
  const int64_t speed = root.number(folder + name + "/speed").value_or(-1);
  if (speed > 0 && speed < 1 << 30)
    nic->gbs = std::max(nic->gbs.value_or(0), double(speed) / 1000 / kBitsPerByte);
  if (nic->state != "up")
    if (const std::string state = root.word(folder + name + "/operstate"); !state.empty())
      nic->state = state;
}

}  // namespace

void look_at_nics(const Root& root, Topology& topology) {
  for (const std::string& name : root.names("sys/class/infiniband"))
    look_at_rdma(root, name, topology);
  for (const std::string& name : root.names("sys/class/net"))
    look_at_interface(root, name, topology);
}

}  // namespace aictl::sysfs
