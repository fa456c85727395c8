// Manifests as text: documents as `write_yaml` of core/value writes them, one after the other.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/value/yaml_write.hpp"

namespace aictl::manifest {

using Note = YamlNote;
using Notes = YamlNotes;  // by Problem's paths: "spec.ports[0].name"

/// A document to write; notes may be null.
struct Written {
  const Json* object;
  const Notes* notes = nullptr;
};

/// The documents, `---` between them; `header` becomes comment lines in front. `read_text` gives
/// the objects back.
std::string write_documents(std::span<const Written> documents, std::string_view header = "");

}  // namespace aictl::manifest
