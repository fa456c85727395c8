// Which merge two symbols make: a flat hash table from (left, right) to rank and result.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "plugins/services/inference/text/encode/merge.hpp"

namespace aictl {

class PairTable {
 public:
  explicit PairTable(size_t pairs) : slots_(std::bit_ceil(pairs * 2 + 16)) {}

  /// Keeps what is there already. False once pairs chosen to collide made lookups slow.
  bool add(uint32_t left, uint32_t right, MergeRank merge) {
    const uint64_t key = key_of(left, right);
    size_t at = start(key), probes = 1;
    for (; slots_[at].merge.rank != kNoMerge; at = next(at), ++probes)
      if (slots_[at].key == key) return true;
    slots_[at] = {key, merge};
    return probes <= kMaxProbe;
  }

  MergeRank find(uint32_t left, uint32_t right) const {
    const uint64_t key = key_of(left, right);
    for (size_t at = start(key);; at = next(at))
      if (slots_[at].key == key || slots_[at].merge.rank == kNoMerge) return slots_[at].merge;
  }

 private:
  static constexpr size_t kMaxProbe = 512;

  // An empty slot answers kNoMerge, also for the key it happens to hold.
  struct Slot {
    uint64_t key = 0;
    MergeRank merge;
  };

  static uint64_t key_of(uint32_t left, uint32_t right) { return uint64_t{left} << 32 | right; }
  size_t next(size_t at) const { return (at + 1) & (slots_.size() - 1); }
  size_t start(uint64_t key) const {
    key = (key ^ key >> 29) * 0x9E3779B97F4A7C15;
    return (key ^ key >> 32) & (slots_.size() - 1);
  }

  std::vector<Slot> slots_;
};

}  // namespace aictl
