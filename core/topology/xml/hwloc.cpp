#include "core/topology/xml/hwloc.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "core/topology/xml/flat.hpp"
#include "core/topology/xml/remainder.hpp"

namespace aictl::topology {
namespace {

/// XML has no control characters, and not the last two code points of a plane.
std::string escaped(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const std::string_view three = text.substr(i, 3);
    if (three == "\xEF\xBF\xBE" || three == "\xEF\xBF\xBF") {
      i += 2;
      continue;
    }
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (c == '\n' || c == '\r' || c == '\t')
      out += fmt::format("&#{};", int(c));
    else if (static_cast<unsigned char>(c) >= 0x20)
      out += c;
  }
  return out;
}

bool is_io(ObjectType type) {
  return type == ObjectType::kBridge || type == ObjectType::kPci || type == ObjectType::kOsDevice;
}

bool has_pci(const Object& object) {
  return object.type == ObjectType::kPci ||
         (object.type == ObjectType::kBridge && !object.host_bridge);
}

// libhwloc's name of the type.
std::string type_name(const Object& object) {
  switch (object.type) {
    case ObjectType::kMachine:
      return "Machine";
    case ObjectType::kPackage:
      return "Package";
    case ObjectType::kDie:
      return "Die";
    case ObjectType::kGroup:
      return "Group";
    case ObjectType::kNuma:
      return "NUMANode";
    case ObjectType::kMemCache:
      return "MemCache";
    case ObjectType::kCache:
      return fmt::format("L{}{}Cache", object.level,
                         object.cache_type == CacheType::kInstruction ? "i" : "");
    case ObjectType::kCore:
      return "Core";
    case ObjectType::kPu:
      return "PU";
    case ObjectType::kBridge:
      return "Bridge";
    case ObjectType::kPci:
      return "PCIDev";
    case ObjectType::kOsDevice:
      return "OSDev";
    case ObjectType::kMisc:
      return "Misc";
  }
  return "";
}

class Writer {
 public:
  /// `extra` are infos for the machine.
  Writer(const Topology& topology, const Infos& extra)
      : topology_(topology), extra_(extra), children_(topology.objects.size()) {
    for (size_t i = 1; i < topology.objects.size(); ++i)
      children_[size_t(topology.objects[i].parent)].push_back(i);
  }

  std::string run() {
    out_ =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<!DOCTYPE topology SYSTEM \"hwloc2.dtd\">\n<topology version=\"2.0\">\n";
    open(0);
    for (const Distances& matrix : topology_.distances) add_matrix(matrix);
    add_memory_attribute("ReadBandwidth", 5);
    add_memory_attribute("ReadLatency", 6);
    for (const CpuKind& kind : topology_.cpu_kinds) add_kind(kind);
    out_ += "</topology>\n";
    return std::move(out_);
  }

 private:
  // hwloc numbers objects from 1.
  static size_t gp_index(size_t object) { return object + 1; }

  template <typename Value>
  void property(std::string_view name, const Value& value) {
    out_ += fmt::format(" {}=\"{}\"", name, value);
  }
  void info(std::string_view name, std::string_view value) {
    out_ += fmt::format("<info name=\"{}\" value=\"{}\"/>\n", escaped(name), escaped(value));
  }

  // Depth first, with an end tag for each object that is open; ~index closes.
  void open(size_t root) {
    std::vector<std::pair<size_t, bool>> stack{{root, false}};
    while (!stack.empty()) {
      const auto [index, closing] = stack.back();
      stack.pop_back();
      if (closing) {
        out_ += "</object>\n";
        continue;
      }
      add_object(index);
      stack.emplace_back(index, true);
      const auto& children = children_[index];
      for (size_t i = children.size(); i-- > 0;) stack.emplace_back(children[i], false);
    }
  }

  void add_object(size_t index) {
    const Object& object = topology_.objects[index];
    out_ += "<object";
    property("type", type_name(object));
    if (object.os_index >= 0) property("os_index", object.os_index);
    property("gp_index", gp_index(index));
    if (!is_io(object.type) && object.type != ObjectType::kMisc) add_sets(object);
    if (!object.name.empty()) property("name", escaped(object.name));
    if (!object.subtype.empty()) property("subtype", escaped(object.subtype));
    add_properties(object);
    out_ += ">\n";
    for (const PageSize& page : object.pages)
      out_ += fmt::format("<page_type size=\"{}\" count=\"{}\"/>\n", page.bytes, page.count);
    for (const auto& [name, value] : object.infos)
      if (!name.starts_with("aictl.") || name == kStandIn) info(name, value);  // others are ours
    if (index == 0) info(kOurs, "1");
    if (index == 0)
      for (const auto& [name, value] : extra_) info(name, value);
    if (object.type == ObjectType::kPci) add_gpu(object);
    if (const std::string rest = pci_remainder(object.pci); has_pci(object) && !rest.empty())
      info(kPciRemainder, rest);
  }

  void add_sets(const Object& object) {
    property("cpuset", object.cpuset.hex());
    property("complete_cpuset", object.complete_cpuset.hex());
    property("nodeset", object.nodeset.hex());
    property("complete_nodeset", object.complete_nodeset.hex());
    if (object.type != ObjectType::kMachine) return;
    property("allowed_cpuset", topology_.allowed_cpuset.hex());
    property("allowed_nodeset", topology_.allowed_nodeset.hex());
  }

  void add_properties(const Object& object) {
    switch (object.type) {
      case ObjectType::kNuma:
        property("local_memory", object.bytes);
        break;
      case ObjectType::kCache:
      case ObjectType::kMemCache:
        property("cache_size", object.bytes);
        property("depth", object.level);
        property("cache_linesize", object.line_bytes);
        property("cache_associativity", object.ways);
        property("cache_type", int(object.cache_type));
        break;
      case ObjectType::kGroup:
        property("kind", object.group_kind);
        property("subkind", object.group_subkind);
        property("dont_merge", 1);  // a group around what another object is around, too, stays
        break;
      case ObjectType::kBridge:
        property("bridge_type", object.host_bridge ? "0-1" : "1-1");
        property("bridge_pci", fmt::format("{:04x}:[{:02x}-{:02x}]", object.down_domain,
                                           object.down_bus_first, object.down_bus_last));
        if (!object.host_bridge) add_pci(object.pci);
        break;
      case ObjectType::kPci:
        add_pci(object.pci);
        break;
      case ObjectType::kOsDevice: {
        constexpr std::string_view kTypes[] = {"block",       "gpu", "network",
                                               "openfabrics", "dma", "coproc"};
        const auto* row = std::find(std::begin(kTypes), std::end(kTypes), object.os_type);
        property("osdev_type", row == std::end(kTypes) ? 0 : row - std::begin(kTypes));
        break;
      }
      default:
        break;
    }
  }

  void add_pci(const PciFacts& pci) {
    property("pci_busid", pci.address.text());
    property("pci_type",
             fmt::format("{:04x} [{:04x}:{:04x}] [{:04x}:{:04x}] {:02x}", pci.class_id, pci.vendor,
                         pci.device, pci.subvendor, pci.subdevice, pci.revision));
    property("pci_link_speed", fmt::format("{:.6f}", pci.link_gbs));
  }

  void add_gpu(const Object& object) {
    for (const Gpu& gpu : topology_.gpus) {
      if (gpu.pci != object.pci.address) continue;
      info("aictl.gpu", fmt::format("gpu{}", gpu.index));
      if (!gpu.model.empty()) info("aictl.model", gpu.model);
      if (!gpu.uuid.empty()) info("aictl.uuid", gpu.uuid);
    }
  }

  void add_matrix(const Distances& matrix) {
    if (matrix.objects.size() < 2) return;  // of another source
    const auto& objects = topology_.objects;
    const std::string type = type_name(objects[size_t(matrix.objects[0])]);
    bool mixed = false;
    for (int object : matrix.objects) mixed = mixed || type_name(objects[size_t(object)]) != type;
    const bool by_os = !mixed && (type == "NUMANode" || type == "PU");
    std::string indexes, values;
    for (int object : matrix.objects) {
      if (mixed) indexes += type_name(objects[size_t(object)]) + ":";
      indexes += fmt::format(
          "{} ", by_os ? size_t(objects[size_t(object)].os_index) : gp_index(size_t(object)));
    }
    for (uint64_t value : matrix.values) values += fmt::format("{} ", value);
    const char* tag = mixed ? "distances2hetero" : "distances2";
    out_ += fmt::format("<{} nbobjs=\"{}\" kind=\"{}\"", tag, matrix.objects.size(), matrix.kind);
    if (!mixed) out_ += fmt::format(" type=\"{}\" indexing=\"{}\"", type, by_os ? "os" : "gp");
    if (!matrix.name.empty()) property("name", escaped(matrix.name));
    out_ += fmt::format(
        ">\n<indexes length=\"{}\">{}</indexes>\n<u64values length=\"{}\">{}</u64values>\n</{}>\n",
        indexes.size(), indexes, values.size(), values, tag);
  }

  void add_memory_attribute(std::string_view name, int flags) {
    std::string values;
    for (size_t i = 0; i < topology_.objects.size(); ++i) {
      const Object& node = topology_.objects[i];
      const auto& value = flags == 5 ? node.read_gbs : node.latency_ns;
      if (node.type != ObjectType::kNuma || !value || node.cpuset.empty()) continue;
      const double scaled = flags == 5 ? *value * 1e9 / 1048576 : *value;  // MiB/s
      values += fmt::format(
          "<memattr_value target_obj_type=\"NUMANode\" target_obj_gp_index=\"{}\" value=\"{}\" "
          "initiator_cpuset=\"{}\"/>\n",
          gp_index(i), uint64_t(scaled + 0.5), node.cpuset.hex());
    }
    if (values.empty()) return;
    out_ += fmt::format("<memattr name=\"{}\" flags=\"{}\">\n{}</memattr>\n", name, flags, values);
  }

  void add_kind(const CpuKind& kind) {
    out_ += fmt::format("<cpukind cpuset=\"{}\"", kind.cpuset.hex());
    if (kind.efficiency >= 0) property("forced_efficiency", kind.efficiency);
    out_ += ">\n";
    for (const auto& [name, value] : kind.infos) info(name, value);
    out_ += "</cpukind>\n";
  }

  const Topology& topology_;
  const Infos& extra_;
  std::vector<std::vector<size_t>> children_;
  std::string out_;
};

}  // namespace

Result<std::string> to_hwloc_xml(const Topology& topology, const XmlReader& read) {
  // As it is, where hwloc can have such machines; else with as much of it as hwloc can have.
  std::optional<Topology> flat;
  const auto attempt = [&](const Topology& shape) { return read(Writer(shape, {}).run()); };
  auto seen = attempt(topology.objects.empty() ? flat.emplace(flattened(topology)) : topology);
  if (!seen && !flat) seen = attempt(flat.emplace(flattened(topology)));
  if (!seen) return std::move(seen).error().within("hwloc reads nothing of this machine");
  return Writer(flat ? *flat : topology, remainder(topology, *seen)).run();
}

}  // namespace aictl::topology
