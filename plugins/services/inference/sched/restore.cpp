// Blocks that come from elsewhere and go elsewhere: what a disk tier reads is put where a prompt
// will find it, and what sequences leave behind is handed out to be kept.
#include <algorithm>

#include "plugins/services/inference/sched/scheduler.hpp"

namespace aictl::inference {

// Nothing is held from call to call, so a sequence that runs never lacks a block because of this.
int Scheduler::visit_prefix(Salt salt, std::span<const int32_t> tokens, int first,
                            const BlockVisitor& visit) {
  BlockTable table;
  const int covered = prefixes_.match(salt, tokens, table) / kKvBlockTokens;
  for (int i = first; i < covered; ++i) visit(i, table.blocks()[static_cast<size_t>(i)]);
  table.release(pool_);
  return covered;
}

int Scheduler::restore(Salt salt, std::span<const int32_t> tokens, int first,
                       const BlockVisitor& fill) {
  BlockTable table;
  const int known = prefixes_.match(salt, tokens, table) / kKvBlockTokens;
  // Each running sequence keeps the block it may need next, and those that lie idle are reused.
  const int room = pool_.free() - static_cast<int>(running_.size());
  const int wanted = static_cast<int>(tokens.size()) / kKvBlockTokens;
  const int end = std::min(wanted, known + std::max(0, room));
  int reached = known;
  if (known >= first && end > known && table.grow(pool_, end * kKvBlockTokens)) {
    for (int i = known; i < end; ++i) fill(i, table.blocks()[static_cast<size_t>(i)]);
    reached = prefixes_.insert(salt, tokens.first(static_cast<size_t>(end) * kKvBlockTokens), known,
                               table);
  }
  table.release(pool_);
  return reached;
}

}  // namespace aictl::inference
