// Memory fit, section 6: what a rank needs, what it may take, and the arithmetic between the two.
#pragma once

#include <string>
#include <vector>

#include "core/placement/cost/device.hpp"
#include "core/placement/cost/engine.hpp"
#include "core/placement/model/shape.hpp"

namespace aictl::placement {

/// How a replica is cut: every layer over `tp` ranks, the layers over `pp` stages.
struct Cut {
  int tp = 1, pp = 1;

  int ranks() const { return tp * pp; }
  bool operator==(const Cut&) const = default;
};

/// What one replica has to hold at once.
struct Load {
  int64_t context = 8192;  // tokens a sequence
  int sequences = 8;
  double kv_element = 2;  // bytes of a cached number
};

/// Bytes of the fullest rank.
struct Fit {
  double weights = 0, kv = 0, activations = 0, fixed = 0, usable = 0;
  bool fits = false;
  int64_t max_context = 0;              // with as many sequences; 0: none
  int max_sequences = 0;                // of the context
  int64_t token_capacity = 0;           // tokens all sequences of a replica can have together
  std::vector<std::string> arithmetic;  // a line a term

  double need() const { return weights + kv + activations + fixed; }
};

Fit fit_memory(const ModelShape& shape, const Cut& cut, const Load& load, Engine engine,
               const Device& device, double utilisation);

/// "1 sequence", "8 sequences".
std::string counted(int64_t count, std::string_view noun);

/// "fits", or the smallest change that would make it fit: fewer tokens, fewer sequences, another
/// quant, more GPUs; always with the bytes.
std::string verdict(const ModelShape& shape, const Cut& cut, const Load& load, Engine engine,
                    const Device& device, double utilisation);

}  // namespace aictl::placement
