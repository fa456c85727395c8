#include "core/topology/links/direct.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include "core/topology/bandwidth.hpp"

namespace aictl::topology {
namespace {

using Peer = DirectPort::Peer;

/// Splits "gpu12" into its place in the order of kinds and its number.
std::pair<int, int> rank_of(std::string_view end) {
  const size_t digits = std::min(end.find_first_of("0123456789"), end.size());
  int number = 0;
  std::from_chars(end.data() + digits, end.data() + end.size(), number);
  const std::string_view kind = end.substr(0, digits);
  return {kind == "gpu" ? 0 : kind == "nic" ? 1 : 2, number};
}

/// Whether a matrix calls this GPU by `label`: the name of an OS device, or its address.
int gpu_called(const Topology& topology, std::string_view label) {
  for (const Gpu& gpu : topology.gpus) {
    if (std::find(gpu.names.begin(), gpu.names.end(), label) != gpu.names.end()) return gpu.index;
    if (gpu.pci && label.starts_with("pci:") && PciAddress::parse(label.substr(4)) == gpu.pci)
      return gpu.index;
  }
  return -1;
}

/// The memory nodes that a label such as "Package:1" or "NUMANode:8" means.
Bitset nodes_called(const Topology& topology, std::string_view label) {
  const size_t colon = label.find(':');
  if (colon == std::string_view::npos) return {};
  int number = -1;
  std::from_chars(label.data() + colon + 1, label.data() + label.size(), number);
  const std::string_view kind = label.substr(0, colon);
  const ObjectType type = kind == "Package" ? ObjectType::kPackage : ObjectType::kNuma;
  if (kind != "Package" && kind != "NUMANode") return {};
  for (const Object& object : topology.objects)
    if (object.type == type && object.os_index == number) return object.nodeset;
  return {};
}

/// How many links make `gbs`, by what one of this GPU carries.
int links_in(const Gpu& gpu, double gbs) {
  double each = gpu.nvlink_gbs.value_or(0);
  if (const GpuSpec* spec = gpu_spec(gpu.model); each == 0 && spec != nullptr)
    each = spec->nvlink_gbs;
  return each == 0 ? 0 : std::max(1, int(std::lround(gbs / each)));
}

/// What a GPU's ports to switches come to.
struct Uplink {
  int count = 0;
  double gbs = 0;
  std::set<int> switches;
};

bool share_a_switch(const Uplink& a, const Uplink& b) {
  return std::any_of(a.switches.begin(), a.switches.end(),
                     [&](int one) { return b.switches.contains(one); });
}

/// Collects links, one for each pair of ends.
class Pairs {
 public:
  Pairs(Topology& topology, Medium medium, LinkSource source)
      : topology_(topology), medium_(medium), source_(source) {
    for (const Link& link : topology.links) taken_.emplace(link.a, link.b);
  }

  /// The larger figure stands when both ends tell of the pair.
  void add(const DirectPort& port) {
    const std::string other =
        fmt::format("{}{}", port.peer == Peer::kGpu ? "gpu" : "numa", port.index);
    Link link = make_link(fmt::format("gpu{}", port.gpu), other);
    Link& kept = found_.try_emplace({link.a, link.b}, link).first->second;
    kept.count = std::max({kept.count, port.count, 1});
    if (port.gbs > 0) kept.gbs = std::max(kept.gbs.value_or(0), port.gbs);
  }

  void add_fabric(const std::map<int, Uplink>& uplinks) {
    for (auto a = uplinks.begin(); a != uplinks.end(); ++a)
      for (auto b = std::next(a); b != uplinks.end(); ++b) {
        add({a->first, Peer::kGpu, b->first, std::min(a->second.count, b->second.count),
             std::min(a->second.gbs, b->second.gbs)});
        Link key = make_link(fmt::format("gpu{}", a->first), fmt::format("gpu{}", b->first));
        if (!share_a_switch(a->second, b->second))
          found_.at({key.a, key.b}).note = "trunk inferred";
      }
  }

  void finish() {
    for (auto& [ends, link] : found_) {
      if (taken_.contains(ends)) continue;
      link.level = Level::kNv;
      link.medium = medium_;
      link.source = link.note.empty() ? source_ : LinkSource::kInferred;
      topology_.links.push_back(std::move(link));
    }
  }

 private:
  Topology& topology_;
  Medium medium_;
  LinkSource source_;
  std::set<std::pair<std::string, std::string>> taken_;
  std::map<std::pair<std::string, std::string>, Link> found_;
};

/// What a label of a matrix stands for.
struct End {
  int gpu = -1;
  Bitset nodes;
  bool is_switch = false;
};

std::vector<End> ends_of(const Topology& topology, const std::vector<std::string>& labels) {
  std::vector<End> ends;
  for (const std::string& label : labels) {
    End end{gpu_called(topology, label), nodes_called(topology, label)};
    end.is_switch = end.gpu < 0 && label.starts_with("pci:");
    ends.push_back(std::move(end));
  }
  return ends;
}

/// The ports of one cell: from the GPU of its row to what stands above its column.
void read_cell(int gpu, const End& to, int column, int count, double gbs,
               std::vector<DirectPort>& ports) {
  if (to.is_switch) ports.push_back({gpu, Peer::kSwitch, column, count, gbs});
  if (to.gpu >= 0 && to.gpu != gpu) ports.push_back({gpu, Peer::kGpu, to.gpu, count, gbs});
  for (int node : to.nodes.indexes()) ports.push_back({gpu, Peer::kNuma, node, count, gbs});
}

}  // namespace

Link make_link(std::string a, std::string b) {
  Link link;
  if (rank_of(b) < rank_of(a)) std::swap(a, b);
  link.a = std::move(a);
  link.b = std::move(b);
  return link;
}

void add_direct_links(Topology& topology, std::span<const DirectPort> ports, Medium medium,
                      LinkSource source) {
  Pairs pairs(topology, medium, source);
  std::map<int, Uplink> uplinks;
  for (const DirectPort& port : ports) {
    if (port.peer != Peer::kSwitch) {
      pairs.add(port);
      continue;
    }
    Uplink& uplink = uplinks[port.gpu];
    uplink.count += port.count;
    uplink.gbs += port.gbs;
    uplink.switches.insert(port.index);
  }
  pairs.add_fabric(uplinks);
  pairs.finish();
}

std::vector<DirectPort> ports_of(const Topology& topology, const Distances& matrix) {
  std::vector<DirectPort> ports;
  const bool counts = matrix.name == kNvlinkCount || matrix.name == kXgmiCount;
  const size_t n = matrix.labels.size();
  if (matrix.values.size() != n * n) return ports;
  const std::vector<End> ends = ends_of(topology, matrix.labels);
  for (size_t row = 0; row < n; ++row) {
    const int gpu = ends[row].gpu;
    if (gpu < 0) continue;
    for (size_t column = 0; column < n; ++column) {
      const uint64_t value = matrix.values[row * n + column];
      // The diagonal is the device itself, whatever its figure; zero is "no direct link".
      if (column == row || value == 0) continue;
      const Gpu& from = topology.gpus[gpu];
      const int count =
          counts ? int(std::min<uint64_t>(value, 1000)) : links_in(from, value / 1000.0);
      const double gbs = counts ? count * from.nvlink_gbs.value_or(0) : value / 1000.0;
      read_cell(gpu, ends[column], int(column), count, gbs, ports);
    }
  }
  return ports;
}

}  // namespace aictl::topology
