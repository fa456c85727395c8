// BlockPool: which KV blocks are free, and how many sequences hold each of the others. It hands out
// numbers; the memory behind them is the backend's. A block may be kept when nobody holds it any
// more: it then lies idle, with its contents, until somebody holds it again or it is needed.
#pragma once

#include <cstdint>
#include <functional>
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
  /// Blocks take() can still give: empty ones and idle ones.
  int free() const { return static_cast<int>(free_.size()) + idle_; }
  int used() const { return total() - free(); }
  /// Blocks nobody holds whose contents are kept.
  int idle() const { return idle_; }

  /// A free block, now held once; nullopt when there is none. When all that are left are idle, the
  /// one that has been so for longest loses its contents: `on_reuse` is told.
  std::optional<int32_t> take();
  /// Holds a block that is held already, or idle, once more.
  void ref(int32_t block);
  /// Gives up one hold; the last one frees the block, or leaves it idle.
  void unref(int32_t block);
  int refs(int32_t block) const { return refs_[static_cast<size_t>(block)]; }

  /// From now on the contents of a held block are kept, or no longer kept.
  void keep(int32_t block);
  void drop(int32_t block);
  bool is_kept(int32_t block) const { return kept_[static_cast<size_t>(block)] != 0; }
  /// Called by take() with an idle block it is about to hand out, no longer kept.
  void on_reuse(std::function<void(int32_t)> told) { told_ = std::move(told); }

  /// Compares the books with `tables`, every block table there is: each block is free, idle or
  /// held, never two of these, and held as often as tables name it. Returns what is wrong, or an
  /// empty string. For tests: it allocates.
  std::string check(std::span<const std::span<const int32_t>> tables) const;

 private:
  void append_idle(int32_t block);
  void remove_idle(int32_t block);

  std::vector<int32_t> refs_;  // holders of each block; 0: free or idle
  std::vector<int32_t> free_;  // a stack: the block freed last is the warmest
  std::vector<uint8_t> kept_;
  // The idle blocks in the order they became so: a list through `next_` and `previous_`, whose
  // entry total() is the head.
  std::vector<int32_t> next_, previous_;
  int idle_ = 0;
  std::function<void(int32_t)> told_;
};

}  // namespace aictl::inference
