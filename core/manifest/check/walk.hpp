// One walk of a value along a schema.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "core/manifest/catalog/catalog.hpp"

namespace aictl::manifest {

/// Told of each problem: the path ("" is the whole value), the rule's id, message and hint.
using Say = std::function<void(const std::string& path, std::string_view rule, std::string message,
                               std::string hint)>;

struct WalkOptions {
  bool custom = false;                  // repeated keys of list maps and sets count
  const Schema* object_meta = nullptr;  // of embedded resources
};

/// Checks `value`, which is already completed where that applies. A custom resource's own values of
/// null are gone by then.
void walk(const Json& value, const Schema& schema, const WalkOptions& options, const Say& say);

/// The word of `names` most like `word`; empty when none is. Finds "count" for "cnt" and
/// "cohortName" for "cohort", which edit distance does not.
std::string similar(std::string_view word, const std::vector<Property>& names);

/// A value in a message: 'text', 7, true; long text is cut.
std::string shown(const Json& value);

/// "string", "integer", "number", "null", ...
std::string_view type_name(const Json& value);

}  // namespace aictl::manifest
