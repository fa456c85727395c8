// Candidates of section 9: the ways to cut a model and lay it on a host, each priced or rejected.
#pragma once

#include <vector>

#include "core/placement/plan/host.hpp"

namespace aictl::placement {

struct Options {
  std::vector<Option> fitting;
  std::vector<Rejected> rejected;  // those that have no room, or that the model's shape forbids
};

/// The context a model is planned with.
int64_t planned_context(const PlanRequest& request, const ModelShape& shape);

/// Ways on at most `quota` of the host's free GPUs; `concurrency` sequences over all of its kind.
Options gpu_options(Host& host, const PlanRequest& request, const ModelShape& shape, int quota,
                    int concurrency);

/// Ways on memory nodes: a replica a node, or layers split over nodes where one is too small.
Options cpu_options(const Host& host, const PlanRequest& request, const ModelShape& shape,
                    int concurrency);

/// The fewest GPUs with which the model fits a host; 0: with none.
int least_gpus(Host& host, const PlanRequest& request, const ModelShape& shape, int concurrency);

}  // namespace aictl::placement
