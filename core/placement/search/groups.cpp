#include "core/placement/search/groups.hpp"

#include <algorithm>
#include <bit>
#include <climits>

namespace aictl::placement {
namespace {

constexpr int kMaxCandidates = 20'000;
constexpr int kMaxSwaps = 200;

int order(double a, double b) { return a < b ? -1 : a > b ? 1 : 0; }

GpuMask bit(int gpu) { return GpuMask{1} << gpu; }

// GPU `in`, which is free or another group's, takes the place of `out` in group `at`.
std::vector<GpuMask> swapped(std::vector<GpuMask> groups, size_t at, int out, int in) {
  for (GpuMask& group : groups)
    if (group >> in & 1) group = (group & ~bit(in)) | bit(out);
  groups[at] = (groups[at] & ~bit(out)) | bit(in);
  return groups;
}

}  // namespace

std::pair<int, GroupTerm> GroupScore::against(const GroupScore& other) const {
  if (int c = order(other.worst_rank, worst_rank)) return {c, GroupTerm::kWorstLink};
  if (int c = order(other.rank_sum, rank_sum)) return {c, GroupTerm::kLinks};
  if (int c = order(fragmentation, other.fragmentation)) return {c, GroupTerm::kFragmentation};
  if (int c = order(domains, other.domains)) return {c, GroupTerm::kNuma};
  if (int c = order(nic_distance + far_from_disk, other.nic_distance + other.far_from_disk))
    return {c, GroupTerm::kDistance};
  if (indexes == other.indexes) return {0, GroupTerm::kNone};
  return {indexes < other.indexes ? -1 : 1, GroupTerm::kIndex};
}

// The state of one exact search.
struct GroupSearch::Walk {
  GpuMask free, far;
  int size, count;
  std::vector<GpuMask> groups;
  int offers = 0;
  GroupChoice best;
  const GroupScore* winner = nullptr;  // known already: those that lost to it are kept
  std::map<GroupTerm, GroupRunner> runners;
};

GroupSearch::GroupSearch(const LinkTable& links, GpuMask fit)
    : links_(links), fragmentation_(links, fit), twins_(size_t(links.size())) {
  for (int a = 0; a < links.size(); ++a)
    for (int b = 0; b < links.size(); ++b) {
      bool same = links.domains(bit(a) | bit(b)) == 1 &&
                  links.nic_distance(bit(a)) == links.nic_distance(bit(b)) &&
                  (fit >> a & 1) == (fit >> b & 1);
      for (int c = 0; same && c < links.size(); ++c)
        same = c == a || c == b || links.at(a, c).rank == links.at(b, c).rank;
      if (a == b || same) twins_[size_t(a)] |= bit(b);
    }
}

GroupSearch::Pairwise GroupSearch::pairwise(GpuMask group) const {
  Pairwise result{INT_MAX, 0};
  for (GpuMask rest = group; rest != 0; rest &= rest - 1) {
    const int a = std::countr_zero(rest);
    for (GpuMask others = rest & (rest - 1); others != 0; others &= others - 1) {
      const int rank = links_.at(a, std::countr_zero(others)).rank;
      result.worst = std::min(result.worst, rank);
      result.sum += rank;
    }
  }
  return result;
}

GroupScore GroupSearch::score(const std::vector<GpuMask>& groups, GpuMask free, GpuMask far) {
  GroupScore score;
  score.worst_rank = INT_MAX;
  GpuMask taken = 0;
  for (GpuMask group : groups) {
    const Pairwise pairs = pairwise(group);
    score.worst_rank = std::min(score.worst_rank, pairs.worst);
    score.rank_sum += pairs.sum;
    score.domains += links_.domains(group);
    score.nic_distance += links_.nic_distance(group);
    taken |= group;
  }
  score.far_from_disk = std::popcount(taken & far);
  score.fragmentation = fragmentation_.loss(free, free & ~taken);
  score.indexes = gpus_of(taken);
  return score;
}

GroupScore GroupSearch::link_score(const std::vector<GpuMask>& groups) const {
  GroupScore score;
  score.worst_rank = INT_MAX;
  for (GpuMask group : groups) {
    const Pairwise pairs = pairwise(group);
    score.worst_rank = std::min(score.worst_rank, pairs.worst);
    score.rank_sum += pairs.sum;
  }
  return score;
}

void GroupSearch::offer_runner(Walk& walk) {
  GroupScore score = link_score(walk.groups);  // the cheap terms first
  auto [order, term] = score.against(*walk.winner);
  if (term > GroupTerm::kLinks) {
    score = this->score(walk.groups, walk.free, walk.far);
    std::tie(order, term) = score.against(*walk.winner);
  }
  if (order <= 0) return;
  const auto [at, fresh] = walk.runners.try_emplace(term);
  if (fresh || score.compare(at->second.score) < 0)
    at->second = {walk.groups, term, std::move(score)};
}

bool GroupSearch::offer(Walk& walk) {
  if (++walk.offers > kMaxCandidates) return false;
  if (walk.winner) {
    offer_runner(walk);
    return true;
  }
  if (!walk.best.groups.empty()) {  // the cheap terms first
    const GroupScore quick = link_score(walk.groups);
    const GroupScore& best = walk.best.score;
    if (quick.worst_rank < best.worst_rank ||
        (quick.worst_rank == best.worst_rank && quick.rank_sum < best.rank_sum))
      return true;
  }
  GroupScore full = score(walk.groups, walk.free, walk.far);
  if (walk.best.groups.empty() || full.compare(walk.best.score) < 0)
    walk.best = {walk.groups, std::move(full), true};
  return true;
}

// Groups begin at growing GPUs, so that an order of groups is met once.
bool GroupSearch::start_group(Walk& walk, GpuMask available, int from) {
  if (int(walk.groups.size()) == walk.count) return offer(walk);
  const int missing = walk.size * (walk.count - int(walk.groups.size()));
  for (GpuMask rest = available & (~GpuMask{0} << from); rest != 0; rest &= rest - 1) {
    const int gpu = std::countr_zero(rest);
    const GpuMask left = available & (~GpuMask{0} << gpu);
    if (std::popcount(left) < missing) break;
    if (available & twins_[size_t(gpu)] & (bit(gpu) - 1)) continue;  // a lower twin was tried
    if (!grow_group(walk, available & ~bit(gpu), bit(gpu), gpu)) return false;
  }
  return true;
}

bool GroupSearch::grow_group(Walk& walk, GpuMask available, GpuMask group, int last) {
  if (std::popcount(group) == walk.size) {
    walk.groups.push_back(group);
    const bool more = start_group(walk, available, std::countr_zero(group) + 1);
    walk.groups.pop_back();
    return more;
  }
  const GpuMask open = last >= 63 ? 0 : available & (~GpuMask{0} << (last + 1));
  for (GpuMask rest = open; rest != 0; rest &= rest - 1) {
    const int gpu = std::countr_zero(rest);
    if (open & twins_[size_t(gpu)] & (bit(gpu) - 1)) continue;
    if (!grow_group(walk, available & ~bit(gpu), group | bit(gpu), gpu)) return false;
  }
  return true;
}

// The best group that growing from some seed finds: at each step the GPU that is nearest to all.
GpuMask GroupSearch::greedy_group(GpuMask free, int size) {
  GpuMask best = 0;
  Pairwise best_pairs;
  for (int seed : gpus_of(free)) {
    GpuMask group = bit(seed);
    while (std::popcount(group) < size) {
      GpuMask grown = 0;
      Pairwise grown_pairs;
      for (int gpu : gpus_of(free & ~group)) {
        const Pairwise pairs = pairwise(group | bit(gpu));
        if (grown == 0 ||
            std::pair(pairs.worst, pairs.sum) > std::pair(grown_pairs.worst, grown_pairs.sum))
          grown = group | bit(gpu), grown_pairs = pairs;
      }
      group = grown;
    }
    const Pairwise pairs = pairwise(group);
    if (best == 0 ||
        std::pair(pairs.worst, pairs.sum) > std::pair(best_pairs.worst, best_pairs.sum))
      best = group, best_pairs = pairs;
  }
  return best;
}

bool GroupSearch::swap_once(GroupChoice& choice, GpuMask free, GpuMask far) {
  for (size_t i = 0; i < choice.groups.size(); ++i)
    for (int out : gpus_of(choice.groups[i]))
      for (int in : gpus_of(free & ~choice.groups[i])) {
        std::vector<GpuMask> groups = swapped(choice.groups, i, out, in);
        GroupScore better = score(groups, free, far);
        if (better.compare(choice.score) >= 0) continue;
        choice.groups = std::move(groups);
        choice.score = std::move(better);
        return true;
      }
  return false;
}

GroupChoice GroupSearch::greedy(GpuMask free, int size, int count, GpuMask far) {
  GroupChoice choice;
  choice.exact = false;
  GpuMask rest = free;
  for (int i = 0; i < count; ++i) {
    choice.groups.push_back(greedy_group(rest, size));
    rest &= ~choice.groups.back();
  }
  choice.score = score(choice.groups, free, far);
  for (int i = 0; i < kMaxSwaps && swap_once(choice, free, far); ++i) {
  }
  std::ranges::sort(choice.groups, {}, [](GpuMask group) { return std::countr_zero(group); });
  return choice;
}

const GroupChoice& GroupSearch::choose(GpuMask free, int size, int count, GpuMask far) {
  const auto [at, fresh] = known_.try_emplace(std::tuple(free, size, count, far));
  GroupChoice& choice = at->second;
  if (!fresh || size < 1 || count < 1 || std::popcount(free) < size * count) return choice;
  Walk walk{free, far, size, count, {}, 0, {}, nullptr, {}};
  const bool done = start_group(walk, free, 0);
  choice = done ? std::move(walk.best) : greedy(free, size, count, far);
  return choice;
}

std::vector<GroupRunner> GroupSearch::runners_up(GpuMask free, int size, int count, GpuMask far) {
  const GroupChoice& winner = choose(free, size, count, far);
  Walk walk{free, far, size, count, {}, 0, {}, &winner.score, {}};
  if (winner.exact && !winner.groups.empty()) start_group(walk, free, 0);
  for (size_t i = 0; !winner.exact && i < winner.groups.size(); ++i)
    for (int out : gpus_of(winner.groups[i]))
      for (int in : gpus_of(free & ~winner.groups[i])) {
        walk.groups = swapped(winner.groups, i, out, in);
        offer_runner(walk);
      }
  std::vector<GroupRunner> runners;
  for (auto& [term, runner] : walk.runners) runners.push_back(std::move(runner));
  return runners;
}

}  // namespace aictl::placement
