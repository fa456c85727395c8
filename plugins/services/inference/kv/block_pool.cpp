// The books of the KV blocks.
#include "plugins/services/inference/kv/block_pool.hpp"

#include <fmt/format.h>

#include "core/base/check.hpp"

namespace aictl::inference {

BlockPool::BlockPool(int blocks)
    : refs_(static_cast<size_t>(blocks), 0),
      kept_(refs_.size(), 0),
      next_(refs_.size() + 1, blocks),
      previous_(refs_.size() + 1, blocks) {
  free_.reserve(refs_.size());
  for (int block = blocks - 1; block >= 0; --block) free_.push_back(block);
}

std::optional<int32_t> BlockPool::take() {
  int32_t block;
  if (!free_.empty()) {
    block = free_.back();
    free_.pop_back();
  } else if (idle_ > 0) {
    block = next_.back();
    remove_idle(block);
    kept_[static_cast<size_t>(block)] = 0;
    if (told_) told_(block);
  } else {
    return std::nullopt;
  }
  refs_[static_cast<size_t>(block)] = 1;
  return block;
}

void BlockPool::ref(int32_t block) {
  int32_t& refs = refs_.at(static_cast<size_t>(block));
  if (refs == 0) {
    CHECK(is_kept(block));
    remove_idle(block);
  }
  ++refs;
}

void BlockPool::unref(int32_t block) {
  int32_t& refs = refs_.at(static_cast<size_t>(block));
  CHECK(refs > 0);
  if (--refs > 0) return;
  if (is_kept(block))
    append_idle(block);
  else
    free_.push_back(block);
}

void BlockPool::keep(int32_t block) {
  CHECK(refs_.at(static_cast<size_t>(block)) > 0);
  kept_[static_cast<size_t>(block)] = 1;
}

void BlockPool::drop(int32_t block) {
  if (!is_kept(block)) return;
  kept_[static_cast<size_t>(block)] = 0;
  if (refs(block) > 0) return;
  remove_idle(block);
  free_.push_back(block);
}

void BlockPool::append_idle(int32_t block) {
  const auto b = static_cast<size_t>(block);
  const int32_t last = previous_.back();
  next_[b] = total();
  previous_[b] = last;
  next_[static_cast<size_t>(last)] = block;
  previous_.back() = block;
  ++idle_;
}

void BlockPool::remove_idle(int32_t block) {
  const auto b = static_cast<size_t>(block);
  next_[static_cast<size_t>(previous_[b])] = next_[b];
  previous_[static_cast<size_t>(next_[b])] = previous_[b];
  --idle_;
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
    if (is_kept(block)) return fmt::format("block {} is kept and in the free list", block);
  }
  int idle = 0;
  for (int32_t block = next_.back(); block != total(); block = next_[static_cast<size_t>(block)]) {
    if (listed[static_cast<size_t>(block)]++) return fmt::format("block {} is idle twice", block);
    if (!is_kept(block)) return fmt::format("block {} is idle and not kept", block);
    ++idle;
  }
  if (idle != idle_) return fmt::format("{} blocks are idle, the count is {}", idle, idle_);
  for (size_t block = 0; block < refs_.size(); ++block) {
    if (held[block] != refs_[block])
      return fmt::format("block {} counts {} holders, tables name it {} times", block, refs_[block],
                         held[block]);
    if ((refs_[block] == 0) != (listed[block] != 0))
      return fmt::format("block {} has {} holders and is {}", block, refs_[block],
                         listed[block] ? "listed as free" : "not listed as free");
  }
  return {};
}

}  // namespace aictl::inference
