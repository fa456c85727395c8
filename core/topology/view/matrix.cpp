#include <map>
#include <set>
#include <sstream>

#include <fmt/format.h>

#include "core/cli/terminal/table.hpp"
#include "core/topology/view/text.hpp"
#include "core/topology/view/words.hpp"

namespace aictl::topology::view {
namespace {

using Ends = std::pair<std::string_view, std::string_view>;

/// Links by their ends: a search in the list for each cell would be too slow for many GPUs.
class Links {
 public:
  explicit Links(const Topology& topology) {
    for (const Link& link : topology.links) links_.emplace(Ends{link.a, link.b}, &link);
  }
  const Link* find(const std::string& a, const std::string& b) const {
    if (const auto at = links_.find(Ends{a, b}); at != links_.end()) return at->second;
    const auto at = links_.find(Ends{b, a});
    return at == links_.end() ? nullptr : at->second;
  }

 private:
  std::map<Ends, const Link*> links_;
};

std::string_view meaning(Level level) {
  switch (level) {
    case Level::kSelf:
      return "the device itself";
    case Level::kNv:
      return "# direct links (NVLink, XGMI) joined";
    case Level::kPix:
      return "at most one PCIe bridge between them";
    case Level::kPxb:
      return "several PCIe bridges, but no host bridge";
    case Level::kPhb:
      return "through a PCIe host bridge (the processor)";
    case Level::kNode:
      return "through host bridges of the same NUMA node";
    case Level::kSys:
      return "through the interconnect between NUMA nodes";
    case Level::kUnknown:
      return "nobody says";
  }
  return "";
}

struct Device {
  std::string key, head;  // "gpu0", "GPU0"
};

/// The cells of one row, and the levels that occur in it.
std::vector<std::string> row_of(const Links& links, const Device& device,
                                const std::vector<Device>& columns, std::set<Level>& used) {
  std::vector<std::string> cells = {device.head};
  for (const Device& column : columns) {
    const Link* link = links.find(device.key, column.key);
    const Level level = device.key == column.key ? Level::kSelf
                        : link                   ? link->level
                                                 : Level::kUnknown;
    used.insert(level);
    cells.push_back(level == Level::kSelf ? "X" : level == Level::kUnknown ? "?" : link->word());
  }
  return cells;
}

void print_words(const Topology& topology, const Links& links, const std::vector<Device>& gpus,
                 const std::vector<Device>& columns, std::set<Level>& used, std::ostream& out) {
  std::vector<std::string> heads = {""};
  for (const Device& column : columns) heads.push_back(column.head);
  bool own_memory = false;
  for (const Gpu& gpu : topology.gpus) own_memory |= gpu.memory_node.has_value();
  heads.insert(heads.end(), {"CPUS", "NUMA"});
  if (own_memory) heads.push_back("GPU NUMA");
  cli::Table table(heads);
  for (const Device& device : gpus) {
    std::vector<std::string> cells = row_of(links, device, columns, used);
    const Gpu& gpu = topology.gpus[size_t(std::stoi(device.key.substr(3)))];
    cells.push_back(gpu.cpuset.empty() ? "-" : gpu.cpuset.list());
    cells.push_back(gpu.nodeset.empty() ? "-" : gpu.nodeset.list());
    if (own_memory) cells.push_back(gpu.memory_node ? std::to_string(*gpu.memory_node) : "-");
    table.row(cells);
  }
  table.print(out);
}

void print_speeds(const Links& links, const std::vector<Device>& gpus, std::ostream& out) {
  std::vector<std::string> heads = {"GB/s"};
  for (const Device& gpu : gpus) heads.push_back(gpu.head);
  cli::Table table(heads);
  std::set<std::string_view> sources;
  for (const Device& row : gpus) {
    std::vector<std::string> cells = {row.head};
    for (const Device& column : gpus) {
      const Link* link = row.key == column.key ? nullptr : links.find(row.key, column.key);
      const bool known = link && link->gbs;
      if (known) sources.insert(word(link->source));
      cells.push_back(known ? number_text(*link->gbs) : row.key == column.key ? "X" : "?");
    }
    table.row(cells);
  }
  for (size_t column = 1; column <= gpus.size(); ++column) table.right(column);
  if (sources.empty()) return;
  out << '\n';
  table.print(out);
  out << fmt::format("\nGB/s = 1e9 bytes a second in one direction; source: {}\n",
                     fmt::join(sources, ", "));
}

}  // namespace

std::string matrix(const Topology& topology, std::span<const int> gpus) {
  if (gpus.empty()) return "no GPUs\n";
  std::vector<Device> rows, columns;
  for (const int gpu : gpus) rows.push_back({fmt::format("gpu{}", gpu), fmt::format("GPU{}", gpu)});
  columns = rows;
  for (size_t i = 0; i < topology.nics.size(); ++i)
    if (!topology.nics[i].virtual_function)
      columns.push_back({fmt::format("nic{}", i), fmt::format("NIC{}", i)});

  std::ostringstream out;
  const Links links(topology);
  std::set<Level> used;
  print_words(topology, links, rows, columns, used, out);
  print_speeds(links, rows, out);
  out << '\n';
  for (const Level level : used) {
    const std::string name = level == Level::kNv        ? "NV#"
                             : level == Level::kUnknown ? "?"
                                                        : std::string(word(level));
    out << fmt::format("{:<5} {}\n", name, meaning(level));
  }
  for (size_t i = rows.size(); i < columns.size(); ++i)
    out << fmt::format("{:<5} {}\n", columns[i].head,
                       shown(topology.nics[size_t(std::stoi(columns[i].key.substr(3)))].name, 60));
  return out.str();
}

}  // namespace aictl::topology::view
