// Rules about the network and the disk the weights come from.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "core/base/units.hpp"
#include "core/doctor/rules/rules.hpp"
#include "core/placement/model/storage.hpp"

namespace aictl::doctor {
namespace {

using topology::Nic;
using topology::PciFacts;

constexpr double kFastNic = 3.0;  // GB/s: 25 Gbit/s and above carry collectives and weights

bool carries_tensors(const Nic& nic) {
  return !nic.virtual_function && nic.state != "down" &&
         (nic.kind == "infiniband" ||
          std::max(nic.gbs.value_or(0), nic.max_gbs.value_or(0)) >= kFastNic);
}

/// The PCI identity of a NIC; nullptr when the tree does not have it.
const PciFacts* facts_of(const Topology& machine, const Nic& nic) {
  if (!nic.pci) return nullptr;
  for (const topology::Object& object : machine.objects)
    if (object.type == topology::ObjectType::kPci && object.pci.address == *nic.pci)
      return &object.pci;
  return nullptr;
}

/// What a NIC's port could do: its own word, else the best of the same model here.
std::map<std::pair<int, int>, double> best_by_model(const Topology& machine) {
  std::map<std::pair<int, int>, double> best;
  for (const Nic& nic : machine.nics) {
    const PciFacts* facts = facts_of(machine, nic);
    if (facts == nullptr || facts->vendor == 0 || nic.virtual_function || !nic.gbs) continue;
    double& most = best[{facts->vendor, facts->device}];
    most = std::max(most, *nic.gbs);
  }
  return best;
}

}  // namespace

Verdict nic_placement(const Input& input) {
  const Topology& machine = input.now();
  Verdict verdict;
  const auto best = best_by_model(machine);
  topology::Bitset near;
  for (const topology::Gpu& gpu : machine.gpus) near = near | gpu.nodeset;
  bool known = false;
  for (const Nic& nic : machine.nics) {
    if (!carries_tensors(nic)) continue;
    const PciFacts* facts = facts_of(machine, nic);
    double most = nic.max_gbs.value_or(0);
    if (const auto row = facts ? best.find({facts->vendor, facts->device}) : best.end();
        row != best.end())
      most = std::max(most, row->second);
    known |= nic.gbs.has_value() || (!near.empty() && !nic.nodeset.empty());
    if (nic.gbs && *nic.gbs < most * 0.99) {
      const double loss = 1 - *nic.gbs / most;
      verdict.findings.push_back(
          {"", Severity::kWarn, fmt::format("{}: slower than its port", nic.name),
           fmt::format("{:.0f} of {:.0f} Gbit/s", *nic.gbs * 8, most * 8),
           fmt::format("{} of this port's bandwidth, for every collective over it", percent(loss)),
           "check cable, transceiver and the switch port's speed: ethtool or ibstat", loss * 0.5});
    }
    if (near.empty() || nic.nodeset.empty() || nic.nodeset.intersects(near)) continue;
    verdict.findings.push_back(
        {"", Severity::kWarn, fmt::format("{}: far from all GPUs", nic.name),
         fmt::format("on NUMA node {}, the GPUs are on node {}", nic.nodeset.list(), near.list()),
         "every byte crosses the sockets: 20-50 % of the network's bandwidth, no GPUDirect",
         "move the card to a slot of the GPUs' socket, or use another: NCCL_IB_HCA, "
         "NCCL_SOCKET_IFNAME",
         0.2});
  }
  return known ? verdict : Verdict::skip("no fast NIC with a known speed or place");
}

Verdict weights_far(const Input& input) {
  const auto& weights = input.workload.weights;
  if (!weights) return Verdict::skip("no weights: --weights PATH");
  const Topology& machine = input.now();
  Verdict verdict;
  bool network = placement::is_network(weights->filesystem);
  for (const topology::Disk& disk : machine.disks)
    network |= !weights->device.empty() && disk.name == weights->device && disk.kind == "network";
  if (network) {
    verdict.findings.push_back(
        {"", Severity::kWarn, "the weights are on a network file system",
         fmt::format("{} of weights on {}", format_bytes(weights->bytes), weights->filesystem),
         fmt::format("a cold start reads them at network speed: {} at 1 GB/s",
                     format_duration(std::chrono::nanoseconds(weights->bytes))),
         "copy them to a local NVMe disk", 0.1});
    return verdict;
  }
  if (weights->filesystem.empty() && weights->device.empty())
    return Verdict::skip("the file system of the weights is not known");
  topology::Bitset near;
  for (const topology::Gpu& gpu : machine.gpus)
    if (const auto& group = input.workload.tp_group;
        group.empty() || std::find(group.begin(), group.end(), gpu.index) != group.end())
      near = near | gpu.nodeset;
  if (!weights->node || near.empty() || near.test(*weights->node)) return verdict;
  verdict.findings.push_back({"", Severity::kWarn, "the weights' disk is far from the GPUs",
                              fmt::format("{} is on NUMA node {}, the GPUs are on node {}",
                                          weights->device, *weights->node, near.list()),
                              fmt::format("loading {} crosses the sockets: 10-30 % more time",
                                          format_bytes(weights->bytes)),
                              "put the weights on a disk of the GPUs' socket", 0.03});
  return verdict;
}

}  // namespace aictl::doctor
