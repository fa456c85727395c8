// Memory: page sizes and policies, the modules in the slots, memory behind CXL and DAX.
#include <algorithm>

#include <fmt/format.h>

#include "plugins/topology/sysfs/parts.hpp"

namespace aictl::sysfs {
namespace {

using topology::MemoryTier;
using topology::Object;
using topology::ObjectType;

/// The word in brackets of "always [madvise] never".
std::string chosen(std::string_view text) {
  const size_t open = text.find('['), close = text.find(']', open + 1);
  if (open == std::string_view::npos || close == std::string_view::npos) return "";
  return std::string(text.substr(open + 1, close - open - 1));
}

void look_at_pages(const Root& root, Topology& topology) {
  const std::string huge = "sys/kernel/mm/transparent_hugepage/";
  set_fact(topology, "transparent_hugepage", chosen(root.word(huge + "enabled")));
  set_fact(topology, "transparent_hugepage_defrag", chosen(root.word(huge + "defrag")));
  const std::string folder = "sys/kernel/mm/hugepages";
  for (const std::string& name : root.names(folder)) {
    if (!name.starts_with("hugepages-") || !name.ends_with("kB")) continue;
    const std::string key = "hugepages_" + name.substr(10);
    const std::string at = folder + "/" + name + "/";
    set_fact(topology, key, root.word(at + "nr_hugepages"));
    set_fact(topology, key + "_free", root.word(at + "free_hugepages"));
    set_fact(topology, key + "_surplus", root.word(at + "surplus_hugepages"));
  }
  set_fact(topology, "numa_balancing", root.word("proc/sys/kernel/numa_balancing"));
  set_fact(topology, "zone_reclaim_mode", root.word("proc/sys/vm/zone_reclaim_mode"));
  set_fact(topology, "swappiness", root.word("proc/sys/vm/swappiness"));
}

/// String `number` (from 1) of the texts behind an SMBIOS structure.
std::string smbios_text(std::string_view raw, size_t formatted, int number) {
  if (number == 0 || formatted >= raw.size()) return "";
  std::string_view texts = raw.substr(formatted);
  for (int i = 1; !texts.empty() && texts[0] != '\0'; ++i) {
    const size_t end = std::min(texts.find('\0'), texts.size());
    if (i == number) return std::string(trimmed(texts.substr(0, end)));
    texts.remove_prefix(std::min(end + 1, texts.size()));
  }
  return "";
}

/// SMBIOS type 17, memory device (section 7.18 of the specification): a slot, filled or empty.
void look_at_slots(const Root& root, Topology& topology) {
  const std::string folder = "sys/firmware/dmi/entries";
  for (const std::string& name : root.names(folder)) {
    if (!name.starts_with("17-")) continue;
    const std::string raw = root.bytes(folder + "/" + name + "/raw").value_or("");
    const auto byte = [&raw](size_t at) { return at < raw.size() ? uint8_t(raw[at]) : 0u; };
    const auto word = [&byte](size_t at) { return byte(at) | byte(at + 1) << 8; };
    if (raw.size() < 0x17 || byte(0) != 17) continue;
    const size_t formatted = byte(1);
    uint64_t bytes = 0;
    const unsigned size = word(0x0c);
    if (size == 0x7fff && formatted >= 0x20)
      bytes = (uint64_t(word(0x1c)) | uint64_t(word(0x1e)) << 16) << 20;
    else if (size != 0xffff)
      bytes = uint64_t(size & 0x7fff) << (size & 0x8000 ? 10 : 20);
    set_fact(topology, "dimm." + name.substr(3),
             fmt::format("{}; {}; {} B; {} MT/s", smbios_text(raw, formatted, int(byte(0x10))),
                         smbios_text(raw, formatted, int(byte(0x11))), bytes,
                         formatted >= 0x17 ? word(0x15) : 0));
  }
}

void set_tier(Topology& topology, int64_t node, MemoryTier tier) {
  for (Object& object : topology.objects)
    if (object.type == ObjectType::kNuma && object.os_index == node &&
        object.tier == MemoryTier::kUnknown)
      object.tier = tier;
}

/// A DAX device is memory with a node of its own once the kmem driver has it.
void look_at_dax(const Root& root, Topology& topology) {
  for (const std::string& name : root.names("sys/bus/dax/devices")) {
    const std::string device = "sys/bus/dax/devices/" + name;
    const std::string target = root.link(device);
    const bool cxl =
        target.find("/root0/") != std::string::npos || target.find("cxl") != std::string::npos;
    const bool persistent = target.find("ndbus") != std::string::npos;
    const int64_t node = root.number(device + "/target_node").value_or(-1);
    const char* kind = cxl ? "CXL" : persistent ? "NVM" : "memory";
    const bool online = root.link(device + "/driver").ends_with("/kmem");
    set_fact(topology, "dax." + name,
             fmt::format("{} B; node {}; {}{}", root.number(device + "/size").value_or(0), node,
                         kind, online ? " as system memory" : ""));
    if (online && (cxl || persistent))
      set_tier(topology, node, cxl ? MemoryTier::kCxl : MemoryTier::kNvm);
  }
}

void look_at_cxl(const Root& root, Topology& topology) {
  for (const std::string& name : root.names("sys/bus/cxl/devices")) {
    const std::string device = "sys/bus/cxl/devices/" + name;
    if (!name.starts_with("mem")) continue;
    const int64_t bytes = root.number(device + "/ram/size").value_or(0);
    const int64_t persistent = root.number(device + "/pmem/size").value_or(0);
    const int64_t node = root.number(device + "/numa_node").value_or(-1);
    set_fact(topology, "cxl." + name,
             fmt::format("{} B; node {}; {}", std::max(bytes, persistent), node,
                         persistent > bytes ? "persistent" : "volatile"));
  }
}

}  // namespace

void look_at_memory(const Root& root, Topology& topology) {
  look_at_pages(root, topology);
  look_at_slots(root, topology);
  look_at_dax(root, topology);
  look_at_cxl(root, topology);
}

}  // namespace aictl::sysfs
