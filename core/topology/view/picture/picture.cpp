#include "core/topology/view/picture/picture.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/topology/view/picture/devices.hpp"
#include "core/topology/view/picture/legend.hpp"
#include "core/topology/view/text.hpp"
#include "core/topology/view/words.hpp"

namespace aictl::topology::view {
namespace {

/// The lines below the picture: what limits us, and remarks.
std::vector<std::string> remarks(const Topology& topology) {
  std::vector<std::string> out = limit_texts(topology);
  for (const Warning& warning : topology.warnings) out.push_back(warning.text);
  if (out.size() > 8) {
    out[7] = fmt::format("and {} more", out.size() - 7);
    out.resize(8);
  }
  return out;
}

std::string page_section(std::string_view title, const std::string& text) {
  if (text.empty()) return "";
  return fmt::format("<h2>{}</h2>\n<pre>{}</pre>\n", title, text);
}

/// xml_text line by line: it takes a newline for a character that must not be shown.
std::string lines_of(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    out += xml_text(text.substr(0, end)) + "\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

}  // namespace

std::string svg(const Topology& topology) {
  Canvas canvas;
  canvas.text(40, 42, machine_name(topology), {20, "start", "#1f2933", true}, 1120);
  canvas.text(40, 64, machine_text(topology), {13, "start", kQuietColour}, 1120);
  const Part machine =
      outline(topology, {.caches = true, .devices = false, .folded = false, .fold_devices = false});
  const std::vector<Frame> frames = draw_packages(canvas, topology, machine, 84);
  double y =
      draw_devices(canvas, topology, objects_of(topology, ObjectType::kPackage), frames) + 24;
  y = draw_foot(canvas, topology, y) + 12;
  for (const std::string& line : remarks(topology)) {
    y += 17;
    canvas.text(40, y, line, {11, "start", "#a03b2a"}, 1120);
  }
  return canvas.document(y + 24,
                         fmt::format("{}: {}", machine_name(topology), machine_text(topology)));
}

std::string html(const Topology& topology) {
  std::vector<int> gpus;
  for (const Gpu& gpu : topology.gpus) gpus.push_back(gpu.index);
  std::string warnings;
  for (const Warning& warning : topology.warnings) warnings += xml_text(warning.text) + "\n";
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{0}</title>\n"
      "<style>body{{font-family:Helvetica,Arial,sans-serif;margin:24px auto;max-width:1200px;"
      "color:#1f2933}}svg{{max-width:100%;height:auto}}pre{{background:#f6f8fb;padding:12px;"
      "overflow-x:auto;font-size:12px}}h2{{font-size:16px}}</style>\n</head>\n<body>\n{1}{2}{3}{4}"
      "</body>\n</html>\n",
      xml_text(machine_name(topology)), svg(topology),
      page_section("Parts", lines_of(table(topology))),
      gpus.empty() ? "" : page_section("GPU links", lines_of(matrix(topology, gpus))),
      page_section("Remarks", warnings));
}

}  // namespace aictl::topology::view
