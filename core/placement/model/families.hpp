// Models known by name: `llama:8b:q4_k_m` without a file.
#pragma once

#include <string_view>

#include "core/base/result.hpp"
#include "core/placement/model/shape.hpp"

namespace aictl::placement {

/// Whether `text` is written as a shape: FAMILY:SIZE or FAMILY:SIZE:QUANT.
bool looks_like_shape(std::string_view text);

/// Reads one; without a quant it is `default_quant`. Errors: kNotFound with the nearest family or
/// the family's sizes; kInvalidArgument for an unknown quant.
Result<ModelShape> known_shape(std::string_view text, std::string_view default_quant);

}  // namespace aictl::placement
