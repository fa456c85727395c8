// Rules about PCI Express: links, errors, what the tree tells.
#include <algorithm>
#include <cstdlib>
#include <map>

#include <fmt/format.h>

#include "core/doctor/rules/rules.hpp"
#include "core/topology/bandwidth.hpp"

namespace aictl::doctor {
namespace {

using topology::Gpu;
using topology::Level;
using topology::Object;
using topology::ObjectType;
using topology::PciFacts;

constexpr int kBusyPercent = 50;  // a GPU that computes is above, one that only idles below

std::string gbs(std::optional<double> value) {
  return value ? fmt::format("{:.1f} GB/s", *value) : "unknown";
}

Finding narrow_link(const std::string& name, int width, int most, std::optional<int> generation) {
  const double loss = 1 - double(width) / most;
  const auto now = topology::pcie_gbs(generation.value_or(0), width);
  const auto full = topology::pcie_gbs(generation.value_or(0), most);
  Finding finding;
  finding.title = fmt::format("{}: PCIe x{} where x{} is possible", name, width, most);
  finding.evidence = fmt::format("{} of {} lanes", width, most);
  if (now && full) finding.evidence += fmt::format(", {} of {}", gbs(now), gbs(full));
  finding.cost = fmt::format(
      "{} of the bandwidth to the host: loading weights, offload, copies "
      "between GPUs without NVLink",
      percent(loss));
  finding.fix =
      "reseat the board or riser; look for a slot or BIOS bifurcation setting with fewer "
      "lanes: sudo lspci -vv | grep LnkSta";
  finding.loss = loss * 0.5;  // decoding reads GPU memory; what crosses PCIe suffers in full
  return finding;
}

/// Of the objects' tree: the function above `object`, when it is a bridge with facts.
const PciFacts* slot_of(const Topology& topology, const Object& object) {
  if (object.parent < 0 || size_t(object.parent) >= topology.objects.size()) return nullptr;
  const Object& above = topology.objects[size_t(object.parent)];
  return above.type == ObjectType::kBridge && !above.host_bridge ? &above.pci : nullptr;
}

/// Networks and disks: where a narrow link is felt. GPUs are judged by their own fields.
bool judged(const PciFacts& facts) {
  const int base = facts.class_id >> 8;
  return !facts.virtual_function && (base == 0x02 || facts.class_id == 0x0108);
}

}  // namespace

Verdict pcie_width(const Input& input) {
  Verdict verdict;
  bool known = false;
  for (const Gpu& gpu : input.now().gpus) {
    if (!gpu.pcie_width || !gpu.pcie_max_width) continue;
    known = true;
    if (*gpu.pcie_width < *gpu.pcie_max_width)
      verdict.findings.push_back(narrow_link(gpu_name(gpu), *gpu.pcie_width, *gpu.pcie_max_width,
                                             gpu.pcie_max_generation));
  }
  for (const Object& object : input.now().objects) {
    const PciFacts& facts = object.pci;
    if (object.type != ObjectType::kPci || !judged(facts)) continue;
    if (!facts.link_width || !facts.max_link_width) continue;
    known = true;
    const PciFacts* slot = slot_of(input.now(), object);
    const int most = std::min(*facts.max_link_width, slot ? slot->max_link_width.value_or(32) : 32);
    if (*facts.link_width < most)
      verdict.findings.push_back(
          narrow_link("PCI " + facts.address.text(), *facts.link_width, most,
                      topology::pcie_generation(facts.link_gts.value_or(0))));
  }
  return known ? verdict : Verdict::skip("no link widths in the input");
}

Verdict pcie_generation(const Input& input) {
  if (!input.has_interval() || input.interval < std::chrono::seconds(2))
    return Verdict::skip("needs samples over 2 s of this machine: --watch-for 2s");
  Verdict verdict;
  bool known = false;
  for (const Gpu& gpu : input.now().gpus) {
    if (!gpu.pcie_max_generation) continue;
    int highest = 0, least_load = 100;
    for (const Topology& sample : input.samples) {
      const Gpu* then = same_gpu(sample, gpu);
      highest = std::max(highest, then ? then->pcie_generation.value_or(0) : 0);
      least_load = std::min(least_load, then ? then->utilisation.value_or(0) : 0);
    }
    known |= highest > 0;
    if (highest == 0 || least_load < kBusyPercent || highest >= *gpu.pcie_max_generation) continue;
    const int width = gpu.pcie_max_width.value_or(16);
    const auto now = topology::pcie_gbs(highest, width);
    const auto full = topology::pcie_gbs(*gpu.pcie_max_generation, width);
    const double loss = now && full ? 1 - *now / *full : 0.5;
    verdict.findings.push_back(
        {"", Severity::kWarn,
         fmt::format("{}: PCIe generation {} under load, {} is possible", gpu_name(gpu), highest,
                     *gpu.pcie_max_generation),
         fmt::format("at {} % load or more in {} samples; {} of {}", least_load,
                     input.samples.size(), gbs(now), gbs(full)),
         fmt::format("{} of the bandwidth to the host", percent(loss)),
         "disable PCIe power saving (pcie_aspm=off, BIOS link speed Auto); a riser cable may not "
         "carry the speed",
         loss * 0.5});
  }
  return known ? verdict : Verdict::skip("no GPU tells its PCIe generation");
}

Verdict pcie_errors(const Input& input) {
  if (!input.has_interval()) return Verdict::skip("needs two samples of this machine: --watch-for");
  Verdict verdict;
  bool known = !setting(input.now(), "aer").empty();
  const double seconds = std::chrono::duration<double>(input.interval).count();
  const auto add = [&](const std::string& name, uint64_t grown, std::string_view what) {
    verdict.findings.push_back(
        {"", Severity::kWarn, fmt::format("{}: PCIe {} grow", name, what),
         fmt::format("{} more in {:.1f} s", grown, seconds),
         "each one repeats a packet; many slow the link, and it may fail",
         "reseat the board, change the riser or slot; sudo dmesg | grep -i aer shows which", 0.1});
  };
  for (const Gpu& gpu : input.now().gpus) {
    const Gpu* then = same_gpu(input.before(), gpu);
    if (!gpu.pcie_replays || !then || !then->pcie_replays) continue;
    known = true;
    if (*gpu.pcie_replays > *then->pcie_replays)
      add(gpu_name(gpu), *gpu.pcie_replays - *then->pcie_replays, "replays");
  }
  for (const auto& [key, value] : input.now().system.settings) {
    if (!key.starts_with("aer.")) continue;
    const std::string old = setting(input.before(), key);
    const auto count = [](const std::string& text) {
      return std::strtoull(text.c_str(), nullptr, 10);
    };
    if (count(value) > count(old)) add("PCI " + key.substr(4), count(value) - count(old), "errors");
  }
  return known ? verdict : Verdict::skip("no error counters: neither AER nor NVML");
}

Verdict gpu_without_node(const Input& input) {
  const Topology& machine = input.now();
  if (machine.gpus.empty()) return Verdict::skip("no GPUs");
  const topology::Bitset nodes = host_nodes(machine);
  if (nodes.empty()) return Verdict::skip("the input has no NUMA nodes");
  Verdict verdict;
  if (nodes.count() < 2) return verdict;
  std::vector<std::string> lost;
  for (const Gpu& gpu : machine.gpus)
    if (gpu.pci && !gpu.unified_memory && (gpu.nodeset.empty() || gpu.nodeset.contains(nodes)))
      lost.push_back(gpu_name(gpu));
  if (lost.empty()) return verdict;
  verdict.findings.push_back(
      {"", Severity::kWarn,
       fmt::format("{} of {} GPUs have no NUMA node", lost.size(), machine.gpus.size()),
       fmt::format("{} on a machine with {} NUMA nodes", fmt::join(lost, ", "), nodes.count()),
       "processes may land on the far socket: 10-30 % of host copies, more when loading",
       "update the BIOS or set its NUMA mode; in a virtual machine expose the nodes (pxb-pcie with "
       "numa_node); until then pin by hand: numactl --cpunodebind",
       0.15});
  return verdict;
}

Verdict hidden_levels(const Input& input) {
  const Topology& machine = input.now();
  if (machine.gpus.size() < 2) return Verdict::skip("fewer than two GPUs");
  size_t pairs = 0, far = 0, direct = 0, contradict = 0;
  for (const topology::Link& link : machine.links) {
    if (!link.a.starts_with("gpu") || !link.b.starts_with("gpu")) continue;
    ++pairs;
    direct += link.level == Level::kNv;
    far += link.level >= Level::kPhb && link.level != Level::kUnknown;
    contradict += link.level == Level::kSys;
  }
  if (pairs == 0) return Verdict::skip("no links between GPUs in the input");
  // One node for all GPUs, and yet every pair is said to cross sockets.
  topology::Bitset nodes;
  bool placed = true;
  for (const Gpu& gpu : machine.gpus) {
    placed &= !gpu.nodeset.empty();
    nodes = nodes | gpu.nodeset;
  }
  const bool fiction = placed && nodes.count() == 1 && contradict == pairs;
  const bool flat = !machine.system.hypervisor.empty() && direct == 0 && far == pairs;
  Verdict verdict;
  if (!fiction && !flat) return verdict;
  verdict.findings.push_back(
      {"", Severity::kWarn, "the PCIe levels are a virtual machine's invention",
       fiction
           ? fmt::format("all {} pairs of GPUs cross sockets (SYS), and all {} GPUs are on NUMA "
                         "node {}",
                         pairs, machine.gpus.size(), nodes.list())
           : fmt::format("hypervisor {}: none of {} pairs of GPUs shares a switch",
                         machine.system.hypervisor, pairs),
       "groups of GPUs cannot be chosen by distance; peer-to-peer may be off: up to half of the "
       "all-reduce speed",
       "give the guest the real tree (PCIe switches, ACS off for the group), or hand NCCL the "
       "provider's file: NCCL_TOPO_FILE",
       0.2});
  return verdict;
}

}  // namespace aictl::doctor
