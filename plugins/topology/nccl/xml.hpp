// A small, strict XML reader: elements and attributes, with line numbers and limits. No text, no
// document types, no entities but the five and numbers.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.hpp"

namespace aictl::nccl {

struct Element {
  std::string name;
  int line = 0;
  std::vector<std::pair<std::string, std::string>> attributes;
  std::vector<Element> children;

  /// The value of an attribute; nullopt when it is not there.
  std::optional<std::string> attribute(std::string_view key) const;
};

struct XmlLimits {
  size_t depth = 64, elements = 100'000, attributes = 64;
};

/// Reads a document of one root element. Errors: kDataRefused with the line, on bad syntax, on tags
/// that do not match, on a repeated attribute, past a limit. Does not recurse.
Result<Element> parse_xml(std::string_view text, const XmlLimits& limits = {});

/// The name of the root element; empty when `text` does not start like a document.
std::string_view root_name(std::string_view text);

}  // namespace aictl::nccl
