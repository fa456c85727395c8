// The books of the KV blocks.
#include "plugins/services/inference/kv/block_pool.hpp"

#include <fmt/format.h>

#include "core/base/check.hpp"

namespace aictl::inference {

BlockPool::BlockPool(int blocks) : refs_(static_cast<size_t>(blocks), 0) {
  free_.reserve(refs_.size());
  for (int block = blocks - 1; block >= 0; --block) free_.push_back(block);
}

std::optional<int32_t> BlockPool::take() {
  if (free_.empty()) return std::nullopt;
  const int32_t block = free_.back();
  free_.pop_back();
  refs_[static_cast<size_t>(block)] = 1;
  return block;
}

void BlockPool::ref(int32_t block) {
  CHECK(refs_.at(static_cast<size_t>(block)) > 0);
  ++refs_[static_cast<size_t>(block)];
}

void BlockPool::unref(int32_t block) {
  CHECK(refs_.at(static_cast<size_t>(block)) > 0);
  if (--refs_[static_cast<size_t>(block)] == 0) free_.push_back(block);
}

std::string BlockPool::check(std::span<const std::span<const int32_t>> tables) const {
  std::vector<int32_t> held(refs_.size(), 0);
  for (const auto table : tables)
    for (const int32_t block : table) {
      if (block < 0 || block >= total()) return fmt::format("a table names block {}", block);
      ++held[static_cast<size_t>(block)];
    }
  std::vector<char> listed(refs_.size(), 0);
  for (const int32_t block : free_) {
    if (block < 0 || block >= total()) return fmt::format("the free list names block {}", block);
    if (listed[static_cast<size_t>(block)]++) return fmt::format("block {} is free twice", block);
  }
  for (size_t block = 0; block < refs_.size(); ++block) {
    if (held[block] != refs_[block])
      return fmt::format("block {} counts {} holders, tables name it {} times", block, refs_[block],
                         held[block]);
    if ((refs_[block] == 0) != (listed[block] != 0))
      return fmt::format("block {} has {} holders and is {}", block, refs_[block],
                         listed[block] ? "in the free list" : "not in the free list");
  }
  return {};
}

}  // namespace aictl::inference
