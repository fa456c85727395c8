// Philox 4x32-10: random numbers as a function of a key and a counter, with no state to keep. So a
// draw depends on the request's seed and the position alone, and resuming redraws the same token.
// Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".
#pragma once

#include <array>
#include <cstdint>

namespace aictl::inference {

using PhiloxBlock = std::array<uint32_t, 4>;

constexpr PhiloxBlock philox(PhiloxBlock counter, uint64_t key) {
  auto k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53} * counter[0], b = uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<uint32_t>(b >> 32) ^ counter[1] ^ k0, static_cast<uint32_t>(b),
               static_cast<uint32_t>(a >> 32) ^ counter[3] ^ k1, static_cast<uint32_t>(a)};
    k0 += 0x9E3779B9, k1 += 0xBB67AE85;
  }
  return counter;
}

/// What a draw is for; each has numbers of its own at every position.
enum class Draw : uint32_t { kToken = 0, kXtc = 1 };

/// In (0, 1), both ends excluded, for the token at `position` of choice number `choice`.
constexpr double uniform(uint64_t seed, uint64_t position, Draw draw, int choice) {
  const PhiloxBlock block =
      philox({static_cast<uint32_t>(position), static_cast<uint32_t>(position >> 32),
              static_cast<uint32_t>(draw), static_cast<uint32_t>(choice)},
             seed);
  return (block[0] + 0.5) * 0x1p-32;
}

}  // namespace aictl::inference
