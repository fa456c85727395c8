// The one tree of values: nlohmann's ordered JSON, which keeps the order in which keys were
// written.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "core/base/result.hpp"

namespace aictl {

using Json = nlohmann::ordered_json;

struct JsonLimits {
  size_t max_depth = 128;  // arrays and objects inside each other
};

/// Parses one JSON text. Errors: kDataRefused with line and column, on bad syntax, bad UTF-8, a
/// duplicate key, trailing bytes, or deeper nesting than `limits` allow; kTooLarge for an object of
/// more than 4096 keys, by its name. Never throws, never recurses without bound.
Result<Json> parse_json(std::string_view text, const JsonLimits& limits = {});

/// `tree` as text; `indent` < 0 writes one line. Invalid UTF-8 in strings becomes U+FFFD. Never
/// throws.
std::string dump_json(const Json& tree, int indent = -1);

}  // namespace aictl
