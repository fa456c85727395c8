// Which fields of which kinds name other objects, and what exists without a document. Kinds are
// written "Kind.group"; the core API's group is empty, so its kinds end in a dot.
#pragma once

#include <span>
#include <string_view>

namespace aictl::manifest {

/// A field that names an object. `path` as in find_fields; `target` is "Kind.group", alternatives
/// with | between, or "@Kind.group" where the value is an object reference {kind, group, name,
/// namespace} of which kind and group default to the given.
struct ReferenceField {
  std::string_view kind;  // of the document; "" in pods
  std::string_view path, target;
};
std::span<const ReferenceField> reference_fields();
/// Of pod specifications, wherever they stand.
std::span<const ReferenceField> pod_reference_fields();
/// Labels whose value is the name of an object.
struct ReferenceLabel {
  std::string_view label, target;
};
std::span<const ReferenceLabel> reference_labels();

/// What an operator makes from an object: `name` has {} for the object's own name, or begins with
/// a dot and is the path of the field that holds it.
struct DerivedObject {
  std::string_view kind, target, name;
};
std::span<const DerivedObject> derived_objects();

/// "Kind/name" or "Kind.group/name", globs: there without anybody's doing.
std::span<const std::string_view> provided_objects();
/// Prefixes of labels that operators put on pods they make.
std::span<const std::string_view> operator_labels();
/// Kinds without a namespace, by their name alone.
bool is_cluster_scoped(std::string_view kind);

}  // namespace aictl::manifest
