// Signature: what the bytes of KV blocks in a file depend on besides the tokens; and the chained
// hash by which blocks on disk are found.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/tensor/model_spec.hpp"
#include "plugins/services/inference/kv/prefix_tree.hpp"

namespace aictl::inference {

/// Two engines of one signature compute the same bytes for the same tokens.
struct Signature {
  uint64_t model = 0;    // the weights and the spec
  uint64_t layout = 0;   // the backend, its arithmetic, element type and tile order
  uint64_t rope = 0;     // style, frequencies, amplitude
  uint64_t adapter = 0;  // 0: none
  uint32_t block_tokens = kKvBlockTokens;
  uint32_t block_bytes = 0;

  bool operator==(const Signature&) const = default;
  /// All of it in one number: how the names of its files begin.
  uint64_t tag() const;
};

/// `weights` names the model's weights, `layout` is Runner::kv_layout().
Signature make_signature(std::string_view weights, const ModelSpec& spec, std::string_view layout,
                         size_t block_bytes);

/// Names a block by its tokens, all before them, and whose they are.
struct PrefixHash {
  uint64_t high = 0, low = 0;
  auto operator<=>(const PrefixHash&) const = default;
};

/// The hash of nothing yet, under a salt; also what a file says of its salt.
PrefixHash salt_hash(Salt salt);

/// One hash for each whole block of `tokens`, each of the one before, at first the salt's, and the
/// block's tokens.
std::vector<PrefixHash> chain_from(PrefixHash salt, std::span<const int32_t> tokens);

}  // namespace aictl::inference
