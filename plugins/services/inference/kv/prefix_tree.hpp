// PrefixTree: which KV blocks hold the keys and values of which tokens, so that a prompt that
// begins like an earlier one need not be computed again. engine.md section 7.
//
// A node is a whole block: the tokens in it and all before it, which its ancestors hold. Because a
// row's bits depend on its tokens alone, a reused block is bit for bit what computing it again
// would give.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "plugins/services/inference/kv/block_table.hpp"

namespace aictl::inference {

/// Keeps apart what must not be shared. Two parts, so that no `salt`, which a client chooses, makes
/// one tenant's prefixes another's.
struct Salt {
  uint64_t tenant = 0, salt = 0;
  bool operator==(const Salt&) const = default;
};

/// Used by one thread; allocates at construction only. The tree holds no blocks: the pool keeps
/// them while they are idle and takes back the one that has been idle for longest when it runs out.
class PrefixTree {
 public:
  /// `pool` outlives the tree and has no other tree.
  explicit PrefixTree(BlockPool& pool);
  PrefixTree(const PrefixTree&) = delete;
  PrefixTree& operator=(const PrefixTree&) = delete;

  /// Appends the blocks of the longest known prefix of `tokens` to `table`, which is empty. Returns
  /// the tokens they cover, a multiple of kKvBlockTokens. Never trusts a hash: compares tokens.
  int match(Salt salt, std::span<const int32_t> tokens, BlockTable& table) const;

  /// Remembers the whole blocks of `table` from block `first` on, whose keys and values of `tokens`
  /// are computed; the blocks before `first` are remembered already. Where the same tokens were
  /// remembered before, `table` takes the older block instead of its own. Returns how many of its
  /// blocks are remembered now: `first` of the next time.
  int insert(Salt salt, std::span<const int32_t> tokens, int first, BlockTable& table);

  int size() const { return size_; }
  /// What is wrong with the books, or an empty string. For tests.
  std::string check() const;

 private:
  static constexpr int32_t kNone = -1;
  using Tokens = std::span<const int32_t>;

  size_t bucket(int32_t parent, Salt salt, Tokens tokens) const;
  int32_t find(int32_t parent, Salt salt, Tokens tokens) const;
  void add(int32_t block, int32_t parent, Salt salt, Tokens tokens);
  void unlink(int32_t block);
  void forget(int32_t block);
  Tokens tokens_of(int32_t block) const;

  /// A block's node; of a block that is not in the tree, nothing means anything.
  struct Node {
    Salt salt;
    int32_t parent = kNone, first_child = kNone, next_sibling = kNone, previous_sibling = kNone;
    int32_t next_in_bucket = kNone;
    size_t bucket = 0;
  };

  BlockPool& pool_;
  std::vector<Node> nodes_;       // by block
  std::vector<int32_t> tokens_;   // [blocks, kKvBlockTokens]
  std::vector<int32_t> buckets_;  // first block of each; a power of two of them
  int size_ = 0;
};

}  // namespace aictl::inference
