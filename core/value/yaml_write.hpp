// The one writer of YAML: block style, two spaces, keys in the order given, comments where asked.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/value/json.hpp"

namespace aictl {

/// What explains a field to people: lines above it, and a few words beside it.
struct YamlNote {
  std::string above, beside;
};

/// Notes by path, as in "spec.template.spec.containers[0].resources.limits.memory"; "." is the head
/// of the document.
using YamlNotes = std::map<std::string, YamlNote, std::less<>>;

/// One document, without a separator, ending in a newline. Strings that a reader of YAML 1.1 or 1.2
/// would take for something else are quoted; text of several lines is a `|` block where that keeps
/// every byte. The same tree gives the same bytes, and every reader gives the tree back. Invalid
/// UTF-8 becomes U+FFFD. Never throws.
std::string write_yaml(const Json& tree, const YamlNotes& notes = {});

/// `text` as comment lines, each behind `indent` spaces.
std::string comment_lines(std::string_view text, size_t indent = 0);

}  // namespace aictl
