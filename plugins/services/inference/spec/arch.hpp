// The architectures we run: one row each, and the way from a file's metadata to a ModelSpec.
#pragma once

#include <span>
#include <string_view>

#include "core/base/result.hpp"
#include "core/tensor/model_spec.hpp"
#include "plugins/services/inference/spec/meta.hpp"

namespace aictl::inference {

enum class QkvBias : uint8_t { kAlways, kIfPresent, kNever };

/// A family of models. What differs between them is data: a new one is a row.
struct Arch {
  std::string_view name;  // as `general.architecture` spells it
  std::string_view description;
  RopeStyle rope;
  QkvBias qkv_bias;
  bool qk_norm;
};

std::span<const Arch> archs();

/// Errors: kUnsupported for an architecture without a row, with the nearest name as the hint.
Result<const Arch*> find_arch(std::string_view name);

/// Everything but the tensors' shapes, which bind_tensors checks. Errors: kDataRefused for a missing
/// key, kDataRefused for a value out of range, kUnsupported for what the forward pass cannot do
/// (experts, softcaps, uneven layers); each names the key.
Result<ModelSpec> read_spec(const Meta& file);

}  // namespace aictl::inference
