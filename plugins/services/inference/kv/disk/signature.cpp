#include "plugins/services/inference/kv/disk/signature.hpp"

#include <xxhash.h>

#include <array>
#include <string>

#include <fmt/format.h>

namespace aictl::inference {
namespace {

uint64_t hash(std::string_view text) { return XXH3_64bits(text.data(), text.size()); }

}  // namespace

uint64_t Signature::tag() const {
  const std::array<uint64_t, 6> all{model, layout, rope, adapter, block_tokens, block_bytes};
  return XXH3_64bits(all.data(), sizeof all);
}

Signature make_signature(std::string_view weights, const ModelSpec& spec, std::string_view layout,
                         size_t block_bytes) {
  Signature signature;
  signature.model = hash(weights);
  signature.layout = hash(layout);
  std::string rope = fmt::format("{} {} {:a}", static_cast<int>(spec.rope.style), spec.rope.dims,
                                 spec.rope.amplitude);
  for (const double f : spec.rope.inv_freq) rope += fmt::format(" {:a}", f);
  signature.rope = hash(rope);
  signature.block_bytes = static_cast<uint32_t>(block_bytes);
  return signature;
}

PrefixHash salt_hash(Salt salt) {
  const std::array<uint64_t, 2> parts{salt.tenant, salt.salt};
  const XXH128_hash_t h = XXH3_128bits_withSeed(parts.data(), sizeof parts, 0x616b76);
  return {h.high64, h.low64};
}

std::vector<PrefixHash> chain_from(PrefixHash last, std::span<const int32_t> tokens) {
  std::vector<PrefixHash> chain;
  chain.reserve(tokens.size() / kKvBlockTokens);
  for (; tokens.size() >= kKvBlockTokens; tokens = tokens.subspan(kKvBlockTokens)) {
    // Of the hash before and of the tokens' own, so that nothing has to be copied.
    const XXH128_hash_t own = XXH3_128bits(tokens.data(), kKvBlockTokens * sizeof(int32_t));
    const std::array<uint64_t, 4> both{last.high, last.low, own.high64, own.low64};
    const XXH128_hash_t h = XXH3_128bits(both.data(), sizeof both);
    last = {h.high64, h.low64};
    chain.push_back(last);
  }
  return chain;
}

}  // namespace aictl::inference
