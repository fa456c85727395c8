// Normal form: two manifests that mean the same have the same one.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/manifest/catalog/catalog.hpp"
#include "core/manifest/document.hpp"

namespace aictl::manifest {

/// `object` without what a server would have added: defaults, null fields, server-set metadata and
/// status; quantities and durations written the one way, keys sorted, list maps and sets in the
/// order of their keys. An object of an unknown kind keeps its lists as they are.
Json normal_form(const Json& object, const Catalog& catalog);

/// One place where two sets of objects differ.
struct Difference {
  enum class Change : uint8_t { kAdded, kRemoved, kChanged } change;
  std::string object;  // "Deployment/llm/qwen": kind, namespace, name
  std::string path;    // "." is the whole object
  Json before, after;  // null where absent
};

/// What turns `a` into `b`, objects matched by group, kind, namespace and name, order aside.
std::vector<Difference> diff_objects(std::span<const Document> a, std::span<const Document> b,
                                     const Catalog& catalog);

}  // namespace aictl::manifest
