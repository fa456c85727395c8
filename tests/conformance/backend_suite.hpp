// What every backend must hold, checked against the reference on random tiny models.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/plugin/backend.hpp"

namespace aictl::test {

using MakeBackend = std::function<std::unique_ptr<Backend>()>;

/// Limits on the relative error ||a - r|| / ||r|| of logits against the reference, by what the
/// backend computes with.
struct BackendLimits {
  double f32_weights = 1e-4;    // F32 matrices
  double half_weights = 4e-3;   // F16 and BF16 matrices
  double block_weights = 3e-2;  // quantised matrices: activations may be int8, through all layers
  /// Types the backend says it can run; all of these must load.
  std::vector<std::string> dtypes = {"F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_K", "Q5_K", "Q6_K"};
};

/// A doctest body. Over each architecture, type and a few odd shapes (one kv head, seven heads,
/// rows no multiple of 16 or 256) it checks: logits within the limits; hidden states of unit scale;
/// chunked prefill bit-equal to one pass; a sequence's logits bit-equal whatever else is in the
/// batch; rows written over others bit-equal to fresh ones; a copied block bit-equal to its source;
/// two runs bit-equal.
void check_backend(const MakeBackend& make, const BackendLimits& limits = {});

}  // namespace aictl::test
