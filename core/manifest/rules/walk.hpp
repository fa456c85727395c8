// Ways through an object that may be anything: what is absent or of another type is passed by, for
// the structural check has told it already.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "core/manifest/document.hpp"

namespace aictl::manifest {

/// The member `name` of an object, or nullptr.
const Json* member(const Json& value, std::string_view name);
/// value[name][name]..., or an empty object where something is missing or no mapping.
const Json& mapping(const Json& value, std::initializer_list<std::string_view> names);
/// The text at `name`; empty without one.
std::string_view text(const Json& value, std::string_view name);
/// Whether `name` is there and true.
bool is_true(const Json& value, std::string_view name);
/// Whether the member is there and neither null, "", {}, [] nor false.
bool is_set(const Json& value, std::string_view name);
/// The integer at `name`, or `otherwise`.
int64_t integer(const Json& value, std::string_view name, int64_t otherwise);

/// An entry of a list that is a mapping, and its path.
struct Entry {
  std::string path;  // "spec.ports[0]"
  const Json* value;
};
/// The mappings in the list value[name]; `path` is that of `value`, "" for the document.
std::vector<Entry> entries(const Json& value, std::string_view name, const std::string& path);

/// "spec.name"; "name" under the document itself.
std::string join(const std::string& path, std::string_view name);

/// A pod's specification somewhere in an object.
struct PodTemplate {
  std::string path;      // "spec.template.spec"
  const Json* spec;      // {containers: ...}
  const Json* metadata;  // of the template; an empty object without one
};
/// Every one in the document, wherever: also in custom resources.
std::vector<PodTemplate> pod_templates(const Document& document);

/// Containers of a pod, those that run first included.
struct Container {
  std::string path;
  const Json* value;
  bool init = false;
};
std::vector<Container> containers(const PodTemplate& pod);

/// Reports what a server refuses in pods and selectors: an error in the kinds it knows itself, a
/// warning in custom resources, where it looks at the schema alone and an operator at the rest.
void refuse(Report& report, const Document& document, std::string_view path, std::string_view rule,
            std::string message, std::string hint = "");

/// Kinds whose pods an operator completes, so that what is missing may come from elsewhere.
bool is_completed_elsewhere(const Document& document);

/// Whether the document is of this kind, whatever the version.
bool is_kind(const Document& document, std::string_view group, std::string_view kind);

/// Whether `name` matches `glob`, where * is any text.
bool matches_glob(std::string_view glob, std::string_view name);

}  // namespace aictl::manifest
