#include "core/topology/links/pcie.hpp"

#include <algorithm>

#include "core/topology/bandwidth.hpp"
#include "core/topology/devices.hpp"

namespace aictl::topology {
namespace {

/// How many hops of each chain lie below what both have in common; nullopt: they share nothing.
std::optional<std::pair<size_t, size_t>> below_common(const std::vector<int>& a,
                                                      const std::vector<int>& b) {
  for (size_t i = 0; i < a.size(); ++i) {
    const auto at = std::find(b.begin(), b.end(), a[i]);
    if (at != b.end()) return std::pair{i, size_t(at - b.begin())};
  }
  return std::nullopt;
}

/// Generation and lanes that give `gbs`, the widest first; nullopt when none do.
std::optional<std::pair<int, int>> lanes_of(double gbs) {
  for (int generation = 1; generation <= 6; ++generation)
    for (int lanes : {16, 8, 4, 2, 1}) {
      const double exact = pcie_gbs(generation, lanes).value_or(0);
      if (gbs > exact * 0.995 && gbs < exact * 1.005) return std::pair{generation, lanes};
    }
  return std::nullopt;
}

/// A port and the function below it are two ends of one link. Where a capture has the port at its
/// lowest speed, to save power, and the function at more, the lanes are the port's, the speed is
/// not.
std::optional<Width> port_width(const PciFacts& port, const PciFacts& function) {
  const bool asleep = !port.max_link_gts && !port.link_gts && function.link_gbs > port.link_gbs;
  const auto low = asleep ? lanes_of(port.link_gbs) : std::nullopt;
  const auto high = asleep ? lanes_of(function.link_gbs) : std::nullopt;
  if (!low || !high || low->first != 1 || high->first == 1) return width_of(port);
  return Width{*pcie_gbs(high->first, std::min(low->second, high->second)), LinkSource::kInferred};
}

bool is_io(const Object& object) {
  return object.type == ObjectType::kBridge || object.type == ObjectType::kPci ||
         object.type == ObjectType::kOsDevice;
}

}  // namespace

std::optional<Width> width_of(const PciFacts& facts) {
  const auto speed = facts.max_link_gts ? facts.max_link_gts : facts.link_gts;
  const auto lanes = facts.link_width ? facts.link_width : facts.max_link_width;
  if (speed && lanes)
    if (const auto gbs = pcie_gbs(pcie_generation(*speed), *lanes))
      return Width{*gbs, LinkSource::kTable};
  if (facts.link_gbs > 0) return Width{facts.link_gbs, LinkSource::kDriver};
  return std::nullopt;
}

std::optional<Width> narrower(std::optional<Width> a, std::optional<Width> b) {
  if (!a || !b) return a ? a : b;
  return a->gbs <= b->gbs ? a : b;
}

PcieTree::PcieTree(const Topology& topology) : topology_(topology) {
  for (size_t i = 0; i < topology.objects.size(); ++i) {
    const Object& object = topology.objects[i];
    const bool function = object.type == ObjectType::kPci ||
                          (object.type == ObjectType::kBridge && !object.host_bridge);
    if (function) functions_.emplace(object.pci.address, int(i));
  }
}

PcieTree::Chain PcieTree::chain(const PciAddress& address) const {
  Chain chain;
  const auto at = functions_.find(address);
  if (at == functions_.end()) return chain;
  chain.anchor = at->second;
  while (chain.anchor >= 0 && is_io(topology_.objects[chain.anchor])) {
    chain.hops.push_back(chain.anchor);
    chain.anchor = topology_.objects[chain.anchor].parent;
  }
  return chain;
}

std::optional<Width> PcieTree::hop_width(const std::vector<int>& hops, size_t i) const {
  const Object& hop = topology_.objects[size_t(hops[i])];
  if (hop.host_bridge) return std::nullopt;
  const bool port = i == 1 && hop.subtype != kWholeSwitch;
  return port ? port_width(hop.pci, topology_.objects[size_t(hops[0])].pci) : width_of(hop.pci);
}

std::optional<Width> PcieTree::narrowest(const std::vector<int>& hops, size_t count) const {
  std::optional<Width> width;
  for (size_t i = 0; i < count; ++i) width = narrower(width, hop_width(hops, i));
  return width;
}

int PcieTree::ports(const std::vector<int>& hops, size_t count) const {
  int ports = 0;
  for (size_t i = 1; i < count; ++i)
    ports += topology_.objects[hops[i]].subtype == kWholeSwitch ? 2 : 1;
  return ports;
}

Level PcieTree::level(const PciAddress& a, const PciAddress& b) const {
  const Chain from = chain(a), to = chain(b);
  if (from.anchor < 0 || to.anchor < 0) return Level::kUnknown;
  if (a == b) return Level::kSelf;
  if (const auto below = below_common(from.hops, to.hops)) {
    if (topology_.objects[from.hops[below->first]].host_bridge) return Level::kPhb;
    const bool close = ports(from.hops, below->first) <= 1 && ports(to.hops, below->second) <= 1;
    return close ? Level::kPix : Level::kPxb;
  }
  const Bitset& near = topology_.objects[from.anchor].nodeset;
  const Bitset& far = topology_.objects[to.anchor].nodeset;
  if (near.empty() || far.empty()) return Level::kUnknown;
  return near == far ? Level::kNode : Level::kSys;
}

std::optional<Width> PcieTree::width(const PciAddress& a, const PciAddress& b) const {
  const Chain from = chain(a), to = chain(b);
  const auto below = below_common(from.hops, to.hops);
  return narrower(narrowest(from.hops, below ? below->first : from.hops.size()),
                  narrowest(to.hops, below ? below->second : to.hops.size()));
}

std::optional<Width> PcieTree::width(const PciAddress& a) const {
  const Chain from = chain(a);
  return narrowest(from.hops, from.hops.size());
}

Level pcie_level(const Topology& topology, const PciAddress& a, const PciAddress& b) {
  return PcieTree(topology).level(a, b);
}

}  // namespace aictl::topology
