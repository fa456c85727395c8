// What a workload gets because of what it is written down with.
#pragma once

#include "core/platform/generate/cluster/cluster.hpp"

namespace aictl::platform {

/// Completes the variables of a workload: labels and annotations of its object and its pods, whom
/// it may reach, which of `weights` (as platform_variables lists them) it waits for.
void decorate(const Cluster& cluster, const Workload& workload, const Json& weights,
              Json& variables);

/// What the agent on each node is given: images to pull ahead, volumes to touch.
Json agent_variables(const Cluster& cluster, const Json& workloads);

/// Renders the pod of each workload into its variable `key`, and its container alone into
/// `key`_container, in a target's style. Errors: as render_template.
Result<void> add_pods(const RenderRequest& request, const Json& style, const std::string& key,
                      Json& variables);

/// `style` over what a plain Kubernetes pod has.
Json pod_style(const Json& style);

}  // namespace aictl::platform
