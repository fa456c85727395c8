#include "core/topology/view/picture/devices.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "core/topology/view/words.hpp"

namespace aictl::topology::view {
namespace {

constexpr double kPad = 8, kGap = 6, kChipHeight = 26, kGpuHeight = 40, kDrop = 26;
constexpr size_t kMostChips = 24;  // network ports and disks of a tray
constexpr size_t kMostBows = 64;   // links drawn one by one
constexpr size_t kMostTrays = 4;   // side by side, each under its package

/// What stands in one tray: indexes into the topology's lists.
struct Tray {
  std::vector<size_t> gpus, nics, disks;
  bool empty() const { return gpus.empty() && nics.empty() && disks.empty(); }
};

/// Where a GPU's chip ended up.
struct Spot {
  double x = 0, bottom = 0;
};

struct Chip {
  std::string name, detail;
  std::string_view colour;
};

bool is_direct(const Link& link) {
  return link.level == Level::kNv && link.a.starts_with("gpu") && link.b.starts_with("gpu");
}

size_t number_of(const std::string& key) {
  size_t number = 0;
  for (const char c : key)
    if (c >= '0' && c <= '9') number = number * 10 + size_t(c - '0');
  return number;
}

/// Whether a tray under its package says which memory node its devices are near to.
bool each_package_has_one_node(const Topology& topology) {
  const auto packages = objects_of(topology, ObjectType::kPackage);
  const bool one = std::all_of(packages.begin(), packages.end(),
                               [](const Object* package) { return package->nodeset.count() == 1; });
  const size_t nodes = objects_of(topology, ObjectType::kNuma).size();
  return nodes < 2 || (one && packages.size() > 1 && packages.size() <= kMostTrays);
}

class DevicePainter {
 public:
  DevicePainter(Canvas& canvas, const Topology& topology)
      : canvas_(canvas),
        topology_(topology),
        spots_(topology.gpus.size()),
        nodes_are_packages_(each_package_has_one_node(topology)) {}

  /// Draws the tray under `frame`, joined to it by a line; returns its lower edge.
  double tray(const Tray& tray, const Frame& frame, double y) {
    const double x = frame.x, width = frame.width;
    const double height = place(tray, x, y, width, false);
    connect(tray, frame, y);
    canvas_.rectangle(x, y, width, height, {"#fffdf7", "#c9b98f", 1, 6});
    place(tray, x, y, width, true);
    return y + height;
  }

  double links(double y) {
    std::vector<const Link*> direct;
    for (const Link& link : topology_.links)
      if (is_direct(link)) direct.push_back(&link);
    if (direct.empty()) return y;
    return is_fabric(direct) ? fabric(direct, y) : bows(direct, y);
  }

 private:
  void connect(const Tray& tray, const Frame& frame, double y) {
    const double middle = frame.x + frame.width / 2, top = frame.y + frame.height;
    canvas_.line(middle, top, middle, y, kLineColour, 4);
    std::set<std::string> speeds;
    for (const size_t gpu : tray.gpus)
      if (topology_.gpus[gpu].pcie_gbs) speeds.insert(speed_text(topology_.gpus[gpu].pcie_gbs));
    std::string label = "PCI Express";
    if (!tray.gpus.empty() && !speeds.empty())
      label += fmt::format(", {} a GPU", fmt::join(speeds, " or "));
    canvas_.text(middle + 8, (top + y) / 2 + 4, label, {10.5, "start", kQuietColour});
    for (const Link& link : topology_.links) {
      if (!link.b.starts_with("numa") || link.medium == Medium::kPcie) continue;
      const bool here =
          std::find(tray.gpus.begin(), tray.gpus.end(), number_of(link.a)) != tray.gpus.end();
      if (!here || link.level != Level::kNv) continue;
      canvas_.line(middle - 14, top, middle - 14, y, colour_of(link.level, link.medium), 4);
      canvas_.text(middle - 22, (top + y) / 2 + 4,
                   fmt::format("{} to the processor, {}", link.word(), speed_text(link.gbs)),
                   {10.5, "end", kQuietColour});
      break;
    }
  }

  /// "numa 3" where a device's place above does not say so already: a package has several nodes.
  std::string node_note(const Bitset& nodes) const {
    if (nodes.empty() || nodes_are_packages_) return "";
    return "numa " + nodes.list();
  }

  std::string with_node(const std::string& text, const Bitset& nodes) const {
    const std::string node = node_note(nodes);
    return node.empty() || text.empty() ? text + node : text + ", " + node;
  }

  std::vector<Chip> small_chips(const Tray& tray) const {
    std::vector<Chip> chips;
    size_t functions = 0;
    for (const size_t i : tray.nics) {
      const Nic& nic = topology_.nics[i];
      if (nic.virtual_function)
        ++functions;
      else
        chips.push_back(
            {nic.name,
             with_node(nic.gbs && *nic.gbs > 0 ? speed_text(nic.gbs) : nic.kind, nic.nodeset),
             kNicColour});
    }
    if (functions > 0) chips.push_back({fmt::format("{} VFs", functions), "virtual", kNicColour});
    for (const size_t i : tray.disks) {
      const Disk& disk = topology_.disks[i];
      const bool sized = disk.bytes && *disk.bytes > 0;
      chips.push_back({disk.name,
                       with_node(sized ? size_text(*disk.bytes) : disk.kind, disk.nodeset),
                       kDiskColour});
    }
    if (chips.size() > kMostChips) {
      const size_t more = chips.size() - kMostChips + 1;
      chips.resize(kMostChips - 1);
      chips.push_back({fmt::format("+{} more", more), "", kDiskColour});
    }
    return chips;
  }

  double place(const Tray& tray, double x, double y, double width, bool draw) {
    const double inner = width - 2 * kPad;
    double at = y + kPad;
    const std::vector<Chip> chips = small_chips(tray);
    const auto columns = std::max<size_t>(size_t((inner + kGap) / (84 + kGap)), 1);
    for (size_t i = 0; i < chips.size() && draw; ++i)
      chip(chips[i], x + kPad + double(i % columns) * (84 + kGap),
           at + double(i / columns) * (kChipHeight + kGap), 84, kChipHeight);
    if (!chips.empty())
      at += std::ceil(double(chips.size()) / double(columns)) * (kChipHeight + kGap);
    if (tray.gpus.empty()) return at - y + kPad - kGap;
    at += 12;
    if (draw)
      canvas_.text(x + kPad, at - 2, gpu_title(tray), {11, "start", "#1f2933", true}, inner);
    at += 4;
    const double room = (inner + kGap) / double(tray.gpus.size()) - kGap;
    const double wide = std::clamp(room, 44.0, 92.0);
    const auto per_row = std::max<size_t>(size_t((inner + kGap) / (wide + kGap)), 1);
    for (size_t i = 0; i < tray.gpus.size() && draw; ++i) {
      const double left = x + kPad + double(i % per_row) * (wide + kGap);
      const double top = at + double(i / per_row) * (kGpuHeight + kGap);
      gpu_chip(tray.gpus[i], left, top, wide);
    }
    at += std::ceil(double(tray.gpus.size()) / double(per_row)) * (kGpuHeight + kGap);
    return at - y + kPad - kGap;
  }

  std::string gpu_title(const Tray& tray) const {
    std::map<std::string, int> models;
    for (const size_t gpu : tray.gpus) ++models[gpu_text(topology_.gpus[gpu])];
    std::vector<std::string> parts;
    for (const auto& [model, count] : models)
      parts.push_back(count > 1 ? fmt::format("{}x {}", count, model) : model);
    return fmt::format("{}", fmt::join(parts, "; "));
  }

  void chip(const Chip& chip, double x, double y, double width, double height) {
    canvas_.rectangle(x, y, width, height, {chip.colour, "#9aa5b1", 0.8, 3});
    canvas_.text(x + width / 2, y + (chip.detail.empty() ? 17 : 11), chip.name, {10, "middle"},
                 width - 4);
    canvas_.text(x + width / 2, y + 22, chip.detail, {8.5, "middle", kQuietColour}, width - 4);
  }

  void gpu_chip(size_t index, double x, double y, double width) {
    const Gpu& gpu = topology_.gpus[index];
    const bool lost = !gpu.lost.empty();
    canvas_.rectangle(x, y, width, kGpuHeight, {lost ? "#f3c0bd" : kGpuColour, "#5c940d", 1.2, 4});
    canvas_.text(x + width / 2, y + 17, fmt::format("gpu{}", gpu.index),
                 {12, "middle", "#1f2933", true}, width);
    const std::string node = node_note(gpu.nodeset);
    const std::string detail = lost               ? "lost"
                               : !node.empty()    ? node  // the title has the memory
                               : gpu.memory_bytes ? size_text(*gpu.memory_bytes)
                               : gpu.pci          ? gpu.pci->text().substr(5)
                                                  : "";
    canvas_.text(x + width / 2, y + 32, detail, {9, "middle", kQuietColour}, width - 2);
    spots_[index] = {x + width / 2, y + kGpuHeight};
  }

  bool is_fabric(const std::vector<const Link*>& direct) const {
    const size_t n = topology_.gpus.size();
    const bool alike = std::all_of(direct.begin(), direct.end(), [&](const Link* link) {
      return link->count == direct[0]->count && link->gbs == direct[0]->gbs;
    });
    return alike && n > 4 && direct.size() == n * (n - 1) / 2;
  }

  /// Every GPU reaches every other at the same speed: one bar they all hang on.
  double fabric(const std::vector<const Link*>& direct, double y) {
    const Link& link = *direct[0];
    const std::string_view colour = colour_of(link.level, link.medium);
    double left = 1200, right = 0;
    for (const Spot& spot : spots_) {
      canvas_.line(spot.x, spot.bottom, spot.x, y + 28, colour,
                   std::min(2 + link.count * 0.4, 6.0));
      left = std::min(left, spot.x), right = std::max(right, spot.x);
    }
    canvas_.rectangle(left - 24, y + 24, right - left + 48, 30, {colour, "none", 1, 6});
    std::string label = topology_.nvswitches > 0
                            ? fmt::format("NVSwitch fabric, {} switches", topology_.nvswitches)
                            : std::string("fabric");
    std::set<std::string> sources;
    for (const Link* one : direct)
      sources.insert(one->note.empty() ? std::string(word(one->source)) : one->note);
    label += fmt::format(": {} {} between any two GPUs ({})", link.word(), speed_text(link.gbs),
                         fmt::join(sources, ", "));
    canvas_.text((left + right) / 2, y + 43, label, {12, "middle", "#ffffff", true},
                 right - left + 40);
    return y + 62;
  }

  double bows(const std::vector<const Link*>& direct, double y) {
    double deepest = 0;
    const int most = most_strands(topology_);
    for (size_t i = 0; i < direct.size() && i < kMostBows; ++i) {
      const Link& link = *direct[i];
      const size_t a = number_of(link.a), b = number_of(link.b);
      if (a >= spots_.size() || b >= spots_.size()) continue;
      const double x1 = spots_[a].x, x2 = spots_[b].x;
      const double depth = std::min(24 + std::abs(x2 - x1) * 0.16, 130.0);
      canvas_.bow(x1, x2, std::max(spots_[a].bottom, spots_[b].bottom), depth,
                  colour_of(link.level, link.medium, link.count, most),
                  std::clamp(1 + link.count * 0.7, 1.5, 6.0));
      deepest = std::max(deepest, depth * 0.75);
    }
    return y + deepest + 6;
  }

  Canvas& canvas_;
  const Topology& topology_;
  std::vector<Spot> spots_;
  const bool nodes_are_packages_;
};

/// The package a device is near to; -1 when it is near to none of them, or to several.
int home_of(const std::vector<const Object*>& packages, const Bitset& cpus, const Bitset& nodes) {
  int home = -1;
  for (size_t i = 0; i < packages.size(); ++i) {
    const bool near = !cpus.empty() ? packages[i]->cpuset.contains(cpus)
                                    : !nodes.empty() && packages[i]->nodeset.contains(nodes);
    if (near) home = home < 0 ? int(i) : -1;
  }
  return home;
}

}  // namespace

int most_strands(const Topology& topology) {
  int most = 0;
  for (const Link& link : topology.links)
    if (is_direct(link)) most = std::max(most, link.count);
  return most;
}

std::vector<LinkKind> link_kinds(const Topology& topology) {
  std::map<std::tuple<Level, int, Medium, double>, LinkKind> kinds;
  for (const Link& link : topology.links) {
    if (!link.a.starts_with("gpu") || !link.b.starts_with("gpu")) continue;
    const auto key = std::tuple(link.level, -link.count, link.medium, link.gbs.value_or(0));
    ++kinds.emplace(key, LinkKind{link.level, link.count, link.medium, link.gbs, 0})
          .first->second.pairs;
  }
  std::vector<LinkKind> out;
  for (const auto& [key, kind] : kinds) out.push_back(kind);
  return out;
}

double draw_devices(Canvas& canvas, const Topology& topology,
                    const std::vector<const Object*>& packages, const std::vector<Frame>& frames) {
  const bool beside =
      packages.size() > 1 && packages.size() == frames.size() && frames.size() <= kMostTrays;
  std::vector<Tray> trays(beside ? frames.size() : 0);
  Tray shared;  // of no package, or of all
  const auto tray_of = [&](const Bitset& cpus, const Bitset& nodes) -> Tray& {
    const int home = beside ? home_of(packages, cpus, nodes) : -1;
    return home < 0 ? shared : trays[size_t(home)];
  };
  for (size_t i = 0; i < topology.gpus.size(); ++i)
    tray_of(topology.gpus[i].cpuset, topology.gpus[i].nodeset).gpus.push_back(i);
  for (size_t i = 0; i < topology.nics.size(); ++i)
    tray_of(topology.nics[i].cpuset, topology.nics[i].nodeset).nics.push_back(i);
  for (size_t i = 0; i < topology.disks.size(); ++i)
    tray_of(topology.disks[i].cpuset, topology.disks[i].nodeset).disks.push_back(i);

  DevicePainter painter(canvas, topology);
  double lowest = 0;
  for (const Frame& frame : frames) lowest = std::max(lowest, frame.y + frame.height);
  const double top = lowest + kDrop;
  for (size_t i = 0; i < trays.size(); ++i)
    if (!trays[i].empty()) lowest = std::max(lowest, painter.tray(trays[i], frames[i], top));
  if (!shared.empty()) {
    const double upper = lowest + kDrop;
    const Frame whole{40, lowest, 1120, 0};
    lowest = painter.tray(shared, whole, upper);
  }
  return painter.links(lowest);
}

}  // namespace aictl::topology::view
