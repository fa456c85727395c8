#include "core/topology/view/picture/legend.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "core/topology/cpusets/kinds.hpp"
#include "core/topology/view/picture/devices.hpp"
#include "core/topology/view/words.hpp"

namespace aictl::topology::view {
namespace {

constexpr double kLeft = 40;
constexpr size_t kMostRows = 40;  // of a square; beyond that cells are too small to tell apart

struct Cell {
  std::string text;
  std::string_view colour;
  std::string_view ink = "#ffffff";
};

/// A square of cells with numbers at both sides; returns its lower edge and, by `right`, its right
/// one.
double draw_square(Canvas& canvas, double x, double y, const std::string& title,
                   const std::vector<std::vector<Cell>>& rows, double& right) {
  const size_t n = rows.size();
  const double cell = n <= 8 ? 38 : n <= 16 ? 26 : n <= 24 ? 20 : 14;
  const double left = x + 26, top = y + 34;
  canvas.text(x, y + 12, title, {12, "start", "#1f2933", true});
  const double size = cell >= 38 ? 10 : cell >= 26 ? 8.5 : 7;
  for (size_t row = 0; row < n; ++row) {
    const double middle = double(row) * cell + cell / 2;
    canvas.text(left - 5, top + middle + 3, std::to_string(row), {9, "end", kQuietColour});
    canvas.text(left + middle, top - 5, std::to_string(row), {9, "middle", kQuietColour});
    for (size_t column = 0; column < n; ++column) {
      const Cell& one = rows[row][column];
      const double at = left + double(column) * cell;
      canvas.rectangle(at, top + double(row) * cell, cell - 1.5, cell - 1.5,
                       {one.colour, "none", 1, 2});
      if (cell >= 20 && !one.text.empty())
        canvas.text(at + cell / 2 - 1, top + middle + 3, one.text, {size, "middle", one.ink},
                    cell + 4);
    }
  }
  right = std::max(left + double(n) * cell, x + text_width(title, 13));
  return top + double(n) * cell;
}

double draw_gpus(Canvas& canvas, const Topology& topology, double y, double& right) {
  const size_t n = topology.gpus.size();
  if (n < 2 || n > kMostRows) return y;
  std::vector<std::vector<Cell>> rows(
      n, std::vector<Cell>(n, {"?", colour_of(Level::kUnknown, Medium::kPcie), kQuietColour}));
  std::map<std::string, size_t> index;
  for (size_t i = 0; i < n; ++i) {
    index[fmt::format("gpu{}", i)] = i;
    rows[i][i] = {"", colour_of(Level::kSelf, Medium::kPcie), kQuietColour};
  }
  const int most = most_strands(topology);
  for (const Link& link : topology.links) {
    const auto a = index.find(link.a), b = index.find(link.b);
    if (a == index.end() || b == index.end()) continue;
    const Cell cell{link.word(), colour_of(link.level, link.medium, link.count, most),
                    link.level == Level::kPhb ? "#1f2933" : "#ffffff"};
    rows[a->second][b->second] = rows[b->second][a->second] = cell;
  }
  return draw_square(canvas, kLeft, y, "GPU to GPU", rows, right);
}

/// Distances between memory nodes, light to dark.
double draw_nodes(Canvas& canvas, const Topology& topology, double x, double y, double& right) {
  for (const Distances& matrix : topology.distances) {
    const size_t n = matrix.labels.size();
    const bool nodes = n > 2 && n <= kMostRows && matrix.values.size() == n * n &&
                       matrix.labels[0].starts_with("NUMANode");
    if (!nodes || matrix.name.find("Bandwidth") != std::string::npos) continue;
    static constexpr std::string_view kShades[] = {"#e3edf9", "#b7d2ef", "#84b1e0",
                                                   "#4f8cc9", "#2966a8", "#14477f"};
    const std::set<uint64_t> levels(matrix.values.begin(), matrix.values.end());
    std::vector<std::vector<Cell>> rows(n);
    for (size_t at = 0; at < n * n; ++at) {
      const auto rank = std::distance(levels.begin(), levels.find(matrix.values[at]));
      const auto shade = size_t(rank) * 5 / std::max<size_t>(levels.size() - 1, 1);
      rows[at / n].push_back(
          {std::to_string(matrix.values[at]), kShades[shade], shade < 3 ? "#1f2933" : "#ffffff"});
    }
    return draw_square(canvas, x, y, "NUMA distance (10 is local)", rows, right);
  }
  return y;
}

struct Entry {
  std::string_view colour;
  std::string text;
  double stroke = 0;  // a line of this width instead of a box
};

std::string level_text(const LinkKind& kind) {
  switch (kind.level) {
    case Level::kNv:
      return fmt::format("NV{}: {}", kind.count, medium_text(kind.medium));
    case Level::kPix:
      return "PIX: one PCIe bridge";
    case Level::kPxb:
      return "PXB: PCIe bridges";
    case Level::kPhb:
      return "PHB: host bridge";
    case Level::kNode:
      return "NODE: one NUMA node";
    case Level::kSys:
      return "SYS: NUMA to NUMA";
    default:
      return "unknown";
  }
}

/// Whether some part of the picture has a cache of its own as a bar.
bool has_bar(const Part& part) {
  return !part.cache.empty() || std::any_of(part.parts.begin(), part.parts.end(), has_bar);
}

std::vector<Entry> entries(const Topology& topology) {
  std::vector<Entry> out;
  const int most = most_strands(topology);
  for (const LinkKind& kind : link_kinds(topology)) {
    const std::string speed = kind.gbs ? ", " + speed_text(kind.gbs) : "";
    out.push_back({colour_of(kind.level, kind.medium, kind.count, most),
                   fmt::format("{}{}, {}", level_text(kind), speed, counted(kind.pairs, "pair")),
                   std::clamp(1 + kind.count * 0.7, 3.0, 8.0)});
    if (out.size() >= 10) break;
  }
  if (!topology.gpus.empty()) out.push_back({kGpuColour, "GPU"});
  if (!topology.nics.empty()) out.push_back({kNicColour, "network port"});
  if (!topology.disks.empty()) out.push_back({kDiskColour, "disk"});
  std::set<MemoryTier> tiers;
  for (const Object* node : objects_of(topology, ObjectType::kNuma))
    if (tiers.insert(node->tier == MemoryTier::kUnknown ? MemoryTier::kDram : node->tier).second)
      out.push_back(
          {colour_of(node->tier),
           fmt::format("memory node{}{}", tier_text(*node).empty() ? "" : ": ", tier_text(*node))});
  if (has_bar(outline(topology, {.devices = false})))
    out.push_back({kCacheColour, "cache that all cores of a box share"});
  const bool kinds = !economical_cpus(topology).empty();
  if (!objects_of(topology, ObjectType::kPu).empty())
    out.push_back(
        {kPerformanceColour, kinds ? "performance core, a stripe a CPU" : "core, a stripe a CPU"});
  const size_t packages = objects_of(topology, ObjectType::kPackage).size();
  if (packages > 1 && packages <= 4)
    out.push_back({colour_of(Level::kSys, Medium::kSocket), "interconnect of packages", 4});
  if (kinds) out.push_back({kEfficiencyColour, "efficiency core"});
  return out;
}

double draw_entries(Canvas& canvas, const std::vector<Entry>& list, double x, double y) {
  canvas.text(x, y + 12, "Legend", {12, "start", "#1f2933", true});
  y += 26;
  // What is left of the page decides how many columns there are.
  const double room = 1160 - x;
  const auto columns = std::max<size_t>(size_t(room / 270), 1);
  const size_t rows = (list.size() + columns - 1) / columns;
  for (size_t i = 0; i < list.size(); ++i) {
    const double left = x + double(i / rows) * 270, top = y + double(i % rows) * 20;
    if (list[i].stroke > 0)
      canvas.rectangle(left, top + 6 - list[i].stroke / 2, 18, list[i].stroke,
                       {list[i].colour, "none", 1, 1});
    else
      canvas.rectangle(left, top, 18, 12, {list[i].colour, "#9aa5b1", 0.8, 2});
    canvas.text(left + 25, top + 10, list[i].text, {11}, 262);
  }
  return y + double(rows) * 20;
}

}  // namespace

double draw_foot(Canvas& canvas, const Topology& topology, double y) {
  double right = 0, nodes_right = 0;
  double lowest = draw_gpus(canvas, topology, y, right);
  const double next = right > 0 ? right + 40 : kLeft;
  // Beside the GPUs where there is room for both.
  if (right < 560) {
    lowest = std::max(lowest, draw_nodes(canvas, topology, next, y, nodes_right));
    right = std::max(right, nodes_right);
  }
  const bool below = right > 860;
  const double x = right == 0 || below ? kLeft : std::max(right, nodes_right) + 40;
  const double legend = draw_entries(canvas, entries(topology), x, below ? lowest + 20 : y);
  return std::max(lowest, legend);
}

}  // namespace aictl::topology::view
