// What the templates of some targets cannot work out by themselves.
#pragma once

#include "core/platform/generate/cluster/cluster.hpp"

namespace aictl::renderers {

Result<void> refine_kubernetes(const platform::Cluster& cluster, Json& variables);
Result<void> refine_topology(const platform::Cluster& cluster, Json& variables);
Result<void> refine_kueue(const platform::Cluster& cluster, Json& variables);
Result<void> refine_volcano(const platform::Cluster& cluster, Json& variables);
Result<void> refine_armada(const platform::Cluster& cluster, Json& variables);
Result<void> refine_gateway(const platform::Cluster& cluster, Json& variables);
Result<void> refine_kserve(const platform::Cluster& cluster, Json& variables);
Result<void> refine_knative(const platform::Cluster& cluster, Json& variables);
Result<void> refine_monitoring(const platform::Cluster& cluster, Json& variables);
Result<void> refine_kuberay(const platform::Cluster& cluster, Json& variables);
Result<void> refine_groups(const platform::Cluster& cluster, Json& variables);
Result<void> refine_strimzi(const platform::Cluster& cluster, Json& variables);
Result<void> refine_dapr(const platform::Cluster& cluster, Json& variables);

}  // namespace aictl::renderers
