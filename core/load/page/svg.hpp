// Plots as SVG elements, to stand within a page: the page's style gives them their colours.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aictl::load {

/// A line of a plot; a point without a value interrupts it.
struct Series {
  std::string name;
  std::vector<std::pair<double, std::optional<double>>> points;
};

struct Axes {
  std::string x, y;       // what they show, with units
  bool log_x = false;     // for positive values only
  bool from_zero = true;  // y begins at 0
  std::optional<double> y_max;
};

/// Lines over common axes with a legend; a note instead of axes when there is nothing to show.
std::string line_plot(const std::vector<Series>& series, const Axes& axes);

/// A bar for each of (low, high, count).
struct Bar {
  double low = 0, high = 0, count = 0;
};
std::string bar_plot(const std::vector<Bar>& bars, const Axes& axes);

/// `text` for use within HTML.
std::string escape_html(std::string_view text);

}  // namespace aictl::load
