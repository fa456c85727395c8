#include "core/load/page/svg.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace aictl::load {
namespace {

constexpr double kWidth = 640, kHeight = 280, kLeft = 58, kRight = 14, kTop = 14, kBottom = 44;
constexpr double kPlotWidth = kWidth - kLeft - kRight, kPlotHeight = kHeight - kTop - kBottom;

// Marks at round numbers: 1, 2 or 5 times a power of ten, about `wanted` of them.
std::vector<double> round_marks(double low, double high, int wanted) {
  const double raw = (high - low) / wanted;
  if (!(raw > 0)) return {low};
  const double power = std::pow(10, std::floor(std::log10(raw)));
  double step = 10 * power;
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= raw) {
      step = factor * power;
      break;
    }
  std::vector<double> marks;
  for (double at = std::ceil(low / step) * step; at <= high + step * 1e-9; at += step)
    marks.push_back(std::fabs(at) < step * 1e-9 ? 0 : at);
  return marks;
}

std::vector<double> log_marks(double low, double high) {
  std::vector<double> marks;
  const bool few = high / low < 30;
  for (double power = std::pow(10, std::floor(std::log10(low))); power <= high; power *= 10)
    for (const double factor : {1.0, 2.0, 5.0})
      if ((few || factor == 1) && power * factor >= low && power * factor <= high)
        marks.push_back(power * factor);
  return marks;
}

std::string number(double value) { return fmt::format("{:.4g}", value); }

// Where values are on the plot.
struct Scale {
  double x_low = 0, x_high = 1, y_low = 0, y_high = 1;
  bool log_x = false;

  double x(double value) const {
    const double part = log_x ? std::log(value / x_low) / std::log(x_high / x_low)
                              : (value - x_low) / (x_high - x_low);
    return kLeft + std::clamp(part, 0.0, 1.0) * kPlotWidth;
  }
  double y(double value) const {
    const double part = (value - y_low) / (y_high - y_low);
    return kTop + (1 - std::clamp(part, 0.0, 1.0)) * kPlotHeight;
  }
};

// A scale over all finite values; false when there are none.
bool fit(const std::vector<Series>& series, const Axes& axes, Scale& scale) {
  double x_low = INFINITY, x_high = -INFINITY, y_low = INFINITY, y_high = -INFINITY;
  for (const Series& one : series)
    for (const auto& point : one.points) {
      if (!point.second || !std::isfinite(*point.second) || !std::isfinite(point.first)) continue;
      if (axes.log_x && !(point.first > 0)) continue;
      x_low = std::min(x_low, point.first);
      x_high = std::max(x_high, point.first);
      y_low = std::min(y_low, *point.second);
      y_high = std::max(y_high, *point.second);
    }
  if (!(x_low <= x_high)) return false;
  if (axes.from_zero) y_low = std::min(0.0, y_low);
  if (axes.y_max) y_high = *axes.y_max;
  if (x_low == x_high) x_high = axes.log_x ? x_low * 1.1 : x_low + 1;
  if (!(y_low < y_high)) y_high = y_low + 1;
  scale = {x_low, x_high, y_low, axes.y_max ? y_high : y_high + (y_high - y_low) * 0.05,
           axes.log_x};
  return true;
}

std::string frame(const Scale& scale, const Axes& axes) {
  std::string out;
  for (const double mark : round_marks(scale.y_low, scale.y_high, 5))
    out += fmt::format(
        "<line class=\"grid\" x1=\"{0}\" x2=\"{1}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\"/>"
        "<text class=\"tick\" x=\"{3}\" y=\"{4:.1f}\" text-anchor=\"end\">{5}</text>",
        kLeft, kWidth - kRight, scale.y(mark), kLeft - 6, scale.y(mark) + 4, number(mark));
  const auto marks = scale.log_x ? log_marks(scale.x_low, scale.x_high)
                                 : round_marks(scale.x_low, scale.x_high, 8);
  for (const double mark : marks)
    out += fmt::format(
        "<line class=\"grid\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\"/>"
        "<text class=\"tick\" x=\"{0:.1f}\" y=\"{3}\" text-anchor=\"middle\">{4}</text>",
        scale.x(mark), kTop, kHeight - kBottom, kHeight - kBottom + 16, number(mark));
  out += fmt::format("<text class=\"axis\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                     kLeft + kPlotWidth / 2, kHeight - 8, escape_html(axes.x));
  out += fmt::format(
      "<text class=\"axis\" transform=\"translate(13 {}) rotate(-90)\" "
      "text-anchor=\"middle\">{}</text>",
      kTop + kPlotHeight / 2, escape_html(axes.y));
  return out;
}

std::string path_of(const Series& series, const Scale& scale) {
  std::string out;
  bool drawing = false;
  for (size_t i = 0; i < series.points.size(); ++i) {
    const auto& [x, y] = series.points[i];
    const bool there = y && std::isfinite(*y) && (!scale.log_x || x > 0);
    if (there) out += fmt::format("{}{:.1f} {:.1f}", drawing ? "L" : "M", scale.x(x), scale.y(*y));
    // A point alone is a line of no length, which a round cap makes a dot.
    const bool next = i + 1 < series.points.size() && series.points[i + 1].second.has_value();
    if (there && !drawing && !next) out += "h0";
    drawing = there;
  }
  return out;
}

std::string open_svg(std::string_view label) {
  return fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">", kWidth, kHeight,
                     escape_html(label));
}

std::string nothing(std::string_view label) {
  return fmt::format(
      "{}<text class=\"axis\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">nothing to "
      "show</text></svg>",
      open_svg(label), kWidth / 2, kHeight / 2);
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t')
      out += ' ';
    else
      out += c;
  }
  return out;
}

std::string line_plot(const std::vector<Series>& series, const Axes& axes) {
  Scale scale;
  if (!fit(series, axes, scale)) return nothing(axes.y);
  std::string out = open_svg(axes.y) + frame(scale, axes);
  double legend = kLeft + 10;
  for (size_t i = 0; i < series.size(); ++i) {
    out += fmt::format("<path class=\"line s{}\" d=\"{}\"><title>{}</title></path>", i,
                       path_of(series[i], scale), escape_html(series[i].name));
    out += fmt::format(
        "<line class=\"line s{0}\" x1=\"{1}\" x2=\"{2}\" y1=\"{3}\" y2=\"{3}\"/>"
        "<text class=\"legend\" x=\"{4}\" y=\"{5}\">{6}</text>",
        i, legend, legend + 16, kTop + 10, legend + 21, kTop + 14, escape_html(series[i].name));
    legend += 38 + 6.8 * static_cast<double>(series[i].name.size());
  }
  return out + "</svg>";
}

std::string bar_plot(const std::vector<Bar>& bars, const Axes& axes) {
  Series tops{"", {}};
  for (const Bar& bar : bars) {
    tops.points.emplace_back(bar.low - 0.5, bar.count);
    tops.points.emplace_back(bar.high + 0.5, bar.count);
  }
  Scale scale;
  if (!fit({tops}, axes, scale)) return nothing(axes.x);
  std::string out = open_svg(axes.x) + frame(scale, axes);
  for (const Bar& bar : bars) {
    const double left = scale.x(bar.low - 0.5), right = scale.x(bar.high + 0.5);
    out += fmt::format(
        "<rect class=\"bar\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\">"
        "<title>{} .. {}: {}</title></rect>",
        left, scale.y(bar.count), std::max(1.0, right - left - 1),
        kHeight - kBottom - scale.y(bar.count), number(bar.low), number(bar.high),
        number(bar.count));
  }
  return out + "</svg>";
}

}  // namespace aictl::load
