// What differs between two sets of manifests once both are in normal form.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/manifest/catalog/catalog.hpp"
#include "core/manifest/document.hpp"

namespace aictl::manifest {

/// One place where two sets of objects differ.
struct Difference {
  enum class Change : uint8_t { kAdded, kRemoved, kChanged } change;
  std::string object;  // "Deployment/llm/qwen": kind, namespace where there is one, name
  std::string path;    // "spec.containers[name=main].image"; "." is the whole object
  Json before, after;  // null where absent
};

/// "added", "removed" or "changed".
std::string_view word(Difference::Change change);

/// What turns `a` into `b`: objects by name, their places by path. Objects are matched by group,
/// kind, namespace and name, items of list maps by their keys; order does not count. Objects that
/// are in a set twice are compared in turn.
std::vector<Difference> diff_objects(std::span<const Document> a, std::span<const Document> b,
                                     const Catalog& catalog);

/// The differences as people read them: a line an object, below it a line a place.
std::string diff_text(std::span<const Difference> differences);
/// [{"object", "path", "change", "before", "after"}].
Json diff_json(std::span<const Difference> differences);

}  // namespace aictl::manifest
