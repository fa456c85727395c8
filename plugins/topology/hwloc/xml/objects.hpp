// The objects of an hwloc XML, checked: libhwloc trusts its own files, so what would make it abort,
// read past an end or run for minutes is refused here.
#pragma once

#include <cstdint>

#include "core/topology/bitset.hpp"
#include "plugins/topology/hwloc/xml/document.hpp"

namespace aictl::hwloc {

enum class ObjectClass { kNormal, kMemory, kIo, kMisc };

/// The four sets of a normal or memory object; nullopt where version 1 leaves one out.
struct ObjectSets {
  std::optional<topology::Bitset> cpuset, complete_cpuset, nodeset, complete_nodeset;
};

struct CheckedObject {
  int element = 0;  // in the document
  int parent = -1;  // in the list of objects
  ObjectClass kind = ObjectClass::kNormal;
  std::string_view type;  // as libhwloc spells it
  uint64_t gp_index = 0;  // unique; made up where the file has none
  int64_t os_index = -1;  // -1: none
  ObjectSets sets;
  topology::Bitset taken;  // by normal children so far
  std::vector<int> children;
};

struct CheckedObjects {
  std::vector<CheckedObject> list;  // parents before children
  bool has_nodes = false;           // any NUMA node; version 1 may have none
};

/// Walks <object> elements from `root` down. `version` is 1 or 2. Errors: kDataRefused at the
/// element.
Result<CheckedObjects> check_objects(const XmlDocument& document, int root, int version);

/// A decimal number up to `most`; nullopt for anything else.
std::optional<uint64_t> decimal(std::string_view text, uint64_t most);

}  // namespace aictl::hwloc
