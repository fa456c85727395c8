#include "core/topology/view/route.hpp"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>

#include "core/base/nearest.hpp"
#include "core/cli/terminal/table.hpp"
#include "core/topology/links/pcie.hpp"
#include "core/topology/view/words.hpp"

namespace aictl::topology::view {
namespace {

/// A device or a memory node by the name that links use.
struct End {
  std::string key;  // "gpu0"
  std::string what;
  std::vector<std::string> names;  // other ways to call it
  std::optional<PciAddress> pci;
  Bitset nodeset;
  std::optional<Width> own;  // what its slot carries, where no PCI tree tells
};

template <typename Device>
End end_of(std::string key, const Device& device, std::string what) {
  End end{std::move(key), std::move(what), {}, device.pci, device.nodeset, std::nullopt};
  if (end.pci) end.what += " at " + end.pci->text(), end.names.push_back(end.pci->text());
  return end;
}

std::vector<End> ends_of(const Topology& topology) {
  std::vector<End> ends;
  for (const Gpu& gpu : topology.gpus) {
    ends.push_back(end_of(fmt::format("gpu{}", gpu.index), gpu, gpu_text(gpu)));
    ends.back().names.insert(ends.back().names.end(), gpu.names.begin(), gpu.names.end());
    ends.back().names.push_back(gpu.uuid);
    if (gpu.pcie_gbs) ends.back().own = Width{*gpu.pcie_gbs, LinkSource::kDriver};
  }
  for (size_t i = 0; i < topology.nics.size(); ++i) {
    const Nic& nic = topology.nics[i];
    ends.push_back(end_of(fmt::format("nic{}", i), nic, nic.name + ", " + nic_text(nic)));
    ends.back().names.push_back(nic.name);
    ends.back().names.insert(ends.back().names.end(), nic.names.begin(), nic.names.end());
  }
  for (size_t i = 0; i < topology.disks.size(); ++i) {
    const Disk& disk = topology.disks[i];
    ends.push_back(end_of(fmt::format("disk{}", i), disk, disk.name + ", " + disk_text(disk)));
    ends.back().names.push_back(disk.name);
  }
  for (const Object* node : objects_of(topology, ObjectType::kNuma)) {
    Bitset self;
    if (node->os_index >= 0) self.set(node->os_index);
    const std::string tier = tier_text(*node);
    ends.push_back({fmt::format("numa{}", node->os_index),
                    size_text(node->bytes) + (tier.empty() ? "" : " " + tier),
                    {},
                    std::nullopt,
                    self,
                    std::nullopt});
  }
  return ends;
}

Result<End> find_end(const std::vector<End>& ends, std::string_view name) {
  std::string lower(name);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = char(c - 'A' + 'a');
  for (const End& end : ends)
    if (end.key == lower || std::find(end.names.begin(), end.names.end(), name) != end.names.end())
      return end;
  if (const auto address = PciAddress::parse(lower))
    for (const End& end : ends)
      if (end.pci == address) return end;
  std::vector<std::string_view> keys;
  for (const End& end : ends) keys.push_back(end.key);
  const std::string hint = did_you_mean(lower, keys);
  return Error{ErrorCode::kNotFound, fmt::format("this machine has no '{}'", shown(name, 60)),
               !hint.empty()  ? hint
               : keys.empty() ? "it shows no devices and no memory nodes"
                              : shown(fmt::format("it has {}", fmt::join(keys, ", ")), 200)};
}

std::string node_text(const Bitset& nodes) {
  return nodes.empty() ? "the processor" : "numa " + nodes.list();
}

class Finder {
 public:
  explicit Finder(const Topology& topology) : topology_(topology), tree_(topology) {}

  std::vector<Hop> direct(const Link& link, const End& a, const End& b) const {
    std::string strands(medium_text(link.medium));
    if (link.count > 1) strands = fmt::format("{}x {}", link.count, strands);
    const bool fabric = a.key.starts_with("gpu") && b.key.starts_with("gpu") &&
                        (topology_.nvswitches > 0 || link.note.find("trunk") != std::string::npos);
    if (!fabric) return {{a.key, b.key, strands, link.gbs, link.source}};
    return {{a.key, "NVSwitch fabric", strands, link.gbs, link.source},
            {"NVSwitch fabric", b.key, strands, link.gbs, link.source}};
  }

  /// By PCI Express and memory controllers: up from `a`, across, down to `b`.
  std::vector<Hop> by_pcie(const Link* link, const End& a, const End& b) const {
    const PcieTree::Chain up = chain_of(a), down = chain_of(b);
    for (size_t i = 1; i < up.hops.size(); ++i) {
      const auto at = std::find(down.hops.begin(), down.hops.end(), up.hops[i]);
      if (at == down.hops.end()) continue;
      std::vector<Hop> hops = climb(a, up, i);
      append_reversed(climb(b, down, size_t(at - down.hops.begin())), hops);
      return hops;
    }
    const bool placed = !a.nodeset.empty() && !b.nodeset.empty();
    std::vector<Hop> hops = to_node(a, up, placed), descent = to_node(b, down, placed);
    if (placed && a.nodeset != b.nodeset) {
      const bool told = link && link->medium == Medium::kSocket;
      hops.push_back({node_text(a.nodeset), node_text(b.nodeset), "between NUMA nodes",
                      told ? link->gbs : std::nullopt,
                      told ? link->source : LinkSource::kInferred});
    }
    append_reversed(std::move(descent), hops);
    return hops;
  }

  std::optional<uint64_t> numa_distance(const End& a, const End& b) const {
    if (a.nodeset.count() != 1 || b.nodeset.count() != 1) return std::nullopt;
    const std::string from = fmt::format("NUMANode:{}", a.nodeset.first());
    const std::string to = fmt::format("NUMANode:{}", b.nodeset.first());
    for (const Distances& matrix : topology_.distances) {
      const auto& labels = matrix.labels;
      const auto row = std::find(labels.begin(), labels.end(), from);
      const auto column = std::find(labels.begin(), labels.end(), to);
      if (row == labels.end() || column == labels.end()) continue;
      const size_t at =
          size_t(row - labels.begin()) * labels.size() + size_t(column - labels.begin());
      if (at < matrix.values.size()) return matrix.values[at];
    }
    return std::nullopt;
  }

 private:
  PcieTree::Chain chain_of(const End& end) const {
    return end.pci ? tree_.chain(*end.pci) : PcieTree::Chain{};
  }

  std::string name_of(int index) const {
    const Object& object = topology_.objects[size_t(index)];
    if (object.host_bridge)
      return fmt::format("host bridge {:04x}:{:02x}", object.down_domain, object.down_bus_first);
    return "PCIe bridge " + object.pci.address.text();
  }

  /// The first `count` steps of a chain, from the device up.
  std::vector<Hop> climb(const End& end, const PcieTree::Chain& chain, size_t count) const {
    std::vector<Hop> hops;
    for (size_t i = 0; i < count; ++i) {
      const auto width = width_of(topology_.objects[size_t(chain.hops[i])].pci);
      Hop hop{i == 0 ? end.key : name_of(chain.hops[i]), name_of(chain.hops[i + 1]), "PCIe",
              width ? std::optional(width->gbs) : std::nullopt,
              width ? width->source : LinkSource::kInferred};
      hops.push_back(std::move(hop));
    }
    return hops;
  }

  std::vector<Hop> to_node(const End& end, const PcieTree::Chain& chain, bool placed) const {
    if (end.key.starts_with("numa")) return {};
    const std::string node = node_text(placed ? end.nodeset : Bitset());
    if (chain.hops.size() < 2) {
      const std::optional<Width> own =
          chain.hops.empty() ? end.own : width_of(topology_.objects[size_t(chain.hops[0])].pci);
      return {{end.key, node, "PCIe", own ? std::optional(own->gbs) : std::nullopt,
               own ? own->source : LinkSource::kInferred}};
    }
    std::vector<Hop> hops = climb(end, chain, chain.hops.size() - 1);
    hops.push_back({name_of(chain.hops.back()), node, "inside the processor", std::nullopt,
                    LinkSource::kInferred});
    return hops;
  }

  static void append_reversed(std::vector<Hop> descent, std::vector<Hop>& hops) {
    std::reverse(descent.begin(), descent.end());
    for (Hop& hop : descent) {
      std::swap(hop.from, hop.to);
      hops.push_back(std::move(hop));
    }
  }

  const Topology& topology_;
  PcieTree tree_;
};

}  // namespace

Result<Route> route(const Topology& topology, std::string_view a, std::string_view b) {
  const std::vector<End> ends = ends_of(topology);
  auto from = find_end(ends, a);
  if (!from) return std::move(from).error();
  auto to = find_end(ends, b);
  if (!to) return std::move(to).error();

  Route route;
  route.a = from->key, route.b = to->key;
  route.what_a = from->what, route.what_b = to->what;
  if (from->key == to->key) {
    route.word = word(Level::kSelf);
    return route;
  }
  const Finder finder(topology);
  const Link* link = find_link(topology, from->key, to->key);
  route.numa_distance = finder.numa_distance(*from, *to);
  if (link) {
    if (link->level != Level::kUnknown) route.word = link->word();
    route.gbs = link->gbs, route.source = link->source, route.note = link->note;
  }
  route.hops = link && link->level == Level::kNv ? finder.direct(*link, *from, *to)
                                                 : finder.by_pcie(link, *from, *to);
  return route;
}

std::string route_text(const Route& route) {
  std::ostringstream out;
  out << fmt::format("{}  {}\n{}  {}\n", route.a, shown(route.what_a, 70), route.b,
                     shown(route.what_b, 70));
  std::vector<std::string> facts;
  if (!route.word.empty()) facts.push_back(route.word == "X" ? "one and the same" : route.word);
  if (route.gbs)
    facts.push_back(fmt::format("{} ({})", speed_text(route.gbs), topology::word(route.source)));
  if (!route.note.empty()) facts.push_back(route.note);
  if (route.numa_distance) facts.push_back(fmt::format("NUMA distance {}", *route.numa_distance));
  if (!facts.empty()) out << fmt::format("\n{}\n", fmt::join(facts, ", "));
  if (route.hops.empty()) return out.str();

  cli::Table table({"HOP", "FROM", "TO", "OVER", "GB/S", "SOURCE"});
  table.right(0).right(4);
  for (size_t i = 0; i < route.hops.size(); ++i) {
    const Hop& hop = route.hops[i];
    table.row({std::to_string(i + 1), hop.from, hop.to, hop.over,
               hop.gbs ? number_text(*hop.gbs) : "?",
               hop.gbs ? std::string(topology::word(hop.source)) : "-"});
  }
  out << '\n';
  table.print(out);
  return out.str();
}

Json route_json(const Route& route) {
  const auto speed = [](std::optional<double> gbs) { return gbs ? Json(*gbs) : Json(); };
  const auto source = [](std::optional<double> gbs, LinkSource source) {
    return gbs ? Json(std::string(topology::word(source))) : Json();
  };
  Json out = {{"a", route.a},
              {"b", route.b},
              {"level", route.word.empty() ? Json() : Json(route.word)},
              {"gbs", speed(route.gbs)},
              {"source", source(route.gbs, route.source)},
              {"note", route.note},
              {"numa_distance", route.numa_distance ? Json(*route.numa_distance) : Json()},
              {"hops", Json::array()}};
  for (const Hop& hop : route.hops)
    out["hops"].push_back({{"from", hop.from},
                           {"to", hop.to},
                           {"over", hop.over},
                           {"gbs", speed(hop.gbs)},
                           {"source", source(hop.gbs, hop.source)}});
  return out;
}

}  // namespace aictl::topology::view
