// Rules about what joins GPUs: NVLink, NVSwitch, peer-to-peer, the group a model is split over.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "core/doctor/rules/rules.hpp"
#include "core/placement/report/visible.hpp"
#include "core/topology/bandwidth.hpp"
#include "core/topology/groups.hpp"

namespace aictl::doctor {
namespace {

using topology::Gpu;
using topology::Level;
using topology::Link;
using topology::LinkSource;

/// What the links say of one GPU.
struct Linked {
  int count = 0;  // direct links, over all peers
  int peers = 0;  // GPUs at the other ends
};

bool between_gpus(const Link& link) {
  return link.a.starts_with("gpu") && link.b.starts_with("gpu");
}

std::map<std::string, Linked> linked_gpus(const Topology& topology) {
  std::map<std::string, Linked> found;
  for (const Link& link : topology.links) {
    if (!between_gpus(link) || link.level != Level::kNv) continue;
    for (const std::string& end : {link.a, link.b}) {
      found[end].count += link.count;
      ++found[end].peers;
    }
  }
  return found;
}

/// Links up: what the driver says, else what the links of the input add up to.
std::optional<int> links_up(const Gpu& gpu, const std::map<std::string, Linked>& linked) {
  if (gpu.nvlink_active) return gpu.nvlink_active;
  if (linked.empty()) return std::nullopt;
  const auto found = linked.find(gpu_name(gpu));
  return found == linked.end() ? 0 : found->second.count;
}

/// The worst link inside a group; nullptr when a pair's is unknown.
const Link* worst_link(const Topology& topology, const std::vector<int>& group) {
  const Link* worst = nullptr;
  for (size_t i = 0; i < group.size(); ++i)
    for (size_t j = i + 1; j < group.size(); ++j) {
      const Link* link =
          find_link(topology, fmt::format("gpu{}", group[i]), fmt::format("gpu{}", group[j]));
      if (link == nullptr || link->level == Level::kUnknown) return nullptr;
      if (worst == nullptr || link->level > worst->level) worst = link;
    }
  return worst;
}

Finding links_down(const Gpu& gpu, int up, int most) {
  const double loss = 1 - double(up) / most;
  const double each = gpu.nvlink_gbs.value_or(0);
  Finding finding;
  finding.severity = Severity::kError;
  finding.title = fmt::format("{}: {} of {} NVLinks are up", gpu_name(gpu), up, most);
  finding.evidence = fmt::format("equal GPUs have {}", most);
  if (each > 0)
    finding.evidence +=
        fmt::format("; {:.0f} of {:.0f} GB/s in each direction", up * each, most * each);
  finding.cost = fmt::format(
      "{} of this GPU's NVLink bandwidth, and every group it is in waits for "
      "it",
      percent(loss));
  finding.fix =
      "nvidia-smi nvlink -s; reset the GPU (nvidia-smi -r) and restart the fabric manager; "
      "if it stays, the board or bridge needs service";
  finding.loss = loss;
  return finding;
}

}  // namespace

Verdict nvlinks_down(const Input& input) {
  const Topology& machine = input.now();
  const auto linked = linked_gpus(machine);
  // Bridges join GPUs in pairs; of an odd number one is rightly left over.
  const bool bridged =
      machine.nvswitches == 0 && std::all_of(linked.begin(), linked.end(),
                                             [](const auto& row) { return row.second.peers <= 1; });
  std::map<std::string, int> most;  // by model
  bool known = false;
  for (const Gpu& gpu : machine.gpus) {
    const auto up = links_up(gpu, linked);
    if (!up || gpu.mig_enabled) continue;
    known = true;
    most[gpu.model] = std::max(most[gpu.model], *up);
  }
  Verdict verdict;
  for (const Gpu& gpu : machine.gpus) {
    const auto up = links_up(gpu, linked);
    const int peers_have = most[gpu.model];
    if (!up || gpu.mig_enabled || *up >= peers_have || (*up == 0 && bridged)) continue;
    verdict.findings.push_back(links_down(gpu, *up, peers_have));
  }
  return known ? verdict : Verdict::skip("no NVLink counts in the input");
}

Verdict fabric_not_ready(const Input& input) {
  constexpr int kUnsupported = 0, kCompleted = 3;
  Verdict verdict;
  std::vector<std::string> waiting;
  bool known = false;
  int state = 0;
  for (const Gpu& gpu : input.now().gpus) {
    if (!gpu.fabric_state) continue;
    known = true;
    if (*gpu.fabric_state == kUnsupported || *gpu.fabric_state == kCompleted) continue;
    waiting.push_back(gpu_name(gpu));
    state = *gpu.fabric_state;
  }
  if (!known) return Verdict::skip("no GPU tells the state of its fabric");
  if (waiting.empty()) return verdict;
  verdict.findings.push_back(
      {"", Severity::kError, "the NVSwitch fabric is not ready",
       fmt::format("{}: state {} ({}), 3 is completed", fmt::join(waiting, ", "), state,
                   state == 1 ? "not started" : "in progress"),
       "CUDA does not start on these GPUs: error 802, system not yet initialized",
       "sudo systemctl restart nvidia-fabricmanager; its version must equal the driver's", 1});
  return verdict;
}

Verdict peer_copies(const Input& input) {
  const Topology& machine = input.now();
  Verdict verdict;
  bool known = false;
  for (const Link& link : machine.links) {
    if (!between_gpus(link) || link.source != LinkSource::kMeasured) continue;
    const Gpu *a = nullptr, *b = nullptr;
    for (const Gpu& gpu : machine.gpus) {
      if (gpu_name(gpu) == link.a) a = &gpu;
      if (gpu_name(gpu) == link.b) b = &gpu;
    }
    const bool hung = link.note.find("no answer") != std::string::npos;
    const bool wrong = hung || link.note.find("wrong data") != std::string::npos;
    if (a == nullptr || b == nullptr || (!link.gbs && !wrong)) continue;
    const bool direct = link.level == Level::kNv;
    const auto& [one, other] =
        std::pair(direct ? a->nvlink_gbs : a->pcie_gbs, direct ? b->nvlink_gbs : b->pcie_gbs);
    std::optional<double> expected;
    if (one && other) expected = std::min(*one, *other) * (direct ? std::max(link.count, 1) : 1);
    known |= expected.has_value() || wrong;
    const double got = link.gbs.value_or(0);
    if (!wrong && !(expected && got < *expected / 2)) continue;
    const double loss = expected ? 1 - got / *expected : 1;
    verdict.findings.push_back(
        {"", Severity::kError,
         fmt::format("{} to {}: peer-to-peer copies are {}", link.a, link.b,
                     hung    ? "stuck"
                     : wrong ? "wrong"
                             : "slow"),
         hung    ? "the copy test did not come back"
         : wrong ? "the copy test read back other bytes than it wrote"
                 : fmt::format("measured {:.1f} GB/s, the link is good for {:.1f}", got, *expected),
         wrong ? "results are wrong, or a collective hangs"
               : fmt::format("{} of the bandwidth between the two", percent(loss)),
         "switch ACS off on the bridges above (setpci, BIOS), set iommu=pt, or NCCL_P2P_DISABLE=1",
         wrong ? 1 : loss});
  }
  return known ? verdict : Verdict::skip("no measured copy between GPUs: --measure copies");
}

Verdict group_crosses_sockets(const Input& input) {
  const std::vector<int>& group = input.workload.tp_group;
  if (group.size() < 2) return Verdict::skip("no tensor-parallel group: --tp-group 0,1");
  const Topology& machine = input.now();
  const Link* worst = worst_link(machine, group);
  if (worst == nullptr) return Verdict::skip("the links inside the group are not all known");
  Verdict verdict;
  if (worst->level != Level::kSys) return verdict;
  std::vector<int> all;
  for (const Gpu& gpu : machine.gpus) all.push_back(gpu.index);
  const auto best = topology::best_groups(machine, int(group.size()), all);
  const Link* local = best.groups.empty() ? nullptr : worst_link(machine, best.groups.front());
  if (local == nullptr || local->level >= Level::kSys) return verdict;
  const double across = worst->gbs.value_or(0), within = local->gbs.value_or(0);
  const double loss = across > 0 && within > across ? 1 - across / within : 0.3;
  Finding finding;
  finding.title = fmt::format("the group {} crosses sockets", fmt::join(group, ","));
  finding.evidence = fmt::format("{} and {} are {} apart; {} has {} at worst", worst->a, worst->b,
                                 worst->word(), fmt::join(best.groups.front(), ","), local->word());
  if (across > 0 && within > 0)
    finding.evidence += fmt::format(" ({:.1f} against {:.1f} GB/s)", across, within);
  finding.cost = fmt::format("about {} of the all-reduce bandwidth, twice a layer", percent(loss));
  const std::vector<int>& better = best.groups.front();
  finding.fix = placement::visible_devices(machine.gpus[size_t(better.front())].vendor,
                                           placement::device_words(machine, better), better);
  finding.loss = loss * 0.6;
  verdict.findings.push_back(std::move(finding));
  return verdict;
}

Verdict mig_with_groups(const Input& input) {
  const std::vector<int>& group = input.workload.tp_group;
  if (group.size() < 2) return Verdict::skip("no tensor-parallel group: --tp-group 0,1");
  Verdict verdict;
  std::vector<std::string> sliced;
  for (const Gpu& gpu : input.now().gpus)
    if (gpu.mig_enabled && std::find(group.begin(), group.end(), gpu.index) != group.end())
      sliced.push_back(fmt::format("{} ({} slices)", gpu_name(gpu), gpu.mig.size()));
  if (sliced.empty()) return verdict;
  verdict.findings.push_back(
      {"", Severity::kError, "a tensor-parallel group over GPUs in MIG mode",
       fmt::format("MIG is on: {}", fmt::join(sliced, ", ")),
       "slices have neither peer-to-peer nor NVLink: NCCL refuses them, or every byte crosses host "
       "memory twice",
       "sudo nvidia-smi -i GPU -mig 0, or one replica a slice without tensor parallelism", 1});
  return verdict;
}

}  // namespace aictl::doctor
