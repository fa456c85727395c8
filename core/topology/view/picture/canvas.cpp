#include "core/topology/view/picture/canvas.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/cli/terminal/table.hpp"
#include "core/topology/view/words.hpp"

namespace aictl::topology::view {
namespace {

constexpr double kLetter = 0.56;  // width of a letter as a share of its size, on average

}  // namespace

std::string xml_text(std::string_view text, size_t width) {
  std::string out;
  for (const char c : shown(text, width)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

double text_width(std::string_view text, double size) {
  return double(cli::display_width(text)) * size * kLetter;
}

void Canvas::rectangle(double x, double y, double width, double height, const Paint& paint) {
  shapes_ += fmt::format(
      "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" rx=\"{:.1f}\" "
      "fill=\"{}\"",
      x, y, std::max(width, 0.0), std::max(height, 0.0), paint.radius, paint.fill);
  if (paint.stroke != "none")
    shapes_ += fmt::format(" stroke=\"{}\" stroke-width=\"{:.1f}\"", paint.stroke, paint.width);
  shapes_ += "/>\n";
}

void Canvas::line(double x1, double y1, double x2, double y2, std::string_view colour,
                  double width) {
  shapes_ += fmt::format(
      "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\" "
      "stroke-width=\"{:.1f}\"/>\n",
      x1, y1, x2, y2, colour, width);
}

void Canvas::bow(double x1, double x2, double y, double depth, std::string_view colour,
                 double width) {
  shapes_ += fmt::format(
      "<path d=\"M{:.1f},{:.1f} C{:.1f},{:.1f} {:.1f},{:.1f} {:.1f},{:.1f}\" fill=\"none\" "
      "stroke=\"{}\" stroke-width=\"{:.1f}\"/>\n",
      x1, y, x1, y + depth, x2, y + depth, x2, y, colour, width);
}

void Canvas::text(double x, double y, std::string_view text, const Lettering& lettering,
                  double room) {
  const auto letters =
      room > 0 ? size_t(std::max(room / (lettering.size * kLetter), 3.0)) : size_t(1000);
  shapes_ += fmt::format(
      "<text x=\"{:.1f}\" y=\"{:.1f}\" font-size=\"{}\" text-anchor=\"{}\" "
      "fill=\"{}\"{}>{}</text>\n",
      x, y, lettering.size, lettering.anchor, lettering.fill,
      lettering.bold ? " font-weight=\"600\"" : "", xml_text(text, letters));
}

std::string Canvas::document(double height, std::string_view title) const {
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1200 {0:.0f}\" width=\"1200\" "
      "height=\"{0:.0f}\" font-family=\"Helvetica, Arial, 'DejaVu Sans', sans-serif\">\n"
      "<title>{1}</title>\n<rect width=\"1200\" height=\"{0:.0f}\" fill=\"#ffffff\"/>\n{2}</svg>\n",
      height, xml_text(title), shapes_);
}

std::string_view colour_of(Level level, Medium medium) {
  switch (level) {
    case Level::kSelf:
      return "#eef1f5";
    case Level::kNv:
      return medium == Medium::kXgmi ? "#9c36b5" : "#2b8a3e";
    case Level::kPix:
      return "#1971c2";
    case Level::kPxb:
      return "#4dabf7";
    case Level::kPhb:
      return "#f2b705";
    case Level::kNode:
      return "#f08c2e";
    case Level::kSys:
      return "#e0564b";
    case Level::kUnknown:
      return "#ced4da";
  }
  return "#ced4da";
}

std::string_view colour_of(Level level, Medium medium, int count, int most) {
  const bool pale = level == Level::kNv && count > 0 && count * 2 <= most;
  if (!pale) return colour_of(level, medium);
  return medium == Medium::kXgmi ? "#cc8fd9" : "#7cc48a";
}

std::string_view colour_of(MemoryTier tier) {
  switch (tier) {
    case MemoryTier::kHbm:
      return "#d9c2f0";
    case MemoryTier::kNvm:
      return "#f7d6b0";
    case MemoryTier::kCxl:
      return "#b9e6dc";
    case MemoryTier::kGpu:
      return kGpuColour;
    default:
      return "#dbe8f8";
  }
}

}  // namespace aictl::topology::view
