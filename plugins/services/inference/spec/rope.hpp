// Rotary embedding from metadata: base, dimensions and every scaling, worked into one table.
#pragma once

#include <string_view>

#include "core/base/result.hpp"
#include "core/tensor/model_spec.hpp"
#include "plugins/services/inference/spec/meta.hpp"

namespace aictl::inference {

/// Reads `<arch>.rope.*` and the tensor `rope_freqs.weight`. Scalings: none, linear, yarn; llama3's
/// comes as rope_freqs. Errors: kDataRefused for a value out of range; kUnsupported for another
/// scaling.
Result<Rope> read_rope(const Meta& file, std::string_view arch, RopeStyle style, int head_dim);

}  // namespace aictl::inference
