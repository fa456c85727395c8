// Comments of rendered text: which field a ` # ...` at the end of a line speaks of.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/value/yaml.hpp"
#include "core/value/yaml_write.hpp"

namespace aictl::platform {

/// The comments at the ends of lines of `text`, whose first line has the number `first`, by the
/// JSON pointer of the outermost field that begins on the line, or else on the next.
std::map<std::string, std::string> trailing_comments(std::string_view text, int first,
                                                     const YamlDocument& document);

/// Comments by JSON pointer as notes of the writer, beside their fields.
YamlNotes notes_of(const Json& object, const std::map<std::string, std::string>& comments);

}  // namespace aictl::platform
