// BlockTable: the KV blocks of one sequence in order of position, owned or shared with its
// siblings.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/tensor/batch.hpp"
#include "plugins/services/inference/kv/block_pool.hpp"

namespace aictl::inference {

/// Blocks that `tokens` positions take.
constexpr int blocks_for(int tokens) { return (tokens + kKvBlockTokens - 1) / kKvBlockTokens; }

/// Copy the first `tokens` positions of a block before the step that follows.
struct BlockCopy {
  int32_t from, to;
  int tokens;
};

/// Does not own the pool, so release() must be called before the end; the sequence's owner does.
class BlockTable {
 public:
  std::span<const int32_t> blocks() const { return blocks_; }
  int size() const { return static_cast<int>(blocks_.size()); }

  /// Blocks that position `tokens` - 1 and all before it still lack.
  int missing(int tokens) const;
  /// Takes blocks until `tokens` positions are covered. False, and nothing taken, when the pool
  /// does not hold enough.
  bool grow(BlockPool& pool, int tokens);
  /// Memory for the entries of `tokens` positions; takes no blocks.
  void reserve(int tokens) { blocks_.reserve(static_cast<size_t>(blocks_for(tokens))); }
  /// Whether writing at `position` would change a block others hold too.
  bool is_shared(const BlockPool& pool, int position) const;
  /// Replaces the shared block at `position` by one of its own. The pool must hold a free block.
  BlockCopy unshare(BlockPool& pool, int position);
  /// A table of the same blocks, each held once more.
  BlockTable fork(BlockPool& pool) const;
  /// Appends a block whose contents are there already, held once more.
  void adopt(BlockPool& pool, int32_t block);
  /// Puts `block`, which has the same contents, in the place of block `index`.
  void replace(BlockPool& pool, int index, int32_t block);
  /// Gives all blocks back, the last one first: what continues a prefix grows old before it.
  void release(BlockPool& pool);

 private:
  std::vector<int32_t> blocks_;
};

}  // namespace aictl::inference
