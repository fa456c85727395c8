// Every machine that is at hand, through every view.
#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>

#include "core/base/file.hpp"
#include "core/cli/terminal/table.hpp"
#include "core/plugin/plugins.hpp"
#include "core/topology/diff/diff.hpp"
#include "core/topology/json.hpp"
#include "core/topology/view/export/export.hpp"
#include "core/topology/view/picture/picture.hpp"
#include "core/topology/view/route.hpp"
#include "core/topology/view/text.hpp"
#include "plugins/topology/hwloc/hwloc.hpp"
#include "plugins/topology/nccl/nccl.hpp"
#include "plugins/topology/nvidia_smi/nvidia_smi.hpp"

using namespace aictl;
using namespace aictl::topology;
namespace fs = std::filesystem;

namespace {

struct Capture {
  std::string name;
  Topology machine;
};

std::vector<Capture> captures() {
  Plugins plugins;
  add_hwloc_topology(plugins);
  add_nvidia_smi_topology(plugins);
  add_nccl_topology(plugins);
  std::vector<Capture> out;
  for (const char* data : {AICTL_TEST_DATA, AICTL_SHARED})
    for (const char* folder : {"", "nvidia-smi", "nccl"}) {
      std::error_code absent;
      for (const auto& file :
           fs::directory_iterator(fs::path(data) / "topologies" / folder, absent)) {
        const std::string kind = file.path().extension();
        if (kind != ".xml" && kind != ".txt") continue;
        TopologyInput input;
        input.file = file.path();
        if (auto machine = read_topology(plugins, input); machine)
          out.push_back({file.path().filename(), *std::move(machine)});
      }
    }
  return out;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

/// Whether tags nest: enough of XML to catch text that was not escaped.
bool is_well_formed(std::string_view text) {
  std::vector<std::string> open;
  for (size_t at = 0; (at = text.find('<', at)) != text.npos;) {
    const size_t end = text.find('>', at);
    if (end == text.npos || text.find('<', at + 1) < end) return false;
    const std::string_view tag = text.substr(at + 1, end - at - 1);
    const std::string name(tag.substr(0, tag.find_first_of(" /", 1)));
    if (tag.starts_with('/')) {
      if (open.empty() || "/" + open.back() != tag) return false;
      open.pop_back();
    } else if (!tag.ends_with('/')) {
      open.push_back(name);
    }
    at = end;
  }
  return open.empty();
}

/// The keys of a JSON form, those of maps with keys of their own left out.
void collect_keys(const Json& tree, std::set<std::string>& keys) {
  if (tree.is_object())
    for (const auto& [key, value] : tree.items()) {
      keys.insert(key);
      if (key != "settings" && key != "missing" && key != "infos") collect_keys(value, keys);
    }
  if (tree.is_array())
    for (const Json& item : tree) collect_keys(item, keys);
}

/// Whether `word` stands in `text` with no letter beside it.
bool has_word(std::string_view text, std::string_view word) {
  const auto part_of_word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
  };
  for (size_t at = 0; (at = text.find(word, at)) != text.npos; ++at)
    if (!part_of_word(text[at - 1]) && !part_of_word(text[at + word.size()])) return true;
  return false;
}

}  // namespace

TEST_CASE("views: aictl-topology(5) tells every key that is written") {
  const auto page = read_file(fs::path(AICTL_TEST_DATA) / "../../man/aictl-topology.5", 1 << 20);
  REQUIRE(page.ok());
  std::set<std::string> keys;
  for (const Capture& capture : captures()) collect_keys(to_json(capture.machine), keys);
  CHECK(keys.size() > 60);
  for (const std::string& key : keys) {
    CAPTURE(key);
    CHECK(has_word(*page, key));
  }
}

TEST_CASE(
    "views: the tree of every machine keeps within 60 lines of 80 columns and shows its GPUs") {
  const auto all = captures();
  CHECK(all.size() >= 15);
  for (const Capture& capture : all) {
    CAPTURE(capture.name);
    const auto lines = lines_of(view::tree(capture.machine));
    CHECK(lines.size() <= view::kTreeLines);
    for (const std::string& line : lines) CHECK(cli::display_width(line) <= view::kTreeWidth);
    const auto with_gpu = std::count_if(lines.begin(), lines.end(), [](const std::string& line) {
      return line.find("gpu") != line.npos;
    });
    CHECK((with_gpu > 0) == !capture.machine.gpus.empty());
  }
}

TEST_CASE("views: pictures of every machine are well-formed and fetch nothing") {
  for (const Capture& capture : captures()) {
    CAPTURE(capture.name);
    const std::string picture = view::svg(capture.machine);
    CHECK(is_well_formed(picture));
    CHECK(picture.size() < (size_t{1} << 20));
    for (const Gpu& gpu : capture.machine.gpus)
      CHECK(picture.find(">gpu" + std::to_string(gpu.index) + "<") != picture.npos);
    const std::string page = view::html(capture.machine);
    for (const char* reference : {"href", "src=", "url(", "<script"})
      CHECK(page.find(reference) == page.npos);
  }
}

/// Keys of GPUs, NICs, disks and memory nodes: up to `most` of each.
std::vector<std::string> ends_of(const Topology& machine, size_t most) {
  std::vector<std::string> ends;
  const auto add = [&](const char* kind, size_t count) {
    for (size_t i = 0; i < std::min(count, most); ++i) ends.push_back(kind + std::to_string(i));
  };
  add("gpu", machine.gpus.size());
  add("nic", machine.nics.size());
  add("disk", machine.disks.size());
  for (const Object* node : objects_of(machine, ObjectType::kNuma))
    ends.push_back("numa" + std::to_string(node->os_index));
  return ends;
}

TEST_CASE("views: hops join end to end, and a way carries what its narrowest hop does") {
  for (const Capture& capture : captures()) {
    CAPTURE(capture.name);
    const auto ends = ends_of(capture.machine, 8);
    for (const std::string& a : ends)
      for (const std::string& b : ends) {
        if (a == b) continue;
        CAPTURE(a);
        CAPTURE(b);
        const auto way = view::route(capture.machine, a, b);
        REQUIRE(way.ok());
        REQUIRE(!way->hops.empty());
        CHECK(way->hops.front().from == a);
        CHECK(way->hops.back().to == b);
        std::optional<double> least;
        for (size_t i = 0; i < way->hops.size(); ++i) {
          if (i > 0) CHECK(way->hops[i].from == way->hops[i - 1].to);
          CHECK(way->hops[i].from != way->hops[i].to);
          if (way->hops[i].gbs) least = std::min(least.value_or(1e9), *way->hops[i].gbs);
        }
        if (least) CHECK(way->gbs == least);
        const Link* link = find_link(capture.machine, a, b);
        if (link && link->gbs) CHECK(way->gbs == link->gbs);
        if (link && link->gbs) CHECK(way->source == link->source);
      }
  }
}

TEST_CASE("views: a way that stays below one bridge is told by it, never by the processor") {
  size_t below = 0, told = 0;
  for (const Capture& capture : captures()) {
    CAPTURE(capture.name);
    for (const Link& link : capture.machine.links) {
      if (link.level != Level::kPix && link.level != Level::kPxb) continue;
      CAPTURE(link.a);
      CAPTURE(link.b);
      const auto way = view::route(capture.machine, link.a, link.b);
      REQUIRE(way.ok());
      ++below;
      bool bridge = false;
      for (const view::Hop& hop : way->hops) {
        CHECK(hop.to != "the processor");
        CHECK(!hop.to.starts_with("numa"));
        CHECK(!hop.to.starts_with("host bridge"));
        bridge = bridge || hop.to.find("PCIe bridge 0") == 0 || hop.to.find("PCIe switch ") == 0;
      }
      told += bridge;
      CHECK((bridge || way->hops[0].to.find("PCIe switch") != std::string::npos));
    }
  }
  CHECK(below > 0);
  CHECK(told > 0);
}

TEST_CASE("views: the hop between sockets has the table's figure, one inside a package has none") {
  const Capture* two = nullptr;
  const auto all = captures();
  for (const Capture& capture : all)
    if (capture.name.starts_with("01-dgx2")) two = &capture;
  REQUIRE(two != nullptr);
  const auto hop = view::route(two->machine, "numa0", "numa1")->hops.at(0);
  CHECK(hop.over == "between NUMA nodes");
  CHECK(hop.gbs == 10);  // UPI, as NCCL reckons
  CHECK(hop.source == LinkSource::kTable);
  // Not narrower than PCI Express: still told.
  const auto way = view::route(two->machine, "gpu0", "numa1");
  CHECK(std::any_of(way->hops.begin(), way->hops.end(), [](const view::Hop& one) {
    return one.from == "numa0" && one.to == "numa1" && one.gbs;
  }));
  for (const Capture& capture : all) {
    if (!capture.name.starts_with("12-knl")) continue;
    CHECK(!view::route(capture.machine, "numa0", "numa1")->hops.at(0).gbs);
  }
}

TEST_CASE("views: a machine differs from itself in nothing, from another in something") {
  const auto all = captures();
  for (const Capture& capture : all) {
    CAPTURE(capture.name);
    CHECK(differences(capture.machine, capture.machine).empty());
    const Topology none;
    CHECK(!differences(capture.machine, none, 1).empty());
  }
}

TEST_CASE(
    "views: NodeResourceTopology has a zone a host memory node; metrics have each type once") {
  for (const Capture& capture : captures()) {
    CAPTURE(capture.name);
    size_t nodes = 0;
    for (const Object* node : objects_of(capture.machine, ObjectType::kNuma))
      nodes += node->tier != MemoryTier::kGpu;
    CHECK(view::node_resource_topology(capture.machine)["zones"].size() == nodes);
    std::set<std::string> types;
    for (const std::string& line : lines_of(view::prometheus(capture.machine)))
      if (line.starts_with("# TYPE")) CHECK(types.insert(line).second);
  }
}
