#include "core/topology/view/hops.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/topology/links/sockets.hpp"
#include "core/topology/view/words.hpp"

namespace aictl::topology::view {
namespace {

using Chain = PcieTree::Chain;

std::string node_text(const Bitset& nodes) {
  if (nodes.empty()) return "the processor";
  return (nodes.count() == 1 ? "numa" : "numa ") + nodes.list();
}

bool is_node(const End& end) { return end.key.starts_with("numa"); }

Hop hop(std::string from, std::string to, std::string over, const std::optional<Width>& width) {
  return {std::move(from), std::move(to), std::move(over),
          width ? std::optional(width->gbs) : std::nullopt,
          width ? width->source : LinkSource::kInferred};
}

void append_reversed(std::vector<Hop> descent, std::vector<Hop>& hops) {
  std::reverse(descent.begin(), descent.end());
  for (Hop& one : descent) {
    std::swap(one.from, one.to);
    hops.push_back(std::move(one));
  }
}

/// By NVLink and the like.
std::vector<Hop> direct(const Topology& topology, const Link& link, const End& a, const End& b) {
  std::string strands(medium_text(link.medium));
  if (link.count > 1) strands = fmt::format("{}x {}", link.count, strands);
  const bool fabric = a.key.starts_with("gpu") && b.key.starts_with("gpu") &&
                      (topology.nvswitches > 0 || link.note.find("trunk") != std::string::npos);
  if (!fabric) return {{a.key, b.key, strands, link.gbs, link.source}};
  return {{a.key, "NVSwitch fabric", strands, link.gbs, link.source},
          {"NVSwitch fabric", b.key, strands, link.gbs, link.source}};
}

/// By PCI Express and memory controllers: up from one end, across, down to the other.
class PcieWay {
 public:
  explicit PcieWay(const Topology& topology) : topology_(topology), tree_(topology) {}

  std::vector<Hop> hops(const Link* link, const End& a, const End& b) const {
    const Chain up = chain_of(a), down = chain_of(b);
    for (size_t i = 1; i < up.hops.size(); ++i) {
      const auto at = std::find(down.hops.begin(), down.hops.end(), up.hops[i]);
      if (at == down.hops.end()) continue;
      const std::string top = name_of(up.hops[i]);
      std::vector<Hop> way = climb(a, up, i, top);
      append_reversed(climb(b, down, size_t(at - down.hops.begin()), top), way);
      return way;
    }
    const std::string between = told_between(link, a, b);
    if (!between.empty() && (up.hops.empty() || down.hops.empty())) {
      std::vector<Hop> way = climb(a, up, up.hops.size(), between);
      append_reversed(climb(b, down, down.hops.size(), between), way);
      return way;
    }
    return through_nodes(link, a, up, b, down);
  }

 private:
  Chain chain_of(const End& end) const { return end.pci ? tree_.chain(*end.pci) : Chain{}; }

  std::string name_of(int index) const {
    const Object& object = topology_.objects[size_t(index)];
    if (object.host_bridge)
      return fmt::format("host bridge {:04x}:{:02x}", object.down_domain, object.down_bus_first);
    const char* kind = object.subtype == kWholeSwitch ? "PCIe switch " : "PCIe bridge ";
    return kind + object.pci.address.text();
  }

  /// What a source that knows levels but no tree says stands between two devices.
  static std::string told_between(const Link* link, const End& a, const End& b) {
    if (!link || is_node(a) || is_node(b)) return "";
    if (link->level == Level::kPix) return "a PCIe switch";
    if (link->level == Level::kPxb) return "several PCIe switches";
    return link->level == Level::kPhb ? "a host bridge" : "";
  }

  /// The first `count` hops of a chain, from the device up to what is called `top`. A host bridge
  /// is a part of the processor and no hop of its own.
  std::vector<Hop> climb(const End& end, const Chain& chain, size_t count, std::string top) const {
    std::vector<Hop> way;
    std::string from = end.key;
    if (end.port && end.pci) {
      from = end.pci->text();
      way.push_back(hop(end.key, from, "network port", end.port));
    }
    for (size_t i = 0; i < count && !host_bridge(chain.hops[i]); ++i) {
      const bool last = i + 1 == count || (i + 2 == count && host_bridge(chain.hops[i + 1]));
      std::string to = last ? top : name_of(chain.hops[i + 1]);
      auto width = tree_.hop_width(chain.hops, i);
      // A function and the port above it are two ends of one link.
      if (i == 0 && count > 1) width = narrower(width, tree_.hop_width(chain.hops, 1));
      way.push_back(hop(from, to, "PCIe", width));
      from = std::move(to);
      if (last) return way;
    }
    // No tree tells more than that it is there.
    const auto& known = end.own || end.pci ? end.own : end.port;
    way.push_back(hop(from, std::move(top), "PCIe", known));
    return way;
  }

  bool host_bridge(int index) const { return topology_.objects[size_t(index)].host_bridge; }

  std::vector<Hop> through_nodes(const Link* link, const End& a, const Chain& up, const End& b,
                                 const Chain& down) const {
    Bitset near_a = a.nodeset, near_b = b.nodeset;
    if (is_node(b) && near_a.contains(near_b)) near_a = near_b;
    if (is_node(a) && near_b.contains(near_a)) near_b = near_a;
    const auto [at_a, at_b] = places(link, near_a, near_b);
    std::vector<Hop> way, descent;
    if (!is_node(a)) way = climb(a, up, up.hops.size(), at_a);
    if (!is_node(b)) descent = climb(b, down, down.hops.size(), at_b);
    if (at_a != at_b) {
      const bool told = link && link->medium == Medium::kSocket && link->gbs;
      const auto width = told ? std::optional(Width{*link->gbs, link->source})
                              : SocketLinks(topology_).between(near_a, near_b);
      way.push_back(hop(at_a, at_b, "between NUMA nodes", width));
    }
    append_reversed(std::move(descent), way);
    return way;
  }

  /// What to call the two ends' parts of the processor, where the nodes of one may be unknown.
  static std::pair<std::string, std::string> places(const Link* link, const Bitset& a,
                                                    const Bitset& b) {
    if (!a.empty() && !b.empty()) return {node_text(a), node_text(b)};
    const bool apart = link && link->level == Level::kSys;
    const std::string known = node_text(a.empty() ? b : a);
    if (!apart) return {known, known};
    if (a.empty() && b.empty()) return {"a NUMA node", "another NUMA node"};
    const std::string other = "another NUMA node";
    return a.empty() ? std::pair(other, known) : std::pair(known, other);
  }

  const Topology& topology_;
  PcieTree tree_;
};

}  // namespace

std::vector<Hop> hops_between(const Topology& topology, const Link* link, const End& a,
                              const End& b) {
  if (link && link->level == Level::kNv) return direct(topology, *link, a, b);
  return PcieWay(topology).hops(link, a, b);
}

}  // namespace aictl::topology::view
