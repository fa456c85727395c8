// The elements of a small XML text, read strictly: what libhwloc is shown later has been taken
// apart here first, in linear time.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace aictl::hwloc {

struct XmlAttribute {
  std::string_view name, value;  // entities resolved
};

struct XmlElement {
  std::string_view name;
  std::string_view text;  // the first text in it, as it stands
  size_t offset = 0;      // of its '<'
  int parent = -1, first_child = -1, last_child = -1, next = -1;  // indexes of elements
  int depth = 0;
  size_t first_attribute = 0, attributes = 0;
};

/// Elements in document order; [0] is the root. Views point into the text, which must outlive it.
class XmlDocument {
 public:
  static constexpr size_t kMaxElements = 1 << 20, kMaxValue = 1 << 20;
  static constexpr int kMaxDepth = 256;

  /// Errors: kDataRefused with line and column: bad syntax, bad UTF-8 or control characters, more
  /// than the limits above; what hwloc never writes (CDATA, entities of one's own).
  static Result<XmlDocument> parse(std::string_view text);

  const std::vector<XmlElement>& elements() const { return elements_; }
  /// nullopt when it has none of that name.
  std::optional<std::string_view> attribute(const XmlElement& element, std::string_view name) const;
  /// A refusal at the place of `element`.
  Error refused(const XmlElement& element, std::string_view why, std::string hint = "") const;

 private:
  friend class XmlParser;
  std::string_view text_;
  std::vector<XmlElement> elements_;
  std::vector<XmlAttribute> attributes_;
  std::deque<std::string> resolved_;  // values that had entities
};

/// "line 3, column 17: <why>".
Error refused_at(std::string_view text, size_t offset, std::string_view why, std::string hint = "");

}  // namespace aictl::hwloc
