#include "plugins/topology/hwloc/xml/matrices.hpp"

#include <cmath>
#include <cstdlib>

#include <fmt/format.h>

namespace aictl::hwloc {
namespace {

using topology::Bitset;

constexpr uint64_t kMaxObjectsOfMatrix = 1024;
constexpr int kMaxMatrices = 32, kMaxKinds = 64, kMaxInfosOfKind = 256;
// libhwloc looks objects up one by one for each value.
constexpr size_t kMaxMemoryValues = 4096;

// A plain decimal, such as "10.000000"; nullopt for signs, exponents, nan.
std::optional<float> plain_decimal(std::string_view text) {
  if (text.empty() || text.size() > 24) return std::nullopt;
  if (text.find_first_not_of("0123456789.") != text.npos) return std::nullopt;
  return std::strtof(std::string(text).c_str(), nullptr);
}

// Calls `visit` with each part between blanks until it returns false.
template <typename Visit>
bool each_word(std::string_view text, Visit visit) {
  constexpr std::string_view kBlank = " \t\r\n";
  while (true) {
    const size_t start = text.find_first_not_of(kBlank);
    if (start == text.npos) return true;
    text.remove_prefix(start);
    const size_t end = std::min(text.find_first_of(kBlank), text.size());
    if (!visit(text.substr(0, end))) return false;
    text.remove_prefix(end);
  }
}

constexpr std::string_view kMatrixTypes[] = {
    "Machine",  "Package",  "Die",     "Core",     "PU",       "L1Cache",  "L2Cache",
    "L3Cache",  "L4Cache",  "L5Cache", "L1iCache", "L2iCache", "L3iCache", "Group",
    "NUMANode", "MemCache", "Bridge",  "PCIDev",   "OSDev",    "Misc"};

bool is_matrix_type(std::string_view type) {
  for (std::string_view known : kMatrixTypes)
    if (type == known) return true;
  return false;
}

class Tail {
 public:
  Tail(const XmlDocument& document, std::string& out) : document_(document), out_(out) {}

  Result<void> append(const XmlElement& element) {
    if (element.name == "distances2" || element.name == "distances2hetero")
      return append_distances(element);
    if (element.name == "memattr") return append_memory_attribute(element);
    if (element.name == "cpukind") return append_kind(element);
    return {};  // <support> and what later versions add
  }

 private:
  std::string_view attribute(const XmlElement& element, std::string_view name) const {
    return document_.attribute(element, name).value_or("");
  }
  const XmlElement* first_child(const XmlElement& element) const { return at(element.first_child); }
  const XmlElement* next(const XmlElement& element) const { return at(element.next); }
  const XmlElement* at(int index) const {
    return index < 0 ? nullptr : &document_.elements()[size_t(index)];
  }

  Result<void> append_distances(const XmlElement& element) {
    const bool mixed = element.name == "distances2hetero";
    const auto count = decimal(attribute(element, "nbobjs"), kMaxObjectsOfMatrix);
    const auto kind = decimal(attribute(element, "kind"), 0xffff);
    const std::string_view type = attribute(element, "type");
    const std::string_view indexing = attribute(element, "indexing");
    if (++matrices_ > kMaxMatrices)
      return document_.refused(element, fmt::format("over {} matrices", kMaxMatrices));
    if (!count || *count < 2 || !kind || *kind == 0)
      return document_.refused(element, fmt::format("a matrix of '{}' objects and kind '{}'",
                                                    attribute(element, "nbobjs").substr(0, 24),
                                                    attribute(element, "kind").substr(0, 24)));
    if (!mixed && (!is_matrix_type(type) || (indexing != "os" && indexing != "gp")))
      return document_.refused(element, fmt::format("a matrix of type '{}', indexing '{}'",
                                                    type.substr(0, 24), indexing.substr(0, 24)));
    std::string indexes, values;
    size_t index_count = 0, value_count = 0;
    for (const XmlElement* child = first_child(element); child; child = next(*child)) {
      bool read = true;
      if (child->name == "indexes")
        read = each_word(child->text, [&](std::string_view word) {
          return ++index_count <= *count && append_index(word, mixed, indexes);
        });
      if (child->name == "u64values")
        read = each_word(child->text, [&](std::string_view word) {
          return ++value_count <= *count * *count && append_number(word, values);
        });
      if (!read) return document_.refused(*child, "more numbers than fit, or none at all");
    }
    if (index_count != *count || value_count != *count * *count)
      return document_.refused(element, fmt::format("{} indexes and {} values for {} objects",
                                                    index_count, value_count, *count));
    out_ += fmt::format("  <{} nbobjs=\"{}\" kind=\"{}\"", element.name, *count, *kind);
    if (!mixed) out_ += fmt::format(" type=\"{}\" indexing=\"{}\"", type, indexing);
    if (const auto name = document_.attribute(element, "name"); name && !name->empty()) {
      out_ += " name=\"";
      append_escaped(out_, *name);
      out_ += '"';
    }
    out_ += fmt::format(
        ">\n<indexes length=\"{}\">{}</indexes>\n<u64values length=\"{}\">{}</u64values>\n</{}>\n",
        indexes.size(), indexes, values.size(), values, element.name);
    return {};
  }

  static bool append_number(std::string_view word, std::string& out) {
    const auto value = decimal(word, UINT64_MAX);
    if (!value) return false;
    out += fmt::format("{} ", *value);
    return true;
  }

  static bool append_index(std::string_view word, bool mixed, std::string& out) {
    if (!mixed) return append_number(word, out);
    const size_t colon = word.find(':');
    if (colon == word.npos || !is_matrix_type(word.substr(0, colon))) return false;
    out += word.substr(0, colon + 1);
    return append_number(word.substr(colon + 1), out);
  }

  // Only what translate() reads: bandwidths and latencies of NUMA nodes from sets of processors.
  Result<void> append_memory_attribute(const XmlElement& element) {
    const std::string_view name = attribute(element, "name");
    const bool bandwidth = name.ends_with("Bandwidth"), latency = name.ends_with("Latency");
    const auto flags = decimal(attribute(element, "flags"), 0xff);
    if ((!bandwidth && !latency) || flags != (bandwidth ? 5u : 6u)) return {};
    const bool known = name == "Bandwidth" || name == "ReadBandwidth" || name == "Latency" ||
                       name == "ReadLatency";
    if (!known) return {};
    out_ += fmt::format("  <memattr name=\"{}\" flags=\"{}\">\n", name, *flags);
    for (const XmlElement* child = first_child(element); child; child = next(*child)) {
      if (child->name != "memattr_value" || attribute(*child, "target_obj_type") != "NUMANode")
        continue;
      const auto set_text = document_.attribute(*child, "initiator_cpuset");
      if (!set_text) continue;
      const auto target = decimal(attribute(*child, "target_obj_gp_index"), UINT64_MAX);
      const auto value = decimal(attribute(*child, "value"), UINT64_MAX);
      const auto set = Bitset::parse_hex(*set_text);
      if (!target || !value || !set || set->empty() || ++memory_values_ > kMaxMemoryValues)
        return document_.refused(*child, "a memory attribute that does not read, or too many");
      out_ += fmt::format(
          "<memattr_value target_obj_type=\"NUMANode\" target_obj_gp_index=\"{}\" value=\"{}\" "
          "initiator_cpuset=\"{}\"/>\n",
          *target, *value, set->hex());
    }
    out_ += "  </memattr>\n";
    return {};
  }

  Result<void> append_kind(const XmlElement& element) {
    const auto set = Bitset::parse_hex(attribute(element, "cpuset"));
    if (!set || set->empty() || ++kinds_ > kMaxKinds)
      return document_.refused(element, "a cpukind whose cpuset does not read, or too many");
    if (kind_sets_.intersects(*set))
      return document_.refused(element, "a cpukind that shares processors with another");
    kind_sets_ = kind_sets_ | *set;
    out_ += fmt::format("  <cpukind cpuset=\"{}\"", set->hex());
    if (const auto efficiency = decimal(attribute(element, "forced_efficiency"), 0x7fffffff))
      out_ += fmt::format(" forced_efficiency=\"{}\"", *efficiency);
    out_ += ">\n";
    int infos = 0;
    for (const XmlElement* child = first_child(element); child; child = next(*child)) {
      if (child->name != "info") continue;
      if (++infos > kMaxInfosOfKind) return document_.refused(*child, "too many infos");
      append_info(document_, *child, out_);
    }
    out_ += "  </cpukind>\n";
    return {};
  }

  const XmlDocument& document_;
  std::string& out_;
  int matrices_ = 0, kinds_ = 0;
  size_t memory_values_ = 0;
  Bitset kind_sets_;
};

}  // namespace

void append_escaped(std::string& out, std::string_view value) {
  for (char c : value) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\n':
        out += "&#10;";
        break;
      case '\r':
        out += "&#13;";
        break;
      case '\t':
        out += "&#9;";
        break;
      default:
        out += c;
    }
  }
}

void append_info(const XmlDocument& document, const XmlElement& element, std::string& out) {
  const auto name = document.attribute(element, "name");
  const auto value = document.attribute(element, "value");
  if (!name || !value) return;
  out += "<info name=\"";
  append_escaped(out, *name);
  out += "\" value=\"";
  append_escaped(out, *value);
  out += "\"/>\n";
}

Result<void> append_distances1(const XmlDocument& document, const XmlElement& element,
                               std::string& out) {
  const auto text = [&](std::string_view name) {
    return document.attribute(element, name).value_or("");
  };
  const auto count = decimal(text("nbobjs"), kMaxObjectsOfMatrix);
  const auto depth = decimal(text("relative_depth"), 0xffff);
  const auto base = plain_decimal(text("latency_base"));
  if (!count || *count == 0 || !depth || !base)
    return document.refused(element, "distances without their number, depth or base");
  std::string values;
  size_t found = 0;
  const auto& elements = document.elements();
  for (int child = element.first_child; child >= 0; child = elements[size_t(child)].next) {
    const auto value =
        plain_decimal(document.attribute(elements[size_t(child)], "value").value_or(""));
    // libhwloc makes an int of the product.
    if (elements[size_t(child)].name != "latency" || !value || *value * *base > 1e9f)
      return document.refused(elements[size_t(child)], "no latency that makes sense");
    values += fmt::format("<latency value=\"{:f}\"/>\n", *value);
    if (++found > *count * *count) break;
  }
  if (found != *count * *count)
    return document.refused(element, fmt::format("{} latencies for {} objects", found, *count));
  if (*count < 2 || *depth == 0 || *base == 0) return {};  // tells nothing
  out += fmt::format("<distances nbobjs=\"{}\" relative_depth=\"{}\" latency_base=\"{:f}\">\n{}",
                     *count, *depth, *base, values);
  out += "</distances>\n";
  return {};
}

Result<void> append_tail(const XmlDocument& document, int root, std::string& out) {
  Tail tail(document, out);
  const auto& elements = document.elements();
  for (int child = elements[size_t(root)].next; child >= 0; child = elements[size_t(child)].next)
    if (auto added = tail.append(elements[size_t(child)]); !added) return added;
  return {};
}

}  // namespace aictl::hwloc
