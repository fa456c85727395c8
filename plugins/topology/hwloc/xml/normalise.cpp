#include "plugins/topology/hwloc/xml/normalise.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/topology/topology.hpp"
#include "plugins/topology/hwloc/xml/matrices.hpp"
#include "plugins/topology/hwloc/xml/objects.hpp"

namespace aictl::hwloc {
namespace {

using topology::PciAddress;

constexpr size_t kMaxBytes = size_t{64} << 20;

bool only(std::string_view text, std::string_view characters, size_t most) {
  return !text.empty() && text.size() <= most && text.find_first_not_of(characters) == text.npos;
}

// Attributes whose value is a number of a bounded size.
struct NumberRow {
  std::string_view name;
  uint64_t most;
};
constexpr NumberRow kNumbers[] = {
    {"cache_size", UINT64_MAX}, {"cache_linesize", 0x7fffffff}, {"local_memory", UINT64_MAX},
    {"kind", 0xffffffff},       {"subkind", 0xffffffff},        {"dont_merge", 1},
    {"osdev_type", 5},
};

class Writer {
 public:
  Writer(const XmlDocument& document, const CheckedObjects& objects, int version)
      : document_(document), objects_(objects), version_(version) {}

  Result<std::string> run(int root) {
    out_ = version_ == 1 ? "<topology>\n" : "<topology version=\"2.0\">\n";
    // Depth first without recursion: an object is met twice, to open and to close it.
    std::vector<std::pair<int, bool>> open{{0, false}};
    while (!open.empty()) {
      const auto [index, opened] = open.back();
      open.pop_back();
      if (opened) {
        out_ += "</object>\n";
        continue;
      }
      if (auto added = append(objects_.list[size_t(index)]); !added)
        return std::move(added).error();
      open.emplace_back(index, true);
      const std::vector<int> children = in_order(objects_.list[size_t(index)].children);
      for (size_t i = children.size(); i-- > 0;) open.emplace_back(children[i], false);
    }
    if (version_ == 2)
      if (auto added = append_tail(document_, root, out_); !added) return std::move(added).error();
    out_ += "</topology>\n";
    return std::move(out_);
  }

 private:
  // By first processor, those without any last: libhwloc sorts, at the square of their number.
  std::vector<int> in_order(std::vector<int> children) const {
    const auto first = [&](int child) {
      const ObjectSets& sets = objects_.list[size_t(child)].sets;
      const int cpu = sets.complete_cpuset ? sets.complete_cpuset->first() : -1;
      return cpu < 0 ? topology::Bitset::kMaxIndex + 1 : cpu;
    };
    std::stable_sort(children.begin(), children.end(),
                     [&](int a, int b) { return first(a) < first(b); });
    return children;
  }

  void write(std::string_view name, std::string_view value) {
    out_ += ' ';
    out_ += name;
    out_ += "=\"";
    append_escaped(out_, value);
    out_ += '"';
  }

  Result<void> append(const CheckedObject& object) {
    const XmlElement& element = document_.elements()[size_t(object.element)];
    out_ += "<object";
    write("type", object.type);
    if (object.os_index >= 0) write("os_index", std::to_string(object.os_index));
    if (version_ == 2) write("gp_index", std::to_string(object.gp_index));
    append_sets(object, element);
    for (const char* name : {"name", "subtype"})
      if (const auto text = document_.attribute(element, name)) write(name, *text);
    for (const NumberRow& row : kNumbers)
      if (const auto text = document_.attribute(element, row.name)) {
        const auto number = decimal(*text, row.most);
        if (!number) return refused(element, row.name, *text);
        write(row.name, std::to_string(*number));
      }
    if (auto added = append_cache(object, element); !added) return added;
    if (auto added = append_pci(object, element); !added) return added;
    out_ += ">\n";
    return append_notes(object, element);
  }

  void append_sets(const CheckedObject& object, const XmlElement& element) {
    const ObjectSets& sets = object.sets;
    if (sets.cpuset) write("cpuset", sets.cpuset->hex());
    if (sets.complete_cpuset) write("complete_cpuset", sets.complete_cpuset->hex());
    const bool nodes = version_ == 2 || objects_.has_nodes;
    if (nodes && sets.nodeset) write("nodeset", sets.nodeset->hex());
    if (nodes && sets.complete_nodeset) write("complete_nodeset", sets.complete_nodeset->hex());
    if (object.parent >= 0) return;
    for (const char* name : {"allowed_cpuset", "allowed_nodeset"}) {  // absent means all
      const auto text = document_.attribute(element, name);
      const auto set = text ? topology::Bitset::parse_hex(*text) : topology::Bitset();
      if (text && set && (nodes || name[8] == 'c')) write(name, set->hex());
    }
  }

  Result<void> append_cache(const CheckedObject& object, const XmlElement& element) {
    const std::string_view type = object.type;
    const bool level = type.ends_with("Cache") && type.starts_with('L');
    if (!level && type != "Cache" && type != "MemCache") return {};
    const auto ways = document_.attribute(element, "cache_associativity").value_or("0");
    const auto number = decimal(ways, 0x7fffffff);
    if (!number && ways != "-1") return refused(element, "cache_associativity", ways);
    write("cache_associativity", ways);
    const auto depth_text = document_.attribute(element, "depth").value_or("0");
    const auto kind_text = document_.attribute(element, "cache_type").value_or("0");
    const auto depth = decimal(depth_text, 0xffff);
    const auto kind = decimal(kind_text, 2);
    if (!depth) return refused(element, "depth", depth_text);
    if (!kind) return refused(element, "cache_type", kind_text);
    const bool instruction = level ? type[2] == 'i' : *kind == 2;
    const uint64_t named = level ? uint64_t(type[1] - '0') : *depth;
    const bool fits = type == "MemCache" || (*depth == named && (*kind == 2) == instruction &&
                                             named >= 1 && named <= (instruction ? 3u : 5u));
    if (!fits)
      return document_.refused(element,
                               fmt::format("a {} of depth {} and type {}", type, *depth, *kind));
    write("depth", std::to_string(*depth));
    write("cache_type", std::to_string(*kind));
    return {};
  }

  Result<void> append_pci(const CheckedObject& object, const XmlElement& element) {
    if (object.type != "Bridge" && object.type != "PCIDev") return {};
    const auto bus = document_.attribute(element, "pci_busid");
    if (bus && !PciAddress::parse(*bus)) return refused(element, "pci_busid", *bus);
    if (bus) write("pci_busid", PciAddress::parse(*bus)->text());
    constexpr std::string_view kHex = "0123456789abcdefABCDEF:[]- ";
    for (const char* name : {"pci_type", "bridge_pci"}) {
      const auto text = document_.attribute(element, name);
      if (text && !only(*text, kHex, 48)) return refused(element, name, *text);
      if (text) write(name, *text);
    }
    const auto speed = document_.attribute(element, "pci_link_speed");
    if (speed && !only(*speed, "0123456789.", 24))
      return refused(element, "pci_link_speed", *speed);
    if (speed) write("pci_link_speed", *speed);
    const auto ends = document_.attribute(element, "bridge_type");
    if (object.type != "Bridge") return {};
    if (ends != "0-1" && ends != "1-1") return refused(element, "bridge_type", ends.value_or(""));
    write("bridge_type", *ends);
    return {};
  }

  // The elements in an object that are not objects; others than these are left out.
  Result<void> append_notes(const CheckedObject& object, const XmlElement& element) {
    const auto& elements = document_.elements();
    for (int i = element.first_child; i >= 0; i = elements[size_t(i)].next) {
      const XmlElement& child = elements[size_t(i)];
      if (child.name == "info") append_info(document_, child, out_);
      if (child.name == "page_type" && (object.type == "NUMANode" || object.parent < 0)) {
        const auto size = decimal(document_.attribute(child, "size").value_or(""), UINT64_MAX);
        const auto count = decimal(document_.attribute(child, "count").value_or("0"), UINT64_MAX);
        if (!size || !count) return document_.refused(child, "a page_type that does not read");
        out_ += fmt::format("<page_type size=\"{}\" count=\"{}\"/>\n", *size, *count);
      }
      if (child.name == "distances" && version_ == 1 && object.parent < 0)
        if (auto added = append_distances1(document_, child, out_); !added) return added;
    }
    return {};
  }

  Error refused(const XmlElement& element, std::string_view name, std::string_view value) const {
    return document_.refused(element,
                             fmt::format("{} '{}' does not read", name, value.substr(0, 40)));
  }

  const XmlDocument& document_;
  const CheckedObjects& objects_;
  const int version_;
  std::string out_;
};

Result<int> version_of(const XmlDocument& document) {
  const XmlElement& root = document.elements()[0];
  if (root.name != "topology")
    return document.refused(
        root, fmt::format("<{}> is no topology of hwloc 1 or 2", root.name.substr(0, 40)),
        "export it again with lstopo");
  const auto version = document.attribute(root, "version");
  if (!version || version->starts_with("1.")) return 1;
  if (version->starts_with("2.")) return 2;
  return document.refused(root,
                          fmt::format("cannot import hwloc XML version {}", version->substr(0, 24)),
                          "export it again there with lstopo --export-xml-flags 2");
}

}  // namespace

Result<std::string> normalise(std::string_view text) {
  if (text.size() > kMaxBytes)
    return Error{ErrorCode::kDataRefused,
                 fmt::format("{} bytes of XML, {} at most", text.size(), kMaxBytes), ""};
  auto document = XmlDocument::parse(text);
  if (!document) return std::move(document).error();
  const auto version = version_of(*document);
  if (!version) return version.error();
  const int root = document->elements()[0].first_child;
  if (root < 0 || document->elements()[size_t(root)].name != "object")
    return document->refused(document->elements()[0], "no object comes first in it");
  const auto objects = check_objects(*document, root, *version);
  if (!objects) return objects.error();
  return Writer(*document, *objects, *version).run(root);
}

}  // namespace aictl::hwloc
