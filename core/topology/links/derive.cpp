// derive_links: every pair of a GPU with another GPU, a NIC or a memory node gets a level and,
// where something is known, a bandwidth. What was measured or said by a driver is there already and
// stays.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "core/topology/bandwidth.hpp"
#include "core/topology/devices.hpp"
#include "core/topology/devices/locality.hpp"
#include "core/topology/links/direct.hpp"
#include "core/topology/links/pcie.hpp"
#include "core/topology/links/sockets.hpp"

namespace aictl::topology {
namespace {

/// More pairs than any host has; a dump with more is made up, and would take all memory.
constexpr size_t kMaxPairs = 1 << 18;

class LinkDerivation {
 public:
  explicit LinkDerivation(Topology& topology)
      : topology_(topology), tree_(topology), sockets_(topology) {
    for (const Link& link : topology.links) taken_.emplace(link.a, link.b);
  }

  /// Levels that a driver told: the tree knows how wide the way is.
  void complete() {
    for (Link& link : topology_.links) {
      const bool pair = link.a.starts_with("gpu") && link.b.starts_with("gpu");
      if (!pair || link.gbs || link.level == Level::kNv) continue;
      const size_t a = trailing_number(link.a).value_or(-1),
                   b = trailing_number(link.b).value_or(-1);
      if (a >= topology_.gpus.size() || b >= topology_.gpus.size()) continue;
      const Gpu &from = topology_.gpus[a], &to = topology_.gpus[b];
      if (from.pci && to.pci)
        set_width(link, tree_.width(*from.pci, *to.pci), from.nodeset, to.nodeset);
    }
  }

  void gpu_pairs() {
    for (size_t a = 0; a < topology_.gpus.size(); ++a)
      for (size_t b = a + 1; b < topology_.gpus.size(); ++b)
        add(fmt::format("gpu{}", a), fmt::format("gpu{}", b), topology_.gpus[a], topology_.gpus[b]);
  }

  void nics() {
    for (size_t a = 0; a < topology_.gpus.size(); ++a)
      for (size_t b = 0; b < topology_.nics.size(); ++b)
        add(fmt::format("gpu{}", a), fmt::format("nic{}", b), topology_.gpus[a], topology_.nics[b]);
  }

  void memory_nodes() {
    for (const Object* node : host_nodes())
      for (const Gpu& gpu : topology_.gpus) {
        Link link =
            make_link(fmt::format("gpu{}", gpu.index), fmt::format("numa{}", node->os_index));
        if (gpu.nodeset.empty() || taken_.contains({link.a, link.b})) continue;
        link.level = gpu.nodeset.test(node->os_index) ? Level::kPhb : Level::kSys;
        Bitset there;
        there.set(node->os_index);
        set_width(link, gpu.pci ? tree_.width(*gpu.pci) : std::nullopt, gpu.nodeset, there);
        topology_.links.push_back(std::move(link));
      }
  }

  std::vector<const Object*> host_nodes() const {
    std::vector<const Object*> nodes;
    for (const Object* node : objects_of(topology_, ObjectType::kNuma)) {
      const bool of_gpu =
          std::any_of(topology_.gpus.begin(), topology_.gpus.end(),
                      [&](const Gpu& gpu) { return gpu.memory_node == node->os_index; });
      if (node->tier != MemoryTier::kGpu && !of_gpu) nodes.push_back(node);
    }
    return nodes;
  }

 private:
  /// Both have `pci` and `nodeset`, whether Gpu or Nic.
  template <typename Device, typename Other>
  void add(std::string a, std::string b, const Device& from, const Other& to) {
    Link link = make_link(std::move(a), std::move(b));
    if (taken_.contains({link.a, link.b})) return;
    const bool addressed = from.pci && to.pci;
    link.level = addressed ? tree_.level(*from.pci, *to.pci) : Level::kUnknown;
    if (link.level == Level::kUnknown && !from.nodeset.empty() && !to.nodeset.empty())
      link.level = from.nodeset == to.nodeset ? Level::kNode : Level::kSys;
    if (link.level == Level::kUnknown) return;
    std::optional<Width> width = addressed ? tree_.width(*from.pci, *to.pci) : std::nullopt;
    if constexpr (std::is_same_v<Other, Nic>)
      if (to.gbs && *to.gbs > 0) width = narrower(width, Width{*to.gbs, LinkSource::kDriver});
    set_width(link, width, from.nodeset, to.nodeset);
    if (!topology_.system.hypervisor.empty()) link.note = "reported by the hypervisor";
    topology_.links.push_back(std::move(link));
  }

  /// `a` and `b` are the memory nodes near the two ends.
  void set_width(Link& link, std::optional<Width> width, const Bitset& a, const Bitset& b) const {
    const auto across = link.level == Level::kSys ? sockets_.between(a, b) : std::nullopt;
    if (across && (!width || across->gbs < width->gbs)) {
      width = across;
      link.medium = Medium::kSocket;
    }
    if (!width) return;
    link.gbs = width->gbs;
    link.source = width->source;
  }

  Topology& topology_;
  PcieTree tree_;
  SocketLinks sockets_;
  std::set<std::pair<std::string, std::string>> taken_;
};

void add_matrices(Topology& topology) {
  for (const Distances& matrix : topology.distances) {
    const bool counted = matrix.name == kNvlinkCount || matrix.name == kXgmiCount;
    Medium medium = Medium::kNvlink;
    if (matrix.name == "XGMIBandwidth" || matrix.name == kXgmiCount)
      medium = Medium::kXgmi;
    else if (matrix.name == "XeLinkBandwidth")
      medium = Medium::kXelink;
    else if (matrix.name != "NVLinkBandwidth" && !counted)
      continue;
    add_direct_links(topology, ports_of(topology, matrix), medium,
                     counted ? LinkSource::kTable : LinkSource::kDriver);
  }
}

/// A direct link whose source knew the number of strands only: the model says what one carries.
void complete_direct(Topology& topology) {
  for (Link& link : topology.links) {
    if (link.level != Level::kNv || link.gbs || link.count == 0 || !link.a.starts_with("gpu"))
      continue;
    const auto gpu = trailing_number(link.a);
    if (!gpu || size_t(*gpu) >= topology.gpus.size()) continue;
    const Gpu& from = topology.gpus[*gpu];
    const GpuSpec* spec = gpu_spec(from.model);
    if (from.nvlink_gbs) {
      link.gbs = link.count * *from.nvlink_gbs;
    } else if (link.medium == Medium::kNvlink && spec != nullptr && spec->nvlink_gbs > 0) {
      link.gbs = link.count * spec->nvlink_gbs;
      link.source = LinkSource::kTable;
    }
  }
}

}  // namespace

void derive_links(Topology& topology) {
  const size_t gpus = topology.gpus.size();
  const size_t nodes = LinkDerivation(topology).host_nodes().size();
  if (gpus * (gpus + topology.nics.size() + nodes) > kMaxPairs) {
    const Warning warning{"too_many_links",
                          fmt::format("{} GPUs, {} NICs and {} memory nodes: links are left out",
                                      gpus, topology.nics.size(), nodes)};
    auto& warnings = topology.warnings;  // a dump of ours has it already
    if (std::find(warnings.begin(), warnings.end(), warning) == warnings.end())
      warnings.push_back(warning);
    return;
  }
  add_matrices(topology);
  complete_direct(topology);
  LinkDerivation derivation(topology);
  derivation.complete();
  derivation.gpu_pairs();
  derivation.nics();
  derivation.memory_nodes();
}

}  // namespace aictl::topology
