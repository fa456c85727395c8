// Which GPUs work together: disjoint groups for the replicas of a model on one host.
#pragma once

#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "core/placement/search/fragmentation.hpp"
#include "core/placement/search/links.hpp"

namespace aictl::placement {

/// The terms that decide between groups, in order.
enum class GroupTerm { kWorstLink, kLinks, kFragmentation, kNuma, kDistance, kIndex, kNone };

/// What decides between two choices, in order: terms 4 to 8 of the objective.
struct GroupScore {
  int worst_rank = 0;  // of all pairs that work together: more is nearer
  int rank_sum = 0;    // over those pairs
  double fragmentation = 0;
  int domains = 0;  // summed over groups
  int nic_distance = 0;
  int far_from_disk = 0;     // GPUs on another memory node than the weights' disk
  std::vector<int> indexes;  // of the GPUs, sorted

  /// -1 when this is better, 1 when worse, 0 when equal, and the term that says so; terms in the
  /// order above.
  std::pair<int, GroupTerm> against(const GroupScore& other) const;
  int compare(const GroupScore& other) const { return against(other).first; }
};

struct GroupChoice {
  std::vector<GpuMask> groups;  // by their lowest GPU; empty: there are too few GPUs
  GroupScore score;
  bool exact = true;  // all candidates were looked at
};

/// A choice that lost to another.
struct GroupRunner {
  std::vector<GpuMask> groups;
  GroupTerm term = GroupTerm::kNone;  // the first on which it lost
  GroupScore score;                   // where it lost on links, links only
};

/// Chooses groups on one host; remembers what it was asked. Candidates that differ by GPUs nobody
/// can tell apart count once. Exact up to 20,000 candidates, else greedy from every seed, improved
/// by swapping pairs.
class GroupSearch {
 public:
  GroupSearch(const LinkTable& links, GpuMask fit);

  /// `far`: GPUs that are far from the disk the weights come from.
  const GroupChoice& choose(GpuMask free, int size, int count, GpuMask far = 0);
  GroupScore score(const std::vector<GpuMask>& groups, GpuMask free, GpuMask far = 0);
  /// The best of those that lost to what `choose` answers, for each term on which any lost first,
  /// in the terms' order. Looks at all candidates, or, where the search was not exact, at those
  /// that differ by one swap.
  std::vector<GroupRunner> runners_up(GpuMask free, int size, int count, GpuMask far = 0);

 private:
  struct Pairwise {
    int worst = 0, sum = 0;
  };
  struct Walk;

  Pairwise pairwise(GpuMask group) const;
  bool start_group(Walk& walk, GpuMask available, int from);
  bool grow_group(Walk& walk, GpuMask available, GpuMask group, int last);
  bool offer(Walk& walk);
  void offer_runner(Walk& walk);
  GroupScore link_score(const std::vector<GpuMask>& groups) const;
  GroupChoice greedy(GpuMask free, int size, int count, GpuMask far);
  GpuMask greedy_group(GpuMask free, int size);
  bool swap_once(GroupChoice& choice, GpuMask free, GpuMask far);

  const LinkTable& links_;
  Fragmentation fragmentation_;
  std::vector<GpuMask> twins_;  // of each GPU: those it can be exchanged with, itself included
  std::map<std::tuple<GpuMask, int, int, GpuMask>, GroupChoice> known_;
};

}  // namespace aictl::placement
