// The one writer of manifests: block style, two spaces, keys in the order given, comments where a
// generator put them. Strings that a reader of YAML 1.1 or 1.2 would take for something else are
// quoted; text of several lines is a `|` block. The same tree always gives the same bytes.
#pragma once

#include <map>
#include <span>
#include <string>

#include "core/value/json.hpp"

namespace aictl::manifest {

/// What explains a field to people: lines above it, and a few words beside it.
struct Note {
  std::string above, beside;
};

/// Notes by path ("spec.template.spec.containers[0].resources.limits.memory"); the path "." is the
/// head of the document.
using Notes = std::map<std::string, Note, std::less<>>;

/// One document, without a separator, ending in a newline. `read_text` gives the tree back.
std::string write_yaml(const Json& object, const Notes& notes = {});

struct Written {
  const Json* object;
  const Notes* notes = nullptr;  // may be null
};

/// Several documents, `---` between them; `header` becomes comment lines in front.
std::string write_yaml(std::span<const Written> documents, std::string_view header = "");

}  // namespace aictl::manifest
