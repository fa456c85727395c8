#include <algorithm>
#include <sstream>

#include <fmt/format.h>

#include "core/cli/terminal/table.hpp"
#include "core/topology/view/text.hpp"
#include "core/topology/view/words.hpp"

namespace aictl::topology::view {
namespace {

std::string or_dash(std::string text) { return text.empty() ? "-" : std::move(text); }

std::string address_text(const std::optional<PciAddress>& pci) { return pci ? pci->text() : "-"; }

std::string optional_size(const std::optional<uint64_t>& bytes) {
  return bytes && *bytes > 0 ? size_text(*bytes) : "-";
}

void add(const cli::Table& table, std::ostringstream& out) {
  if (table.empty()) return;
  if (out.tellp() > 0) out << '\n';
  table.print(out);
}

cli::Table packages(const Topology& topology) {
  cli::Table table({"PACKAGE", "CORES", "CPUS", "MODEL", "CPU LIST"});
  table.right(0).right(1).right(2);
  const auto cores = objects_of(topology, ObjectType::kCore);
  for (const Object* package : objects_of(topology, ObjectType::kPackage)) {
    const auto inside = std::count_if(cores.begin(), cores.end(), [&](const Object* core) {
      return core->cpuset.intersects(package->cpuset);
    });
    table.row({std::to_string(package->os_index), std::to_string(inside),
               std::to_string(package->cpuset.count()), or_dash(cpu_model(topology, *package)),
               or_dash(package->cpuset.list())});
  }
  return table;
}

cli::Table memory(const Topology& topology) {
  cli::Table table({"NUMA", "MEMORY", "KIND", "CPU LIST"});
  table.right(0).right(1);
  for (const Object* node : objects_of(topology, ObjectType::kNuma))
    table.row({std::to_string(node->os_index), node->bytes > 0 ? size_text(node->bytes) : "-",
               or_dash(tier_text(*node)), or_dash(node->cpuset.list())});
  return table;
}

std::string pcie_text(const Gpu& gpu) {
  if (gpu.pcie_generation && gpu.pcie_width)
    return fmt::format("gen{} x{}", *gpu.pcie_generation, *gpu.pcie_width);
  return gpu.pcie_gbs ? speed_text(gpu.pcie_gbs) : "-";
}

cli::Table gpus(const Topology& topology) {
  cli::Table table({"GPU", "MODEL", "MEMORY", "PCIE", "NVLINKS", "NUMA", "ADDRESS", "UUID"});
  table.right(2);
  for (const Gpu& gpu : topology.gpus)
    table.row({fmt::format("gpu{}", gpu.index), or_dash(gpu.model), optional_size(gpu.memory_bytes),
               pcie_text(gpu), gpu.nvlink_active ? std::to_string(*gpu.nvlink_active) : "-",
               or_dash(gpu.nodeset.list()), address_text(gpu.pci), or_dash(gpu.uuid)});
  return table;
}

cli::Table nics(const Topology& topology) {
  cli::Table table({"NIC", "NAME", "KIND", "SPEED", "STATE", "NUMA", "ADDRESS"});
  table.right(3);
  for (size_t i = 0; i < topology.nics.size(); ++i) {
    const Nic& nic = topology.nics[i];
    table.row({fmt::format("nic{}", i), or_dash(nic.name), or_dash(nic.kind),
               nic.gbs ? speed_text(nic.gbs) : "-", or_dash(nic.state), or_dash(nic.nodeset.list()),
               address_text(nic.pci)});
  }
  return table;
}

cli::Table disks(const Topology& topology) {
  cli::Table table({"DISK", "NAME", "KIND", "SIZE", "NUMA", "ADDRESS"});
  table.right(3);
  for (size_t i = 0; i < topology.disks.size(); ++i) {
    const Disk& disk = topology.disks[i];
    table.row({fmt::format("disk{}", i), or_dash(disk.name), or_dash(disk.kind),
               optional_size(disk.bytes), or_dash(disk.nodeset.list()), address_text(disk.pci)});
  }
  return table;
}

}  // namespace

std::string table(const Topology& topology) {
  std::ostringstream out;
  add(packages(topology), out);
  add(memory(topology), out);
  add(gpus(topology), out);
  add(nics(topology), out);
  add(disks(topology), out);
  if (out.tellp() == 0) out << machine_text(topology) << '\n';
  return out.str();
}

}  // namespace aictl::topology::view
