#include "plugins/topology/nvidia_smi/nvidia_smi.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include <fmt/format.h>

#include "plugins/topology/nvidia_smi/table.hpp"

namespace aictl {
namespace {

using namespace topology;
using nvidia_smi::Row;
using nvidia_smi::Table;

constexpr int kMaxNode = 4095;
constexpr size_t kMaxBytes = size_t{4} << 20;  // several times that of the largest table
constexpr size_t kMaxMessage = 300;            // names in a hostile table may be endless

Error refused(int line, std::string what) {
  return {ErrorCode::kDataRefused, fmt::format("line {}: {}", line, what.substr(0, kMaxMessage)),
          "expected the output of nvidia-smi topo -m"};
}

bool told(std::string_view fact) { return !fact.empty() && fact != "N/A" && fact != "-"; }

/// What stands under a heading in a row; empty when the table has no such column.
std::string fact(const Table& table, const Row& row, std::string_view heading) {
  const auto at = std::find(table.headings.begin(), table.headings.end(), heading);
  return at == table.headings.end() ? "" : row.facts[at - table.headings.begin()];
}

Result<Bitset> read_set(const Table& table, const Row& row, std::string_view heading) {
  const std::string text = fact(table, row, heading);
  if (!told(text)) return Bitset();
  auto set = Bitset::parse_list(text);
  if (!set)
    return refused(row.line, fmt::format("{} of {}: {}", heading, row.name, set.error().message));
  return set;
}

Result<Gpu> read_gpu(const Table& table, const Row& row, int index) {
  Gpu gpu;
  gpu.index = index;
  gpu.vendor = "NVIDIA";
  auto cpus = read_set(table, row, "CPU Affinity");
  if (!cpus) return std::move(cpus).error();
  auto nodes = read_set(table, row, "NUMA Affinity");
  if (!nodes) return std::move(nodes).error();
  if (nodes->last() > kMaxNode)
    return refused(row.line,
                   fmt::format("memory node {} is not in 0..{}", nodes->last(), kMaxNode));
  gpu.cpuset = *std::move(cpus);
  gpu.nodeset = *std::move(nodes);
  const std::string own = fact(table, row, "GPU NUMA ID");
  if (!told(own)) return gpu;
  int node = 0;
  const auto [end, error] = std::from_chars(own.data(), own.data() + own.size(), node);
  if (error != std::errc() || end != own.data() + own.size() || node < 0 || node > kMaxNode)
    return refused(row.line,
                   fmt::format("GPU NUMA ID '{}' is not in 0..{}", own.substr(0, 40), kMaxNode));
  gpu.memory_node = node;
  return gpu;
}

void read_level(std::string_view cell, Link& link) {
  static const std::map<std::string_view, Level> kLevels = {
      {"PIX", Level::kPix},   {"PXB", Level::kPxb}, {"PHB", Level::kPhb},
      {"NODE", Level::kNode}, {"SYS", Level::kSys}, {"SOC", Level::kSys}};  // SOC: drivers of 2014
  link.source = LinkSource::kDriver;
  if (cell.starts_with("NV")) {
    link.level = Level::kNv;
    link.medium = Medium::kNvlink;
    std::from_chars(cell.data() + 2, cell.data() + cell.size(), link.count);
    return;
  }
  link.level = kLevels.at(cell);
  if (link.level == Level::kSys) link.medium = Medium::kSocket;
}

/// Turns the table into devices and links. Columns and rows may stand in different orders.
class Reading {
 public:
  explicit Reading(const Table& table) : table_(table) {
    for (const Row& row : table.rows) rows_.emplace(row.name, &row);
    topology_.origin.source = "nvidia_smi";
    if (!table.cut.empty()) topology_.warnings.push_back({"table_cut", table.cut});
  }

  Result<Topology> topology() {
    if (auto read = devices(); !read) return std::move(read).error();
    for (size_t i = 0; i < gpu_columns_.size(); ++i)
      if (auto read = links_of(i); !read) return std::move(read).error();
    add_tree();
    warn();
    return std::move(topology_);
  }

 private:
  Result<void> devices() {
    for (size_t column = 0; column < table_.devices.size(); ++column) {
      const std::string& name = table_.devices[column];
      if (!nvidia_smi::is_gpu(name)) {
        const auto legend = table_.legend.find(name);
        Nic nic;
        nic.name = legend == table_.legend.end() ? name : legend->second;
        topology_.nics.push_back(std::move(nic));
        nic_columns_.push_back(column);
        continue;
      }
      const auto row = rows_.find(name);
      if (row == rows_.end())
        return refused(table_.rows.back().line,
                       fmt::format("the table ends without a row of {}", name));
      auto gpu = read_gpu(table_, *row->second, int(topology_.gpus.size()));
      if (!gpu) return std::move(gpu).error();
      topology_.gpus.push_back(*std::move(gpu));
      gpu_columns_.push_back(column);
    }
    return {};
  }

  const Row& row_of(size_t column) const { return *rows_.at(table_.devices[column]); }

  Result<void> links_of(size_t gpu) {
    const size_t column = gpu_columns_[gpu];
    const Row& row = row_of(column);
    if (row.cells[column] != "X")
      return refused(row.line,
                     fmt::format("{} to itself is '{}', not X", row.name, row.cells[column]));
    for (size_t other = 0; other < gpu_columns_.size(); ++other) {
      if (other == gpu) continue;
      const std::string& cell = row.cells[gpu_columns_[other]];
      const Row& mirror = row_of(gpu_columns_[other]);
      const std::string& back = mirror.cells[column];
      if (cell == "X")
        return refused(row.line, fmt::format("{} to {} is X", row.name, mirror.name));
      if (other > gpu && cell != back)
        return refused(mirror.line, fmt::format("{} to {} is '{}', but line {} says '{}'",
                                                mirror.name, row.name, back, row.line, cell));
      if (other > gpu) add_link(fmt::format("gpu{}", gpu), fmt::format("gpu{}", other), cell);
    }
    for (size_t nic = 0; nic < nic_columns_.size(); ++nic) {
      const std::string& cell = row.cells[nic_columns_[nic]];
      if (cell == "X")
        return refused(row.line,
                       fmt::format("{} to {} is X", row.name, table_.devices[nic_columns_[nic]]));
      add_link(fmt::format("gpu{}", gpu), fmt::format("nic{}", nic), cell);
    }
    return {};
  }

  void add_link(std::string a, std::string b, const std::string& cell) {
    if (cell.empty()) return;
    Link link;
    link.a = std::move(a);
    link.b = std::move(b);
    read_level(cell, link);
    topology_.links.push_back(std::move(link));
  }

  /// The machine as far as affinities tell of it: CPUs by number, and their memory nodes. Of a list
  /// of nodes the lowest is the processor's; the others are memory of GPUs.
  void add_tree() {
    std::map<int, Bitset> nodes;
    Bitset cpus, nodeset;
    for (const Gpu& gpu : topology_.gpus) {
      cpus = cpus | gpu.cpuset;
      if (gpu.nodeset.empty()) continue;
      Bitset& node = nodes[gpu.nodeset.first()];
      node = node | gpu.cpuset;
      nodeset.set(gpu.nodeset.first());
    }
    Object machine;
    machine.cpuset = machine.complete_cpuset = cpus;
    machine.nodeset = machine.complete_nodeset = nodeset;
    topology_.objects.push_back(machine);
    for (const auto& [index, near] : nodes) add_child(ObjectType::kNuma, index, near, index);
    for (int cpu : cpus.indexes()) {
      Bitset own;
      own.set(cpu);
      const auto near = std::find_if(nodes.begin(), nodes.end(),
                                     [&](const auto& node) { return node.second.test(cpu); });
      add_child(ObjectType::kPu, cpu, own, near == nodes.end() ? -1 : near->first);
    }
    topology_.complete_cpuset = topology_.allowed_cpuset = cpus;
    topology_.allowed_nodeset = nodeset;
  }

  void add_child(ObjectType type, int os_index, const Bitset& cpus, int node) {
    Object object;
    object.type = type;
    object.parent = 0;
    object.os_index = os_index;
    object.logical_index = counts_[type]++;
    object.cpuset = object.complete_cpuset = cpus;
    if (node >= 0) object.nodeset.set(node);
    object.complete_nodeset = object.nodeset;
    topology_.objects.push_back(std::move(object));
  }

  /// Levels that cannot be: all pairs cross sockets, and there is one.
  void warn() {
    const auto is_sys = [](const Link& link) {
      return link.level == Level::kSys || !link.b.starts_with("gpu");
    };
    const bool all_sys = topology_.gpus.size() > 1 &&
                         std::all_of(topology_.links.begin(), topology_.links.end(), is_sys);
    const Gpu& first = topology_.gpus.front();
    const bool one_node = first.nodeset.count() == 1 &&
                          std::all_of(topology_.gpus.begin(), topology_.gpus.end(),
                                      [&](const Gpu& gpu) { return gpu.nodeset == first.nodeset; });
    if (!all_sys || !one_node) return;
    for (Link& link : topology_.links) link.note = "contradicts the one memory node";
    topology_.warnings.push_back(
        {"levels_untrusted",
         fmt::format("every pair says SYS, yet all GPUs are on memory node {}: a "
                     "hypervisor hides the PCI tree",
                     first.nodeset.first())});
  }

  const Table& table_;
  std::map<std::string, const Row*> rows_;
  std::vector<size_t> gpu_columns_, nic_columns_;
  std::map<ObjectType, int> counts_;
  Topology topology_;
};

}  // namespace

bool NvidiaSmiSource::recognises(std::string_view bytes) const {
  return nvidia_smi::has_table(bytes);
}

Result<Topology> NvidiaSmiSource::import(std::string_view bytes, const Sight&) const {
  if (bytes.size() > kMaxBytes)
    return Error{ErrorCode::kDataRefused,
                 fmt::format("a table of {} bytes, {} at most", bytes.size(), kMaxBytes), ""};
  auto table = nvidia_smi::read_table(bytes);
  if (!table) return std::move(table).error();
  return Reading(*table).topology();
}

void add_nvidia_smi_topology(Plugins& plugins) {
  plugins.topology.add("nvidia_smi", "reads the text of nvidia-smi topo -m",
                       [] { return std::make_unique<NvidiaSmiSource>(); });
}

}  // namespace aictl
