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

TEST_CASE("views: every pair of GPUs has a way whose hops join end to end") {
  for (const Capture& capture : captures()) {
    CAPTURE(capture.name);
    const size_t gpus = std::min<size_t>(capture.machine.gpus.size(), 8);
    for (size_t a = 0; a < gpus; ++a)
      for (size_t b = a + 1; b < gpus; ++b) {
        const auto way =
            view::route(capture.machine, "gpu" + std::to_string(a), "gpu" + std::to_string(b));
        REQUIRE(way.ok());
        REQUIRE(!way->hops.empty());
        CHECK(way->hops.front().from == way->a);
        CHECK(way->hops.back().to == way->b);
        for (size_t i = 1; i < way->hops.size(); ++i)
          CHECK(way->hops[i].from == way->hops[i - 1].to);
      }
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
