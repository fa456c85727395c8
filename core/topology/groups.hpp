// Groups of GPUs for tensor parallelism: which k of them are closest to each other.
#pragma once

#include <span>
#include <vector>

#include "core/topology/topology.hpp"
#include "core/value/json.hpp"

namespace aictl::topology {

/// A link's place among links: a direct one beats any way over PCI Express, more strands beat
/// fewer; 0: unknown.
int rank_of(Level level, int count);

/// What decides between two groups, in order: worst pair, sum of pairs, NUMA domains spanned.
struct GroupKey {
  Level worst = Level::kSelf;
  int worst_count = 0;   // direct links of the worst pair when it is kNv
  double sum = 0;        // over pairs, by rank: more is better
  int numa_domains = 0;  // fewer is better
};

struct BestGroups {
  int size = 0;
  std::string worst_link;                // "NV2", "SYS"
  std::vector<std::vector<int>> groups;  // all that are equally good, each sorted, in order
};

/// The best groups of `size` GPUs out of `among` (indexes). Exact while there are at most 20,000
/// candidates, else greedy from every seed with pair swaps. Empty when there are too few.
BestGroups best_groups(const Topology& topology, int size, std::span<const int> among);

/// What `topo matrix -o json` shows: gpu[], nics[], gpu_links[][], nvlink_full_mesh,
/// nvlink_uniform, best_tp_groups, as the expected files of nvidia-smi tables carry them; numbers
/// of GB/s and their source beside.
Json matrix_json(const Topology& topology, std::span<const int> gpus);

}  // namespace aictl::topology
