// BlockPool: which KV blocks are free, and how many sequences hold each of the others. It hands out
// numbers; the memory behind them is the backend's.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace aictl::inference {

/// Used by one thread. Allocates at construction only.
class BlockPool {
 public:
  explicit BlockPool(int blocks);

  int total() const { return static_cast<int>(refs_.size()); }
  int free() const { return static_cast<int>(free_.size()); }
  int used() const { return total() - free(); }

  /// A free block, now held once; nullopt when there is none.
  std::optional<int32_t> take();
  /// Holds a block that is already held once more.
  void ref(int32_t block);
  /// Gives up one hold; the last one frees the block.
  void unref(int32_t block);
  int refs(int32_t block) const { return refs_[static_cast<size_t>(block)]; }

  /// Compares the books with `tables`, every block table there is: each block is free or held,
  /// never both, and held as often as tables name it. Returns what is wrong, or an empty string.
  /// For tests: it allocates.
  std::string check(std::span<const std::span<const int32_t>> tables) const;

 private:
  std::vector<int32_t> refs_;  // holders of each block; 0: free
  std::vector<int32_t> free_;  // a stack: the block freed last is the warmest
};

}  // namespace aictl::inference
