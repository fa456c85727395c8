#include "core/topology/groups.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace aictl::topology {

int rank_of(Level level, int count) {
  switch (level) {
    case Level::kNv:
      return 10 + count;
    case Level::kPix:
      return 5;
    case Level::kPxb:
      return 4;
    case Level::kPhb:
      return 3;
    case Level::kNode:
      return 2;
    case Level::kSys:
      return 1;
    default:
      return 0;
  }
}

namespace {

constexpr uint64_t kMaxCandidates = 20000;
constexpr size_t kMaxGreedyGroups = 64;

/// The GPUs under consideration, by position: ranks of all pairs and the NUMA domain of each.
class Board {
 public:
  Board(const Topology& topology, std::span<const int> among)
      : gpus_(among.begin(), among.end()),
        ranks_(among.size() * among.size()),
        links_(ranks_.size()) {
    std::map<std::string, int> domains;
    for (int gpu : gpus_) {
      const Gpu& one = topology.gpus[gpu];
      const std::string place =
          one.nodeset.empty() ? "cpus " + one.cpuset.list() : one.nodeset.list();
      domains_.push_back(domains.try_emplace(place, int(domains.size())).first->second);
    }
    std::map<std::string, int> position;
    for (size_t i = 0; i < gpus_.size(); ++i) position["gpu" + std::to_string(gpus_[i])] = int(i);
    for (const Link& link : topology.links) {
      const auto a = position.find(link.a), b = position.find(link.b);
      if (a == position.end() || b == position.end()) continue;
      for (size_t cell : {a->second * size() + b->second, b->second * size() + a->second}) {
        ranks_[cell] = rank_of(link.level, link.count);
        links_[cell] = &link;
      }
    }
  }

  size_t size() const { return gpus_.size(); }
  int gpu(int position) const { return gpus_[position]; }
  int rank(int a, int b) const { return ranks_[a * size() + b]; }

  /// `group` is positions.
  GroupKey key(std::span<const int> group) const {
    GroupKey key;
    const Link* worst = nullptr;
    int worst_rank = INT32_MAX;
    for (size_t i = 0; i < group.size(); ++i)
      for (size_t j = i + 1; j < group.size(); ++j) {
        const size_t cell = group[i] * size() + group[j];
        key.sum += ranks_[cell];
        if (ranks_[cell] >= worst_rank) continue;
        worst_rank = ranks_[cell];
        worst = links_[cell];
      }
    if (worst_rank != INT32_MAX) {
      key.worst = worst == nullptr ? Level::kUnknown : worst->level;
      key.worst_count = worst == nullptr ? 0 : worst->count;
    }
    for (size_t i = 0; i < group.size(); ++i) {
      const auto same = [&](int other) { return domains_[other] == domains_[group[i]]; };
      key.numa_domains += std::none_of(group.begin(), group.begin() + i, same) ? 1 : 0;
    }
    return key;
  }

  std::string worst_word(std::span<const int> group) const {
    const GroupKey key = this->key(group);
    Link link;
    for (const Link* one : links_)
      if (one != nullptr && one->level == key.worst && one->count == key.worst_count) link = *one;
    link.level = key.worst;
    return link.word();
  }

 private:
  std::vector<int> gpus_, domains_;
  std::vector<int> ranks_;          // [n, n]
  std::vector<const Link*> links_;  // [n, n]; null: no link known
};

/// Whether `a` is strictly better than `b`.
bool better(const GroupKey& a, const GroupKey& b) {
  const int left = rank_of(a.worst, a.worst_count), right = rank_of(b.worst, b.worst_count);
  if (left != right) return left > right;
  if (a.sum != b.sum) return a.sum > b.sum;
  return a.numa_domains < b.numa_domains;
}

/// Keeps the best groups offered to it.
struct Best {
  GroupKey key;
  std::set<std::vector<int>> groups;

  void offer(const GroupKey& offered, const std::vector<int>& group) {
    if (!groups.empty() && better(key, offered)) return;
    if (groups.empty() || better(offered, key)) {
      groups.clear();
      key = offered;
    }
    groups.insert(group);
  }
};

/// n over k, or more than kMaxCandidates when it is larger.
uint64_t candidates(uint64_t n, uint64_t k) {
  uint64_t count = 1;
  for (uint64_t i = 1; i <= std::min(k, n - k); ++i) {
    count = count * (n - i + 1) / i;
    if (count > kMaxCandidates) return count;
  }
  return count;
}

void search_all(const Board& board, int size, Best& best) {
  std::vector<int> group(size);
  std::iota(group.begin(), group.end(), 0);
  const int n = int(board.size());
  while (true) {
    best.offer(board.key(group), group);
    int at = size - 1;  // the last member that can still move up
    while (at >= 0 && group[at] == n - size + at) --at;
    if (at < 0) return;
    ++group[at];
    for (int i = at + 1; i < size; ++i) group[i] = group[i - 1] + 1;
  }
}

/// Adds, one at a time, the GPU that makes the best group.
std::vector<int> grow(const Board& board, int seed, int size) {
  std::vector<int> group = {seed};
  while (int(group.size()) < size) {
    std::optional<int> chosen;
    GroupKey chosen_key;
    for (int next = 0; next < int(board.size()); ++next) {
      if (std::find(group.begin(), group.end(), next) != group.end()) continue;
      group.push_back(next);
      const GroupKey key = board.key(group);
      group.pop_back();
      if (chosen && !better(key, chosen_key)) continue;
      chosen = next;
      chosen_key = key;
    }
    group.push_back(*chosen);
  }
  return group;
}

/// Swaps members for others as long as that helps; each swap is strictly better, so it ends.
void improve(const Board& board, std::vector<int>& group) {
  GroupKey key = board.key(group);
  for (bool moved = true; moved;) {
    moved = false;
    for (int& member : group)
      for (int other = 0; other < int(board.size()); ++other) {
        if (std::find(group.begin(), group.end(), other) != group.end()) continue;
        const int before = std::exchange(member, other);
        const GroupKey swapped = board.key(group);
        if (better(swapped, key)) {
          key = swapped;
          moved = true;
        } else {
          member = before;
        }
      }
  }
}

void search_greedily(const Board& board, int size, Best& best) {
  for (int seed = 0; seed < int(board.size()); ++seed) {
    std::vector<int> group = grow(board, seed, size);
    improve(board, group);
    std::sort(group.begin(), group.end());
    const GroupKey key = board.key(group);
    if (best.groups.size() < kMaxGreedyGroups || better(key, best.key)) best.offer(key, group);
  }
}

}  // namespace

BestGroups best_groups(const Topology& topology, int size, std::span<const int> among) {
  BestGroups result;
  result.size = size;
  if (size < 1 || size_t(size) > among.size()) return result;
  std::vector<int> sorted(among.begin(), among.end());
  std::sort(sorted.begin(), sorted.end());
  const Board board(topology, sorted);
  Best best;
  if (candidates(sorted.size(), size) <= kMaxCandidates)
    search_all(board, size, best);
  else
    search_greedily(board, size, best);
  result.worst_link = board.worst_word(*best.groups.begin());
  for (std::vector<int> group : best.groups) {
    for (int& member : group) member = board.gpu(member);
    result.groups.push_back(std::move(group));
  }
  return result;
}

}  // namespace aictl::topology
