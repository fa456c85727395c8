// Canvas: the shapes of an SVG picture, written down one after the other.
#pragma once

#include <string>
#include <string_view>

#include "core/topology/topology.hpp"

namespace aictl::topology::view {

/// `text` as XML has it, cut to `width` characters.
std::string xml_text(std::string_view text, size_t width = 1000);

struct Paint {
  std::string_view fill = "none", stroke = "none";
  double width = 1;   // of the stroke
  double radius = 3;  // of a rectangle's corners
};

struct Lettering {
  double size = 12;
  std::string_view anchor = "start";  // start, middle, end
  std::string_view fill = "#1f2933";
  bool bold = false;
};

/// Lengths are pixels of a page 1200 wide; y grows downwards.
class Canvas {
 public:
  void rectangle(double x, double y, double width, double height, const Paint& paint);
  void line(double x1, double y1, double x2, double y2, std::string_view colour, double width);
  /// A bow from one point down to another of the same height, `depth` low.
  void bow(double x1, double x2, double y, double depth, std::string_view colour, double width);
  /// `y` is the base line. Cut so that it is at most `room` wide; 0: not cut.
  void text(double x, double y, std::string_view text, const Lettering& lettering, double room = 0);

  /// The document of all shapes; `title` is read aloud and shown by viewers.
  std::string document(double height, std::string_view title) const;

 private:
  std::string shapes_;
};

/// Colours, so that boxes and legend agree.
std::string_view colour_of(Level level, Medium medium);
/// Of a link: a direct one of fewer strands than half of `most` is paler.
std::string_view colour_of(Level level, Medium medium, int count, int most);
std::string_view colour_of(MemoryTier tier);
inline constexpr std::string_view kPerformanceColour = "#7db3e8", kEfficiencyColour = "#a5d6a0",
                                  kGpuColour = "#c3e6a5", kNicColour = "#ffd58c",
                                  kDiskColour = "#d8dbe0", kCacheColour = "#f5ecc4",
                                  kLineColour = "#8795a8", kQuietColour = "#5f6c7b";

/// How wide a text of this size stands, about.
double text_width(std::string_view text, double size);

}  // namespace aictl::topology::view
