// Where in a text of YAML the scalar of a field stands.
#pragma once

#include <string_view>
#include <utility>

#include "core/value/json.hpp"

namespace aictl::platform {

/// The bytes [first, second) of the scalar that reads as `leaf`, whose place is `column` (from 0,
/// in characters) of the line that begins at byte `line`: its own, or with `keyed` that of its key.
std::pair<size_t, size_t> scalar_extent(std::string_view text, size_t line, size_t column,
                                        bool keyed, const Json& leaf);

}  // namespace aictl::platform
