#include "core/topology/topology.hpp"

#include <charconv>

#include <fmt/format.h>

namespace aictl::topology {
namespace {

/// Reads up to `most` hexadecimal digits followed by `end`; the rest of `text` stays.
std::optional<uint32_t> take_hex(std::string_view& text, size_t most, char end) {
  const size_t stop = end == 0 ? text.size() : text.find(end);
  if (stop == std::string_view::npos || stop == 0 || stop > most) return std::nullopt;
  uint32_t value = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + stop, value, 16);
  if (error != std::errc() || at != text.data() + stop) return std::nullopt;
  text.remove_prefix(end == 0 ? stop : stop + 1);
  return value;
}

}  // namespace

std::string PciAddress::text() const {
  return fmt::format("{:04x}:{:02x}:{:02x}.{:x}", domain, bus, device, function);
}

std::optional<PciAddress> PciAddress::parse(std::string_view text) {
  PciAddress address;
  const size_t colon = text.find(':');
  if (colon != std::string_view::npos && text.find(':', colon + 1) != std::string_view::npos) {
    const auto domain = take_hex(text, 8, ':');
    if (!domain) return std::nullopt;
    address.domain = *domain;
  }
  const auto bus = take_hex(text, 2, ':');
  const auto device = bus ? take_hex(text, 2, '.') : std::nullopt;
  const auto function = device ? take_hex(text, 1, 0) : std::nullopt;
  if (!function) return std::nullopt;
  address.bus = uint8_t(*bus);
  address.device = uint8_t(*device);
  address.function = uint8_t(*function);
  return address;
}

std::string Link::word() const {
  return level == Level::kNv ? fmt::format("NV{}", count) : std::string(topology::word(level));
}

std::vector<const Object*> objects_of(const Topology& topology, ObjectType type) {
  std::vector<const Object*> found;
  for (const Object& object : topology.objects)
    if (object.type == type) found.push_back(&object);
  return found;
}

std::vector<int> children_of(const Topology& topology, int index) {
  std::vector<int> found;
  for (size_t i = 0; i < topology.objects.size(); ++i)
    if (topology.objects[i].parent == index) found.push_back(int(i));
  return found;
}

std::optional<uint64_t> host_memory(const Topology& topology) {
  uint64_t sum = 0;
  for (const Object& object : topology.objects)
    if (object.type == ObjectType::kNuma && object.tier != MemoryTier::kGpu) sum += object.bytes;
  if (sum == 0) return std::nullopt;
  return sum;
}

const Link* find_link(const Topology& topology, std::string_view a, std::string_view b) {
  for (const Link& link : topology.links)
    if ((link.a == a && link.b == b) || (link.a == b && link.b == a)) return &link;
  return nullptr;
}

std::string_view word(ObjectType type) {
  switch (type) {
    case ObjectType::kMachine:
      return "machine";
    case ObjectType::kPackage:
      return "package";
    case ObjectType::kDie:
      return "die";
    case ObjectType::kGroup:
      return "group";
    case ObjectType::kNuma:
      return "numa";
    case ObjectType::kMemCache:
      return "memcache";
    case ObjectType::kCache:
      return "cache";
    case ObjectType::kCore:
      return "core";
    case ObjectType::kPu:
      return "pu";
    case ObjectType::kBridge:
      return "bridge";
    case ObjectType::kPci:
      return "pci";
    case ObjectType::kOsDevice:
      return "osdev";
    case ObjectType::kMisc:
      return "misc";
  }
  return "";
}

std::string_view word(MemoryTier tier) {
  switch (tier) {
    case MemoryTier::kUnknown:
      return "unknown";
    case MemoryTier::kDram:
      return "DRAM";
    case MemoryTier::kHbm:
      return "HBM";
    case MemoryTier::kNvm:
      return "NVM";
    case MemoryTier::kCxl:
      return "CXL";
    case MemoryTier::kGpu:
      return "GPU";
  }
  return "";
}

std::string_view word(Level level) {
  switch (level) {
    case Level::kSelf:
      return "X";
    case Level::kNv:
      return "NV";
    case Level::kPix:
      return "PIX";
    case Level::kPxb:
      return "PXB";
    case Level::kPhb:
      return "PHB";
    case Level::kNode:
      return "NODE";
    case Level::kSys:
      return "SYS";
    case Level::kUnknown:
      return "unknown";
  }
  return "";
}

std::string_view word(LinkSource source) {
  switch (source) {
    case LinkSource::kMeasured:
      return "measured";
    case LinkSource::kDriver:
      return "driver";
    case LinkSource::kTable:
      return "table";
    case LinkSource::kInferred:
      return "inferred";
  }
  return "";
}

std::string_view word(Medium medium) {
  switch (medium) {
    case Medium::kPcie:
      return "pcie";
    case Medium::kNvlink:
      return "nvlink";
    case Medium::kXgmi:
      return "xgmi";
    case Medium::kC2c:
      return "c2c";
    case Medium::kXelink:
      return "xelink";
    case Medium::kSocket:
      return "socket";
  }
  return "";
}

}  // namespace aictl::topology
