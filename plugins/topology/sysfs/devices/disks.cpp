// Disks: kind, size, where they hang.
#include <algorithm>

#include <fmt/format.h>

#include "plugins/topology/sysfs/parts.hpp"

namespace aictl::sysfs {
namespace {

using topology::Disk;

constexpr size_t kMaxDisks = 4096;
constexpr uint64_t kSector = 512;  // of sysfs, whatever the disk's own

/// Devices of the kernel's own making, and media without a place in a topology.
bool made_up(std::string_view name) {
  for (const std::string_view prefix : {"loop", "ram", "zram", "dm-", "md", "sr", "fd"})
    if (name.starts_with(prefix)) return true;
  return false;
}

/// ".../block/sda/sda1": a part of a device that is listed itself.
bool is_partition(const std::string& link, const std::vector<std::string>& names) {
  const size_t last = link.rfind('/');
  if (last == std::string::npos || last == 0) return false;
  const size_t before = link.rfind('/', last - 1);
  const std::string above = link.substr(before + 1, last - before - 1);
  return std::binary_search(names.begin(), names.end(), above);
}

/// "nvme0" of "nvme0n1".
std::string controller(std::string_view name) {
  return std::string(name.substr(0, name.find('n', 4)));
}

std::string kind_of(const Root& root, const std::string& name, const std::string& link) {
  if (name.starts_with("nvme")) {
    const std::string transport = root.word("sys/class/nvme/" + controller(name) + "/transport");
    return transport.empty() || transport == "pcie" ? "nvme" : "network";
  }
  if (name.starts_with("pmem")) return "pmem";
  if (name.starts_with("nbd") || name.starts_with("rbd") || name.starts_with("drbd") ||
      link.find("/session") != std::string::npos)  // iSCSI
    return "network";
  return root.number("sys/class/block/" + name + "/queue/rotational") == 1 ? "rotating" : "ssd";
}

Disk* disk_called(Topology& topology, const std::string& name) {
  for (Disk& disk : topology.disks)
    if (disk.name == name) return &disk;
  if (topology.disks.size() == kMaxDisks) return nullptr;
  topology.disks.emplace_back().name = name;
  return &topology.disks.back();
}

}  // namespace

void look_at_disks(const Root& root, Topology& topology) {
  const std::string folder = "sys/class/block/";
  const auto names = root.names(folder);
  for (const std::string& name : names) {
    const std::string link = root.link(folder + name);
    const int64_t sectors = root.number(folder + name + "/size").value_or(0);
    if (made_up(name) || sectors <= 0 || is_partition(link, names))
      continue;  // no size: an empty reader
    Disk* disk = disk_called(topology, name);
    if (disk == nullptr) return;
    if (disk->kind.empty() || disk->kind == "ssd") disk->kind = kind_of(root, name, link);
    if (!disk->bytes && sectors < int64_t{1} << 53) disk->bytes = uint64_t(sectors) * kSector;
    if (!disk->pci) disk->pci = last_pci(link);
    // Behind several paths an NVMe disk is virtual; its controller still has an address.
    if (!disk->pci && disk->kind == "nvme")
      disk->pci =
          topology::PciAddress::parse(root.word("sys/class/nvme/" + controller(name) + "/address"));
    if (disk->pci) fill_locality(root, *disk->pci, disk->cpuset, disk->nodeset);
  }
}

}  // namespace aictl::sysfs
