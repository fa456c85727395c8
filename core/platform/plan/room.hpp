// What a pool's nodes have left as replicas are laid on them.
#pragma once

#include <vector>

#include "core/platform/plan/size.hpp"

namespace aictl::platform {

/// A pool as bins: first fit, the largest first, so that what fits on paper fits on nodes.
class Room {
 public:
  explicit Room(const Site& site);

  /// Takes one replica; false when no node, or too few nodes, have room for it.
  bool take(const PlannedModel& model);
  int free_gpus() const;
  double free_memory() const;

 private:
  bool knows_memory_;
  std::vector<int> gpus_;       // of each node, free
  std::vector<double> memory_;  // bytes
};

/// Lays every replica of `models` (all of one pool). Errors: kDataRefused with the sum of what is
/// wanted, what there is, and the model that found no room.
Result<void> lay_replicas(const Site& site, const std::vector<const PlannedModel*>& models,
                          std::vector<std::string>& notes);

/// Divides the processors of a node between the models that compute on them: fills `cpus`.
/// Errors: kDataRefused when a model wants more than a node has.
Result<void> share_cpus(const Site& site, const std::vector<PlannedModel*>& models);

}  // namespace aictl::platform
