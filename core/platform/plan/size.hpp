// Sizes one model on one kind of machine: how it is cut, what it takes, how long it loads.
#pragma once

#include "core/base/result.hpp"
#include "core/placement/plan/host.hpp"
#include "core/platform/plan/planner.hpp"

namespace aictl::platform {

/// A pool made ready for sizing.
struct Site {
  explicit Site(const PlannedPool& pool);

  const PlannedPool& pool;  // outlives this
  placement::Host host;     // one node of it
  int cores = 0;            // that a node can give
  double memory = 0;        // bytes of a node; 0: unknown
  int gpus = 0;             // fit for use, of a node
};

/// Share of a GPU's memory that is used: what `--gpu-memory-utilization` says.
inline constexpr double kGpuShare = 0.90;

/// The share of host memory that workloads get.
inline constexpr double kHostShare = 0.90;

/// The model on a node of `site`, all but its CPUs where it has no GPU. Errors: kDataRefused with
/// the arithmetic when a replica does not fit there.
Result<PlannedModel> size_model(const ModelEntry& entry, const placement::ModelShape& shape,
                                Site& site, const Storage& storage, bool on_gpus);

}  // namespace aictl::platform
