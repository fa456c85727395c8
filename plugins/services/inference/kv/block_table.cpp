// Growth, forks and copy on write of a sequence's blocks.
#include "plugins/services/inference/kv/block_table.hpp"

#include <algorithm>

#include "core/base/check.hpp"

namespace aictl::inference {

int BlockTable::missing(int tokens) const { return std::max(0, blocks_for(tokens) - size()); }

bool BlockTable::grow(BlockPool& pool, int tokens) {
  const int more = missing(tokens);
  if (more > pool.free()) return false;
  for (int i = 0; i < more; ++i) blocks_.push_back(*pool.take());
  return true;
}

bool BlockTable::is_shared(const BlockPool& pool, int position) const {
  const auto index = static_cast<size_t>(position / kKvBlockTokens);
  return index < blocks_.size() && pool.refs(blocks_[index]) > 1;
}

BlockCopy BlockTable::unshare(BlockPool& pool, int position) {
  int32_t& block = blocks_.at(static_cast<size_t>(position / kKvBlockTokens));
  const auto fresh = pool.take();
  CHECK(fresh.has_value());
  const BlockCopy copy{block, *fresh, position % kKvBlockTokens};
  pool.unref(block);
  block = *fresh;
  return copy;
}

BlockTable BlockTable::fork(BlockPool& pool) const {
  for (const int32_t block : blocks_) pool.ref(block);
  return *this;
}

void BlockTable::adopt(BlockPool& pool, int32_t block) {
  pool.ref(block);
  blocks_.push_back(block);
}

void BlockTable::replace(BlockPool& pool, int index, int32_t block) {
  int32_t& mine = blocks_.at(static_cast<size_t>(index));
  pool.ref(block);
  pool.unref(mine);
  mine = block;
}

void BlockTable::release(BlockPool& pool) {
  while (!blocks_.empty()) {
    pool.unref(blocks_.back());
    blocks_.pop_back();
  }
}

}  // namespace aictl::inference
