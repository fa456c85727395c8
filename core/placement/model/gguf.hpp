// A GGUF file's header, as Runtime::inspect gives it, as a ModelShape.
#pragma once

#include "core/base/result.hpp"
#include "core/placement/model/shape.hpp"
#include "core/value/json.hpp"

namespace aictl::placement {

/// Bytes are exact: the sum of the tensor table. Errors: kDataRefused naming file and key when the
/// header is not of a language model with weights.
Result<ModelShape> shape_from_gguf(const Json& inspected);

}  // namespace aictl::placement
