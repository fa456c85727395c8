// A tree of blocks in arrays indexed by block number, found through a hash of parent and tokens.
#include "plugins/services/inference/kv/prefix_tree.hpp"

#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <utility>

#include <fmt/format.h>

#include "core/base/check.hpp"

namespace aictl::inference {

PrefixTree::PrefixTree(BlockPool& pool)
    : pool_(pool),
      nodes_(static_cast<size_t>(pool.total())),
      tokens_(nodes_.size() * kKvBlockTokens),
      buckets_(std::bit_ceil(2 * nodes_.size() + 1), kNone) {
  pool.on_reuse([this](int32_t block) { forget(block); });
}

PrefixTree::Tokens PrefixTree::tokens_of(int32_t block) const {
  return Tokens(tokens_).subspan(static_cast<size_t>(block) * kKvBlockTokens, kKvBlockTokens);
}

size_t PrefixTree::bucket(int32_t parent, Salt salt, Tokens tokens) const {
  const uint64_t seed = (salt.tenant ^ std::rotl(salt.salt, 32)) * 0x9e3779b97f4a7c15u +
                        static_cast<uint64_t>(parent + 1);
  return XXH3_64bits_withSeed(tokens.data(), tokens.size_bytes(), seed) & (buckets_.size() - 1);
}

int32_t PrefixTree::find(int32_t parent, Salt salt, Tokens tokens) const {
  int32_t block = buckets_[bucket(parent, salt, tokens)];
  while (block != kNone) {
    const Node& node = nodes_[static_cast<size_t>(block)];
    if (node.parent == parent && node.salt == salt && std::ranges::equal(tokens_of(block), tokens))
      break;
    block = node.next_in_bucket;
  }
  return block;
}

int PrefixTree::match(Salt salt, Tokens tokens, BlockTable& table) const {
  CHECK(table.size() == 0);
  int32_t parent = kNone;
  int covered = 0;
  for (; tokens.size() >= kKvBlockTokens; tokens = tokens.subspan(kKvBlockTokens)) {
    const int32_t block = find(parent, salt, tokens.first(kKvBlockTokens));
    if (block == kNone) break;
    table.adopt(pool_, block);
    covered += kKvBlockTokens;
    parent = block;
  }
  return covered;
}

int PrefixTree::insert(Salt salt, Tokens tokens, int first, BlockTable& table) {
  const int whole = static_cast<int>(tokens.size()) / kKvBlockTokens;
  CHECK(whole <= table.size());
  for (int i = first; i < whole; ++i) {
    const int32_t parent = i == 0 ? kNone : table.blocks()[static_cast<size_t>(i) - 1];
    // What it continues may have been forgotten since, where a fork outlived its twin's block.
    if (parent != kNone && !pool_.is_kept(parent)) return i;
    const Tokens own = tokens.subspan(static_cast<size_t>(i) * kKvBlockTokens, kKvBlockTokens);
    const int32_t known = find(parent, salt, own);
    if (known == kNone)
      add(table.blocks()[static_cast<size_t>(i)], parent, salt, own);
    else if (known != table.blocks()[static_cast<size_t>(i)])
      table.replace(pool_, i, known);
  }
  return std::max(first, whole);
}

void PrefixTree::add(int32_t block, int32_t parent, Salt salt, Tokens tokens) {
  CHECK(!pool_.is_kept(block));
  Node& node = nodes_[static_cast<size_t>(block)];
  node = {.salt = salt, .parent = parent, .bucket = bucket(parent, salt, tokens)};
  node.next_in_bucket = std::exchange(buckets_[node.bucket], block);
  std::ranges::copy(tokens, tokens_.begin() + int64_t{block} * kKvBlockTokens);
  if (parent != kNone) {
    Node& above = nodes_[static_cast<size_t>(parent)];
    node.next_sibling = std::exchange(above.first_child, block);
    if (node.next_sibling != kNone)
      nodes_[static_cast<size_t>(node.next_sibling)].previous_sibling = block;
  }
  pool_.keep(block);
  ++size_;
}

void PrefixTree::unlink(int32_t block) {
  const Node& node = nodes_[static_cast<size_t>(block)];
  int32_t* place = &buckets_[node.bucket];
  while (*place != block) place = &nodes_[static_cast<size_t>(*place)].next_in_bucket;
  *place = node.next_in_bucket;
  if (node.previous_sibling != kNone)
    nodes_[static_cast<size_t>(node.previous_sibling)].next_sibling = node.next_sibling;
  else if (node.parent != kNone)
    nodes_[static_cast<size_t>(node.parent)].first_child = node.next_sibling;
  if (node.next_sibling != kNone)
    nodes_[static_cast<size_t>(node.next_sibling)].previous_sibling = node.previous_sibling;
  --size_;
}

// With all that continues it: nobody could find those any more.
void PrefixTree::forget(int32_t top) {
  for (int32_t block = top;;) {
    const Node& node = nodes_[static_cast<size_t>(block)];
    if (node.first_child != kNone) {
      block = node.first_child;
      continue;
    }
    const int32_t parent = node.parent;
    unlink(block);
    pool_.drop(block);
    if (block == top) return;
    block = parent;
  }
}

std::string PrefixTree::check() const {
  int found = 0;
  for (size_t b = 0; b < buckets_.size(); ++b)
    for (int32_t block = buckets_[b]; block != kNone;
         block = nodes_[static_cast<size_t>(block)].next_in_bucket) {
      const Node& node = nodes_[static_cast<size_t>(block)];
      ++found;
      if (!pool_.is_kept(block)) return fmt::format("block {} is in the tree and not kept", block);
      if (node.bucket != b) return fmt::format("block {} is in another bucket", block);
      if (node.parent != kNone && !pool_.is_kept(node.parent))
        return fmt::format("block {} continues block {}, which is not kept", block, node.parent);
      if (find(node.parent, node.salt, tokens_of(block)) != block)
        return fmt::format("block {} is not found by its tokens", block);
    }
  if (found != size_) return fmt::format("{} blocks in the tree, the count is {}", found, size_);
  return {};
}

}  // namespace aictl::inference
