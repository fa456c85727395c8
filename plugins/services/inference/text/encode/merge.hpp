// The loop both vocabularies share: of all neighbouring symbols that may merge, the best pair does,
// until none is left; of equals the leftmost. O(n) a merge for short texts, where everything is in
// a cache line or two, O(log n) for long ones.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace aictl {

/// A stretch of text, from `begin` to the next symbol's `begin`.
struct Symbol {
  uint32_t begin = 0;
  uint32_t id = 0;      // the caller's
  uint32_t rank = 0;    // of merging it with the next one; kNoMerge: never
  uint32_t merged = 0;  // the id that would have
};

inline constexpr uint32_t kNoMerge = 0xFFFFFFFF;

/// Answer to "may these two merge": the lowest rank goes first.
struct MergeRank {
  uint32_t rank = kNoMerge;
  uint32_t merged = 0;
};

/// Scratch space for one text at a time; keeps its memory from one to the next.
class Merger {
 public:
  void clear() { symbols_.clear(); }
  void add(uint32_t begin, uint32_t id) { symbols_.push_back({begin, id, kNoMerge, 0}); }
  std::span<const Symbol> symbols() const { return symbols_; }

  /// Merges as far as possible. `rank_of(left, right, end)` gives the rank of two neighbours, `end`
  /// being where the right one ends; `text_end` is where the last one does.
  template <typename RankOf>
  void run(uint32_t text_end, const RankOf& rank_of) {
    if (symbols_.size() <= kShort)
      run_short(text_end, rank_of);
    else
      run_long(text_end, rank_of);
  }

 private:
  static constexpr size_t kShort = 48;

  static void set_rank(Symbol& symbol, MergeRank rank) {
    symbol.rank = rank.rank;
    symbol.merged = rank.merged;
  }

  template <typename RankOf>
  void run_short(uint32_t text_end, const RankOf& rank_of) {
    auto& s = symbols_;
    const auto update = [&](size_t i) {
      if (i + 1 >= s.size()) return set_rank(s[i], {});
      set_rank(s[i], rank_of(s[i], s[i + 1], i + 2 < s.size() ? s[i + 2].begin : text_end));
    };
    for (size_t i = 0; i < s.size(); ++i) update(i);
    while (s.size() > 1) {
      const auto best = std::ranges::min_element(s, {}, &Symbol::rank);
      if (best->rank == kNoMerge) return;
      best->id = best->merged;
      const auto at = static_cast<size_t>(best - s.begin());
      s.erase(best + 1);
      update(at);
      if (at > 0) update(at - 1);
    }
  }

  // A heap of (rank, position) whose entries may be out of date, over a doubly linked list.
  template <typename RankOf>
  void run_long(uint32_t text_end, const RankOf& rank_of) {
    auto& s = symbols_;
    const auto count = static_cast<uint32_t>(s.size());
    const auto update = [&](uint32_t i) {
      const uint32_t right = next_[i];
      if (right == count) return set_rank(s[i], {});
      const uint32_t after = next_[right];
      set_rank(s[i], rank_of(s[i], s[right], after == count ? text_end : s[after].begin));
    };
    const auto entry = [&](uint32_t i) { return uint64_t{s[i].rank} << 32 | i; };
    link(count);
    for (uint32_t i = 0; i < count; ++i) {
      update(i);
      if (s[i].rank != kNoMerge) heap_.push_back(entry(i));
    }
    std::ranges::make_heap(heap_, std::greater<>());
    const auto requeue = [&](uint32_t i) {
      update(i);
      if (s[i].rank == kNoMerge) return;
      heap_.push_back(entry(i));
      std::ranges::push_heap(heap_, std::greater<>());
    };
    while (!heap_.empty()) {
      const uint64_t best = heap_.front();
      std::ranges::pop_heap(heap_, std::greater<>());
      heap_.pop_back();
      const auto i = static_cast<uint32_t>(best);
      if (s[i].rank != best >> 32) continue;  // merged away, or its neighbour has changed
      s[i].id = s[i].merged;
      const uint32_t gone = next_[i];
      s[gone].rank = kNoMerge;
      next_[i] = next_[gone];
      if (next_[i] != count) previous_[next_[i]] = i;
      requeue(i);
      if (i != 0) requeue(previous_[i]);
    }
    compact(count);
  }

  void link(uint32_t count) {
    heap_.clear();
    next_.resize(count);
    previous_.resize(count);
    for (uint32_t i = 0; i < count; ++i) {
      next_[i] = i + 1;
      previous_[i] = i - 1;
    }
  }

  void compact(uint32_t count) {
    size_t kept = 0;
    for (uint32_t i = 0; i < count; i = next_[i]) symbols_[kept++] = symbols_[i];
    symbols_.resize(kept);
  }

  std::vector<Symbol> symbols_;
  std::vector<uint32_t> next_, previous_;
  std::vector<uint64_t> heap_;
};

}  // namespace aictl
