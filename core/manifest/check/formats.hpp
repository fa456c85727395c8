// The formats of OpenAPI that an API server checks.
#pragma once

#include <string_view>

#include "core/value/json.hpp"

namespace aictl::manifest {

/// Whether `value` has `format`. A format that is unknown, or is for values of another type, holds.
bool has_format(const Json& value, std::string_view format);

/// Whether a whole number fits 32 bits.
bool fits_int32(const Json& value);

}  // namespace aictl::manifest
