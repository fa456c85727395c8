#include "plugins/topology/hwloc/xml/objects.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <unordered_set>

#include <fmt/format.h>

namespace aictl::hwloc {
namespace {

using topology::Bitset;

// libhwloc appends a child by walking its siblings, so their number has its square in the time.
constexpr size_t kMaxObjects = 65536, kMaxChildren = 8192;
constexpr size_t kMaxSetBytes = size_t{256} << 20;

struct TypeRow {
  std::string_view name, spelled;
  ObjectClass kind;
  int version;  // 0: both
};

constexpr TypeRow kTypes[] = {
    {"Machine", "Machine", ObjectClass::kNormal, 0},
    {"System", "Machine", ObjectClass::kNormal, 1},
    {"Package", "Package", ObjectClass::kNormal, 0},
    {"Socket", "Package", ObjectClass::kNormal, 1},
    {"Die", "Die", ObjectClass::kNormal, 0},
    {"Core", "Core", ObjectClass::kNormal, 0},
    {"PU", "PU", ObjectClass::kNormal, 0},
    {"Cache", "Cache", ObjectClass::kNormal, 1},
    {"L1Cache", "L1Cache", ObjectClass::kNormal, 0},
    {"L2Cache", "L2Cache", ObjectClass::kNormal, 0},
    {"L3Cache", "L3Cache", ObjectClass::kNormal, 0},
    {"L4Cache", "L4Cache", ObjectClass::kNormal, 0},
    {"L5Cache", "L5Cache", ObjectClass::kNormal, 0},
    {"L1iCache", "L1iCache", ObjectClass::kNormal, 0},
    {"L2iCache", "L2iCache", ObjectClass::kNormal, 0},
    {"L3iCache", "L3iCache", ObjectClass::kNormal, 0},
    {"Group", "Group", ObjectClass::kNormal, 0},
    {"NUMANode", "NUMANode", ObjectClass::kMemory, 0},
    {"MemCache", "MemCache", ObjectClass::kMemory, 2},
    {"Bridge", "Bridge", ObjectClass::kIo, 0},
    {"PCIDev", "PCIDev", ObjectClass::kIo, 0},
    {"OSDev", "OSDev", ObjectClass::kIo, 0},
    {"Misc", "Misc", ObjectClass::kMisc, 0},
};

class Checker {
 public:
  Checker(const XmlDocument& document, int version) : document_(document), version_(version) {}

  Result<CheckedObjects> run(int root) {
    std::vector<std::pair<int, int>> open{{root, -1}};  // element, parent object
    while (!open.empty()) {
      const auto [element, parent] = open.back();
      open.pop_back();
      if (auto added = add(element, parent); !added) return std::move(added).error();
      const int self = int(out_.list.size()) - 1;
      const size_t first = open.size();
      for (int child = at(element).first_child; child >= 0; child = at(child).next)
        if (at(child).name == "object") open.emplace_back(child, self);
      if (open.size() - first > kMaxChildren)
        return refused(element, fmt::format("over {} objects in one", kMaxChildren));
      std::reverse(open.begin() + std::ptrdiff_t(first), open.end());
    }
    if (auto whole = check_whole(root); !whole) return std::move(whole).error();
    return std::move(out_);
  }

 private:
  const XmlElement& at(int element) const { return document_.elements()[size_t(element)]; }
  Error refused(int element, std::string_view why) const {
    return document_.refused(at(element), why);
  }

  Result<void> add(int element, int parent) {
    if (out_.list.size() >= kMaxObjects)
      return refused(element, fmt::format("over {} objects", kMaxObjects));
    CheckedObject object;
    object.element = element;
    object.parent = parent;
    if (auto typed = find_type(object); !typed) return typed;
    if (auto numbered = read_indexes(object); !numbered) return numbered;
    if (auto read = read_sets(object); !read) return read;
    if (auto fits = check_parent(object); !fits) return fits;
    if (auto fits = check_sets(object); !fits) return fits;
    if (parent >= 0) out_.list[size_t(parent)].children.push_back(int(out_.list.size()));
    out_.list.push_back(std::move(object));
    return {};
  }

  Result<void> find_type(CheckedObject& object) {
    const auto type = document_.attribute(at(object.element), "type");
    const auto* row = std::find_if(std::begin(kTypes), std::end(kTypes), [&](const TypeRow& r) {
      return type && r.name == *type && (r.version == 0 || r.version == version_);
    });
    if (row == std::end(kTypes))
      return refused(object.element, fmt::format("'{}' is no type of object in hwloc {}",
                                                 type.value_or("").substr(0, 40), version_));
    object.type = row->spelled;
    object.kind = row->kind;
    if ((object.parent < 0) != (object.type == "Machine"))
      return refused(object.element, "the machine is the first object, and no other");
    return {};
  }

  Result<void> read_indexes(CheckedObject& object) {
    const XmlElement& element = at(object.element);
    const bool bounded = object.type == "PU" || object.type == "NUMANode";
    if (const auto text = document_.attribute(element, "os_index")) {
      const auto index = decimal(*text, bounded ? Bitset::kMaxIndex : 0xffffffff);
      if (!index)
        return refused(object.element,
                       fmt::format("os_index '{}' of a {} is not in 0..{}", text->substr(0, 24),
                                   object.type, bounded ? Bitset::kMaxIndex : 0xffffffffL));
      object.os_index = int64_t(*index);
    } else if (bounded) {
      return refused(object.element, fmt::format("a {} without os_index", object.type));
    }
    const auto text = document_.attribute(element, "gp_index");
    if (!text) return {};
    const auto index = decimal(*text, uint64_t{1} << 62);
    if (!index || *index == 0 || !gp_seen_.insert(*index).second)
      return refused(object.element,
                     fmt::format("gp_index '{}' is no number of its own", text->substr(0, 24)));
    object.gp_index = *index;
    return {};
  }

  Result<void> read_set(const CheckedObject& object, std::string_view name,
                        std::optional<Bitset>& out) {
    const auto text = document_.attribute(at(object.element), name);
    if (!text) return {};
    // Version 1 writes the endless set for "no NUMA nodes known".
    if (version_ == 1 && name.ends_with("nodeset") && text->starts_with("0xf...f")) return {};
    auto set = Bitset::parse_hex(*text);
    if (!set)
      return refused(object.element, fmt::format("{} '{}' is no set of 0..{}", name,
                                                 text->substr(0, 40), Bitset::kMaxIndex));
    set_bytes_ += size_t(set->last() + 1) / 8;
    if (set_bytes_ > kMaxSetBytes) return refused(object.element, "the sets take too much memory");
    out = *std::move(set);
    return {};
  }

  Result<void> read_sets(CheckedObject& object) {
    ObjectSets& sets = object.sets;
    if (object.kind == ObjectClass::kIo) return {};
    if (auto read = read_set(object, "cpuset", sets.cpuset); !read) return read;
    if (auto read = read_set(object, "complete_cpuset", sets.complete_cpuset); !read) return read;
    if (auto read = read_set(object, "nodeset", sets.nodeset); !read) return read;
    if (auto read = read_set(object, "complete_nodeset", sets.complete_nodeset); !read) return read;
    // Version 1 puts cpusets on Misc objects that are groups.
    if (object.kind == ObjectClass::kMisc && sets.cpuset && version_ == 1) {
      object.kind = ObjectClass::kNormal;
      object.type = "Group";
    }
    if (object.kind == ObjectClass::kMisc) {
      sets = {};
      return {};
    }
    const bool nodes = version_ == 2 || object.type == "NUMANode";
    if (!sets.cpuset || !sets.complete_cpuset)
      return refused(object.element, fmt::format("a {} without its cpusets", object.type));
    if (nodes ? !sets.nodeset || !sets.complete_nodeset
              : sets.nodeset.has_value() != sets.complete_nodeset.has_value())
      return refused(object.element, fmt::format("a {} without its nodesets", object.type));
    return {};
  }

  Result<void> check_parent(const CheckedObject& object) {
    if (object.parent < 0) return {};
    const CheckedObject& parent = out_.list[size_t(object.parent)];
    const bool normal = parent.kind == ObjectClass::kNormal && parent.type != "PU";
    bool fits = false;
    switch (object.kind) {
      case ObjectClass::kNormal:
        fits = normal || (version_ == 1 && parent.type == "NUMANode");
        break;
      case ObjectClass::kMemory:
        fits = parent.kind == ObjectClass::kNormal || parent.type == "MemCache";
        break;
      case ObjectClass::kIo:
        fits = parent.kind == ObjectClass::kNormal || parent.kind == ObjectClass::kIo ||
               (version_ == 1 && parent.type == "NUMANode");
        break;
      case ObjectClass::kMisc:
        fits = true;
        break;
    }
    if (fits) return {};
    return refused(object.element, fmt::format("a {} inside a {}", object.type, parent.type));
  }

  Result<void> check_sets(CheckedObject& object) {
    const ObjectSets& own = object.sets;
    if (!own.cpuset) return {};
    const auto wrong = [&](std::string_view why) {
      return refused(object.element, fmt::format("{} {}: {}", object.type, object.os_index, why));
    };
    if (!own.complete_cpuset->contains(*own.cpuset))
      return wrong("cpuset goes past complete_cpuset");
    if (own.nodeset && !own.complete_nodeset->contains(*own.nodeset))
      return wrong("nodeset goes past complete_nodeset");
    Bitset self;
    if (object.type == "PU" || object.type == "NUMANode") self.set(int(object.os_index));
    if (object.type == "PU" && *own.complete_cpuset != self)
      return wrong("complete_cpuset is not its os_index");
    if (object.type == "NUMANode") {
      if (*own.complete_nodeset != self || *own.nodeset != self)
        return wrong("nodeset is not its os_index");
      if (nodes_.intersects(self)) return wrong("there twice");
      nodes_ = nodes_ | self;
      out_.has_nodes = true;
    }
    if (object.type == "PU") processors_.set(int(object.os_index));
    return object.parent < 0 ? Result<void>() : check_within(object, wrong);
  }

  template <typename Wrong>
  Result<void> check_within(const CheckedObject& object, Wrong wrong) {
    CheckedObject& parent = out_.list[size_t(object.parent)];
    const ObjectSets &own = object.sets, &above = parent.sets;
    if (!above.cpuset->contains(*own.cpuset) ||
        !above.complete_cpuset->contains(*own.complete_cpuset))
      return wrong("cpuset goes past that of the object around it");
    if (own.nodeset && (!above.nodeset || !above.nodeset->contains(*own.nodeset) ||
                        !above.complete_nodeset->contains(*own.complete_nodeset)))
      return wrong("nodeset goes past that of the object around it");
    const bool sharing = object.kind == ObjectClass::kMemory && version_ == 2;
    if (sharing) return {};
    if (parent.taken.intersects(*own.complete_cpuset)) return wrong("cpuset overlaps a sibling's");
    parent.taken = parent.taken | *own.complete_cpuset;
    return {};
  }

  // What libhwloc takes for granted of the sets of the machine.
  Result<void> check_whole(int root) {
    const ObjectSets& machine = out_.list[0].sets;
    if (processors_.empty()) return refused(root, "a machine without a PU");
    if (!processors_.contains(*machine.cpuset))
      return refused(root, fmt::format("cpuset has {}, of which there is no PU",
                                       (*machine.cpuset - processors_).list().substr(0, 60)));
    if (machine.cpuset->empty()) return refused(root, "the machine's cpuset is empty");
    if (version_ == 2 && nodes_.empty()) return refused(root, "a machine without a NUMANode");
    if (out_.has_nodes && machine.nodeset && !nodes_.contains(*machine.nodeset))
      return refused(root, fmt::format("nodeset has {}, of which there is no NUMANode",
                                       (*machine.nodeset - nodes_).list().substr(0, 60)));
    uint64_t next = 1;
    for (CheckedObject& object : out_.list) {
      while (object.gp_index == 0 && gp_seen_.contains(next)) ++next;
      if (object.gp_index == 0) object.gp_index = next++;
    }
    return {};
  }

  const XmlDocument& document_;
  const int version_;
  CheckedObjects out_;
  std::unordered_set<uint64_t> gp_seen_;
  Bitset processors_, nodes_;
  size_t set_bytes_ = 0;
};

}  // namespace

std::optional<uint64_t> decimal(std::string_view text, uint64_t most) {
  uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || value > most) return std::nullopt;
  return value;
}

Result<CheckedObjects> check_objects(const XmlDocument& document, int root, int version) {
  return Checker(document, version).run(root);
}

}  // namespace aictl::hwloc
