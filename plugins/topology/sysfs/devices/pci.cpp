// PCI functions: speed and width of their links, their NUMA node, the errors they counted.
#include <algorithm>
#include <charconv>
#include <map>

#include <fmt/format.h>

#include "plugins/topology/sysfs/parts.hpp"

namespace aictl::sysfs {
namespace {

using topology::Bitset;
using topology::ObjectType;
using topology::PciAddress;
using topology::PciFacts;

constexpr std::string_view kDevices = "sys/bus/pci/devices";

std::string device_folder(const PciAddress& address) {
  return fmt::format("{}/{}/", kDevices, address.text());
}

/// "16.0 GT/s PCIe" and "8 GT/s"; nullopt for "Unknown".
std::optional<double> gigatransfers(const Root& root, const std::string& path) {
  const std::string text = root.word(path);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || !(value > 0) || value > 1000) return std::nullopt;
  return value;
}

/// Lanes; a link that is down says 0 or 255.
std::optional<int> lanes(const Root& root, const std::string& path) {
  const auto value = root.number(path);
  if (!value || *value < 1 || *value > 32) return std::nullopt;
  return int(*value);
}

/// The sum of an aer_dev_* file: its TOTAL line where there is one.
uint64_t counted_errors(const Root& root, const std::string& path) {
  uint64_t sum = 0;
  for (const std::string& line : root.lines(path)) {
    const auto words = words_of(line);
    const auto value = words.size() == 2 ? parse_number(words[1]) : std::nullopt;
    if (!value || *value < 0) continue;
    if (words[0].starts_with("TOTAL_ERR")) return uint64_t(*value);
    sum += uint64_t(*value);
  }
  return sum;
}

/// Whether links of this class matter to us: GPUs and accelerators, networks, disks, bridges.
bool watched(int64_t class_code) {
  const int64_t base = class_code >> 16, sub = class_code >> 8;
  return base == 0x03 || base == 0x12 || base == 0x02 || sub == 0x0108 || sub == 0x0604;
}

int look_at_errors(const Root& root, const std::string& name, Topology& topology) {
  const std::string folder = fmt::format("{}/{}/", kDevices, name);
  if (!root.exists(folder + "aer_dev_correctable")) return 0;
  for (const char* kind : {"correctable", "nonfatal", "fatal"}) {
    const uint64_t errors = counted_errors(root, folder + "aer_dev_" + kind);
    if (errors > 0)
      set_fact(topology, fmt::format("aer.{}.{}", name, kind), fmt::format("{}", errors));
  }
  return 1;
}

template <typename T>
void keep(std::optional<T>& fact, const std::optional<T>& seen) {
  if (!fact) fact = seen;
}

}  // namespace

PciFacts pci_facts(const Root& root, const PciAddress& address) {
  const std::string folder = device_folder(address);
  PciFacts facts;
  facts.address = address;
  const auto word16 = [&](const char* file) {
    return uint16_t(root.number(folder + file).value_or(0));
  };
  facts.vendor = word16("vendor");
  facts.device = word16("device");
  facts.subvendor = word16("subsystem_vendor");
  facts.subdevice = word16("subsystem_device");
  facts.class_id = uint16_t(root.number(folder + "class").value_or(0) >> 8);
  facts.revision = uint8_t(root.number(folder + "revision").value_or(0));
  facts.link_gts = gigatransfers(root, folder + "current_link_speed");
  facts.max_link_gts = gigatransfers(root, folder + "max_link_speed");
  facts.link_width = lanes(root, folder + "current_link_width");
  facts.max_link_width = lanes(root, folder + "max_link_width");
  if (const auto node = root.number(folder + "numa_node"); node && *node >= -1 && *node < 1 << 16)
    facts.numa_node = int(*node);
  facts.virtual_function = !root.link(folder + "physfn").empty();
  return facts;
}

std::optional<PciAddress> last_pci(std::string_view path) {
  while (!path.empty()) {
    const size_t slash = path.rfind('/');
    const std::string_view part = path.substr(slash == std::string_view::npos ? 0 : slash + 1);
    if (std::count(part.begin(), part.end(), ':') == 2)
      if (const auto address = PciAddress::parse(part)) return address;
    if (slash == std::string_view::npos) break;
    path = path.substr(0, slash);
  }
  return std::nullopt;
}

std::optional<PciAddress> bridge_above(const Root& root, const PciAddress& address) {
  // "../../../devices/pci0000:00/0000:00:01.1/0000:02:00.0"
  std::string path = root.link(fmt::format("{}/{}", kDevices, address.text()));
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return std::nullopt;
  path.resize(slash);
  const auto above = last_pci(path);
  return above && path.ends_with(above->text()) ? above : std::nullopt;
}

void fill_locality(const Root& root, const PciAddress& address, Bitset& cpuset, Bitset& nodeset) {
  const std::string folder = device_folder(address);
  const auto node = root.number(folder + "numa_node");
  if (!node || *node < 0 || *node > Bitset::kMaxIndex) return;  // then local_cpulist is no locality
  if (nodeset.empty()) nodeset.set(int(*node));
  if (cpuset.empty()) cpuset = root.set(folder + "local_cpulist").value_or(Bitset());
}

void look_at_pci(const Root& root, Topology& topology) {
  std::map<PciAddress, topology::Object*> known;
  for (topology::Object& object : topology.objects)
    if (object.type == ObjectType::kPci ||
        (object.type == ObjectType::kBridge && !object.host_bridge))
      known.emplace(object.pci.address, &object);

  int with_counters = 0;
  for (const std::string& name : root.names(std::string(kDevices))) {
    const auto address = PciAddress::parse(name);
    if (!address) continue;
    const auto found = known.find(*address);
    const int64_t class_code = root.number(device_folder(*address) + "class").value_or(0);
    if (watched(class_code)) with_counters += look_at_errors(root, name, topology);
    if (found == known.end()) continue;
    const PciFacts seen = pci_facts(root, *address);
    PciFacts& facts = found->second->pci;
    keep(facts.link_gts, seen.link_gts);
    keep(facts.max_link_gts, seen.max_link_gts);
    keep(facts.link_width, seen.link_width);
    keep(facts.max_link_width, seen.max_link_width);
    keep(facts.numa_node, seen.numa_node);
    facts.virtual_function |= seen.virtual_function;
  }
  if (with_counters > 0) set_fact(topology, "aer", fmt::format("{}", with_counters));
}

}  // namespace aictl::sysfs
