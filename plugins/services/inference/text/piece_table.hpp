// Many short strings in one arena, found by content: one flat hash table of (hash, index), no
// allocation a string. Built once for a vocabulary, then only read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aictl {

/// 64 bits of hash over `bytes`; the same on every machine.
uint64_t hash_bytes(std::string_view bytes);

/// Strings by index and index by string.
class PieceTable {
 public:
  static constexpr uint32_t kNone = 0xFFFFFFFF;

  /// Room for `pieces` strings of `bytes` bytes in all. More may follow, at the price of growing.
  void reserve(size_t pieces, size_t bytes);

  /// Adds `text` as the next index. When the same text is there already, find() keeps answering the
  /// earlier index and the result is false.
  bool append(std::string_view text);

  /// The index of `text`, added when it is new.
  uint32_t intern(std::string_view text);

  /// The first index with this text, or kNone.
  uint32_t find(std::string_view text) const;

  /// Brings the memory where find(text) will look nearer, for lookups in a row.
  void prefetch(std::string_view text) const;

  std::string_view operator[](uint32_t index) const {
    return std::string_view(bytes_).substr(offsets_[index], offsets_[index + 1] - offsets_[index]);
  }
  size_t size() const { return offsets_.size() - 1; }

  /// Whether no text is there twice, so that equal text means equal index.
  bool all_distinct() const { return used_ == size(); }

  /// All strings one after another.
  std::string_view bytes() const { return bytes_; }

  /// False once strings chosen to collide made lookups slow; whoever builds a table refuses them.
  bool well_spread() const { return longest_probe_ <= kMaxProbe; }

 private:
  static constexpr uint32_t kMaxProbe = 512;

  void grow(size_t slots);
  bool place(uint32_t hash, uint32_t index);

  std::string bytes_;
  std::vector<uint32_t> offsets_ = {0};
  std::vector<uint64_t> slots_;  // hash << 32 | index + 1; 0: free. A power of two of them
  size_t used_ = 0;
  uint32_t longest_probe_ = 0;
};

}  // namespace aictl
