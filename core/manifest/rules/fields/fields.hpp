// Rules about one field each, as tables: a row says where the field is and what it has to be.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/manifest/document.hpp"
#include "core/manifest/rules/fields/shapes.hpp"

namespace aictl::manifest {

enum class Need : uint8_t {
  kOptional,  // "" is as good as absent
  kGiven,     // may be absent, but "" is a value like others
  kRequired,  // absent, null, "", [] and {} are problems
};

/// What is wrong with a value, or "".
using Shape = std::string (*)(const Json& value, std::string_view argument);

/// One field, below the value its table is for.
struct FieldRow {
  std::string_view path;  // "ports[].name"; [] is each item of a list
  Need need;
  Shape shape;            // nullptr: any value
  std::string_view rule;  // "server/name"
  std::string_view argument = "";
};

/// Checks each row below `value`, which stands at `path`. A parent that is absent has no fields to
/// be required. In custom resources what is found is a warning: only their operator reads them.
void check_fields(const Document& document, const std::string& path, const Json& value,
                  std::span<const FieldRow> rows, Report& report);

/// Reports items of the list value[list] that are equal in the member `key`; texts themselves when
/// it is "".
void check_unique(const Document& document, const std::string& path, const Json& value,
                  std::string_view list, std::string_view key, Report& report);

}  // namespace aictl::manifest
