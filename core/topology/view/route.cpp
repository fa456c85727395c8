#include "core/topology/view/route.hpp"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>

#include "core/base/nearest.hpp"
#include "core/cli/terminal/table.hpp"
#include "core/topology/view/hops.hpp"
#include "core/topology/view/words.hpp"

namespace aictl::topology::view {
namespace {

template <typename Device>
End end_of(std::string key, const Device& device, std::string what) {
  End end{std::move(key), std::move(what), {}, device.pci, device.nodeset, {}, {}};
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
    if (nic.gbs && *nic.gbs > 0) ends.back().port = Width{*nic.gbs, LinkSource::kDriver};
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
                    std::nullopt,
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

/// What the firmware says of the way between two memory nodes; 10 is local.
std::optional<uint64_t> numa_distance(const Topology& topology, const End& a, const End& b) {
  if (a.nodeset.count() != 1 || b.nodeset.count() != 1) return std::nullopt;
  const std::string from = fmt::format("NUMANode:{}", a.nodeset.first());
  const std::string to = fmt::format("NUMANode:{}", b.nodeset.first());
  for (const Distances& matrix : topology.distances) {
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

/// The way carries what its narrowest hop does, unless somebody measured it from end to end.
void set_figure(const Link* link, Route& route) {
  for (const Hop& hop : route.hops) {
    if (!hop.gbs) route.partly_known = true;
    if (!hop.gbs || (route.gbs && *route.gbs <= *hop.gbs)) continue;
    route.gbs = hop.gbs;
    route.source = hop.source;
  }
  if (!link || !link->gbs || (route.gbs && link->source != LinkSource::kMeasured)) return;
  route.gbs = link->gbs;
  route.source = link->source;
  route.partly_known = false;
}

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
  const Link* link = find_link(topology, from->key, to->key);
  route.numa_distance = numa_distance(topology, *from, *to);
  if (link && link->level != Level::kUnknown) route.word = link->word();
  if (link) route.note = link->note;
  route.hops = hops_between(topology, link, *from, *to);
  set_figure(link, route);
  return route;
}

std::string route_text(const Route& route) {
  std::ostringstream out;
  out << fmt::format("{}  {}\n{}  {}\n", route.a, shown(route.what_a, 70), route.b,
                     shown(route.what_b, 70));
  std::vector<std::string> facts;
  if (!route.word.empty()) facts.push_back(route.word == "X" ? "one and the same" : route.word);
  if (route.gbs)
    facts.push_back(fmt::format("{}{} ({})", route.partly_known ? "at most " : "",
                                speed_text(route.gbs), topology::word(route.source)));
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
