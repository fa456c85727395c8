#include "core/topology/view/picture/host.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/topology/view/words.hpp"

namespace aictl::topology::view {
namespace {

using Kind = Part::Kind;

constexpr double kLeft = 40, kRight = 1160;  // margins of the page
constexpr double kPad = 8, kGap = 6, kMemoryHeight = 22, kCacheHeight = 17;
constexpr size_t kMostCells = 2048;  // more cores than that are a number, not squares

size_t count_cores(const Part& part) {
  size_t count = part.kind == Kind::kCore || part.kind == Kind::kPu ? 1 : 0;
  for (const Part& below : part.parts) count += count_cores(below);
  return count;
}

bool is_cell(const Part& part) { return part.kind == Kind::kCore || part.kind == Kind::kPu; }
bool is_bar(const Part& part) { return part.kind == Kind::kMemory && part.parts.empty(); }
bool is_box(const Part& part) { return !is_cell(part) && !is_bar(part); }

/// Lays out and draws boxes within boxes. Heights are asked for first, so that boxes of a row are
/// equally high.
class HostPainter {
 public:
  HostPainter(Canvas& canvas, const Topology& topology, size_t cores)
      : canvas_(canvas),
        topology_(topology),
        cell_(cores <= 20     ? 40
              : cores <= 64   ? 28
              : cores <= 160  ? 20
              : cores <= 400  ? 14
              : cores <= 1000 ? 10
                              : 6),
        as_numbers_(cores > kMostCells) {}

  double height(const Part& part, double width) const { return place(part, 0, 0, width, nullptr); }
  void draw(const Part& part, double x, double y, double width, double height) {
    frame(part, x, y, width, height);
    place(part, x, y, width, &canvas_);
  }

 private:
  void frame(const Part& part, double x, double y, double width, double height) {
    const bool outer = part.kind == Kind::kPackage || part.kind == Kind::kMachine;
    canvas_.rectangle(x, y, width, height,
                      {outer ? "#f6f8fb" : "#ffffff", outer ? "#7f90a8" : "#c3cedb",
                       outer ? 1.5 : 1, outer ? 6.0 : 3.0});
  }

  static std::string title(const Part& part) {
    std::string out = part.kind == Kind::kMachine ? "machine" : part.noun;
    if (!part.numbers.empty() && part.numbers[0] >= 0) out += fmt::format(" {}", part.numbers[0]);
    return out;
  }

  double title_size(const Part& part) const {
    return part.kind == Kind::kPackage || part.kind == Kind::kMachine ? 13 : 10;
  }

  /// Draws what is inside `part` when there is a canvas; returns the height it takes.
  double place(const Part& part, double x, double y, double width, Canvas* canvas) const {
    const double inner = width - 2 * kPad;
    const double size = title_size(part);
    double at = y + kPad + size;
    if (canvas) titles(part, x + kPad, at, inner, *canvas);
    at += part.text.empty() || part.kind == Kind::kCache ? 6 : size + 10;
    at = place_memory(part, x + kPad, at, inner, canvas);
    at = place_cache(part, x + kPad, at, inner, canvas);
    at = place_cells(part, x + kPad, at, inner, canvas);
    at = place_boxes(part, x + kPad, at, inner, canvas);
    return at - y + kPad - kGap;
  }

  void titles(const Part& part, double x, double y, double room, Canvas& canvas) const {
    const double size = title_size(part);
    std::string head = title(part);
    const bool one_line = part.kind == Kind::kCache;
    if (one_line && !part.text.empty()) head += ", " + part.text;
    canvas.text(x, y, head, {size, "start", "#1f2933", size > 12}, room);
    if (!one_line && !part.text.empty())
      canvas.text(x, y + size + 2, part.text, {size - 2, "start", kQuietColour}, room);
  }

  double place_memory(const Part& part, double x, double y, double room, Canvas* canvas) const {
    std::vector<const Part*> nodes;
    for (const Part& below : part.parts)
      if (is_bar(below)) nodes.push_back(&below);
    if (nodes.empty()) return y;
    const auto columns = std::clamp<size_t>(size_t((room + kGap) / (150 + kGap)), 1, nodes.size());
    const double width = (room - kGap * double(columns - 1)) / double(columns);
    for (size_t i = 0; i < nodes.size(); ++i) {
      const double left = x + double(i % columns) * (width + kGap);
      const double top = y + double(i / columns) * (kMemoryHeight + kGap);
      if (canvas) memory_bar(*nodes[i], left, top, width, *canvas);
    }
    const double rows = std::ceil(double(nodes.size()) / double(columns));
    return y + rows * (kMemoryHeight + kGap);
  }

  void memory_bar(const Part& node, double x, double y, double width, Canvas& canvas) const {
    MemoryTier tier = MemoryTier::kUnknown;
    for (const Object& object : topology_.objects)
      if (object.type == ObjectType::kNuma && object.os_index == node.numbers[0])
        tier = object.tier;
    canvas.rectangle(x, y, width, kMemoryHeight, {colour_of(tier), "#8fa5c2", 1, 3});
    canvas.text(x + width / 2, y + 15, fmt::format("numa {}: {}", node.numbers[0], node.text),
                {10.5, "middle"}, width - 6);
  }

  /// The cache that all of a box shares, as a bar over its cores.
  static double place_cache(const Part& part, double x, double y, double room, Canvas* canvas) {
    if (part.cache.empty()) return y;
    if (canvas) {
      canvas->rectangle(x, y, room, kCacheHeight, {kCacheColour, "#c9b458", 0.8, 3});
      canvas->text(x + room / 2, y + 12, part.cache, {10, "middle"}, room - 6);
    }
    return y + kCacheHeight + kGap;
  }

  double place_cells(const Part& part, double x, double y, double room, Canvas* canvas) const {
    std::vector<const Part*> cells;
    for (const Part& below : part.parts)
      if (is_cell(below)) cells.push_back(&below);
    if (cells.empty()) return y;
    if (as_numbers_) {
      if (canvas) canvas->text(x, y + 12, counted(cells.size(), "core"), {11}, room);
      return y + 18 + kGap;
    }
    const double gap = cell_ > 12 ? 4 : 2;
    const auto columns = std::clamp<size_t>(size_t((room + gap) / (cell_ + gap)), 1, cells.size());
    for (size_t i = 0; i < cells.size() && canvas; ++i)
      draw_cell(*cells[i], x + double(i % columns) * (cell_ + gap),
                y + double(i / columns) * (cell_ + gap), *canvas);
    y += std::ceil(double(cells.size()) / double(columns)) * (cell_ + gap) - gap + kGap;
    const bool alike = std::all_of(cells.begin(), cells.end(),
                                   [&](const Part* cell) { return cell->text == cells[0]->text; });
    if (!alike || cells[0]->text.empty() || room < 180) return y;
    if (canvas)
      canvas->text(x, y + 8, "a core: " + cells[0]->text, {9.5, "start", kQuietColour}, room);
    return y + 12 + kGap;
  }

  /// A core: a square with a stripe a PU at its foot.
  void draw_cell(const Part& core, double x, double y, Canvas& canvas) const {
    const bool slow = core.noun.starts_with("efficiency");
    canvas.rectangle(
        x, y, cell_, cell_,
        {slow ? kEfficiencyColour : kPerformanceColour, "none", 1, cell_ > 12 ? 3.0 : 1.0});
    const int pus = std::clamp(core.pus, 1, 16);
    const double stripe = (cell_ - 2) / pus;
    for (int i = 0; i < pus && core.kind == Kind::kCore && cell_ >= 10; ++i)
      canvas.rectangle(x + 1 + i * stripe + 0.5, y + cell_ * 0.72, stripe - 1, cell_ * 0.2,
                       {"#ffffff", "none", 1, 1});
    std::string label = core.cpus.list();
    if (text_width(label, cell_ >= 40 ? 11 : 8) > cell_ + 2)
      label = std::to_string(core.cpus.first());
    if (cell_ >= 28)
      canvas.text(x + cell_ / 2, y + cell_ * 0.5, label, {cell_ >= 40 ? 11.0 : 8.0, "middle"},
                  cell_ + 6);
  }

  double place_boxes(const Part& part, double x, double y, double room, Canvas* canvas) const {
    std::vector<const Part*> boxes;
    double natural = 0;
    for (const Part& below : part.parts)
      if (is_box(below)) {
        boxes.push_back(&below);
        natural = std::max(natural, natural_width(below));
      }
    if (boxes.empty()) return y;
    auto columns = std::clamp<size_t>(size_t((room + kGap) / (natural + kGap)), 1, boxes.size());
    const size_t rows = (boxes.size() + columns - 1) / columns;
    columns = (boxes.size() + rows - 1) / rows;
    const double width = (room - kGap * double(columns - 1)) / double(columns);
    for (size_t row = 0; row < rows; ++row) {
      const size_t first = row * columns, end = std::min(first + columns, boxes.size());
      double tallest = 0;
      for (size_t i = first; i < end; ++i) tallest = std::max(tallest, height(*boxes[i], width));
      for (size_t i = first; i < end && canvas; ++i)
        const_cast<HostPainter*>(this)->draw(*boxes[i], x + double(i - first) * (width + kGap), y,
                                             width, tallest);
      y += tallest + kGap;
    }
    return y;
  }

  /// How wide a box wants to be: as its cores in a short row, and its title.
  double natural_width(const Part& part) const {
    double width = text_width(title(part), title_size(part)) + 8;
    if (part.kind == Kind::kCache) width += text_width(part.text, title_size(part)) + 8;
    size_t cells = 0;
    double boxes = 0, total = 0;
    for (const Part& below : part.parts) {
      if (is_cell(below)) ++cells;
      if (is_bar(below)) width = std::max(width, 140.0);
      if (is_box(below)) {
        boxes = std::max(boxes, natural_width(below));
        total += natural_width(below) + kGap;
      }
    }
    if (!as_numbers_) width = std::max(width, double(std::min<size_t>(cells, 8)) * (cell_ + 4));
    width = std::max(width, std::max(boxes, std::min(total, 420.0)));
    return width + 2 * kPad;
  }

  Canvas& canvas_;
  const Topology& topology_;
  const double cell_;
  const bool as_numbers_;
};

size_t columns_for(size_t boxes) {
  if (boxes <= 4) return std::max<size_t>(boxes, 1);
  return boxes <= 9 ? 3 : boxes <= 16 ? 4 : boxes <= 24 ? 6 : 8;
}

}  // namespace

std::vector<Frame> draw_packages(Canvas& canvas, const Topology& topology, const Part& machine,
                                 double y) {
  std::vector<const Part*> packages;
  for (const Part& part : machine.parts)
    if (part.kind == Kind::kPackage) packages.push_back(&part);
  // Whatever stands outside of packages keeps the machine one box.
  const bool split = !packages.empty() && packages.size() == machine.parts.size();
  if (!split) packages = {&machine};

  HostPainter painter(canvas, topology, count_cores(machine));
  const size_t columns = columns_for(packages.size());
  const double gap = packages.size() <= 4 ? 40 : 12;
  const double width = (kRight - kLeft - gap * double(columns - 1)) / double(columns);
  std::vector<Frame> frames;
  for (size_t first = 0; first < packages.size(); first += columns) {
    const size_t end = std::min(first + columns, packages.size());
    double tallest = 0;
    for (size_t i = first; i < end; ++i)
      tallest = std::max(tallest, painter.height(*packages[i], width));
    for (size_t i = first; i < end; ++i) {
      const double x = kLeft + double(i - first) * (width + gap);
      painter.draw(*packages[i], x, y, width, tallest);
      frames.push_back({x, y, width, tallest});
    }
    y += tallest + gap;
  }
  for (size_t i = 0; i + 1 < frames.size() && packages.size() <= 4; ++i) {
    const double middle = frames[i].y + frames[i].height / 2;
    canvas.line(frames[i].x + frames[i].width, middle, frames[i + 1].x, middle,
                colour_of(Level::kSys, Medium::kSocket), 4);
  }
  return frames;
}

}  // namespace aictl::topology::view
