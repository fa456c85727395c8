#include <fmt/format.h>

#include "plugins/renderers/cluster/refine.hpp"

namespace aictl::renderers {

Result<void> refine_kubernetes(const platform::Cluster& cluster, Json& variables) {
  for (const Workload& workload : cluster.plan().workloads)
    if (workload.nodes > 1 && cluster.owner(workload) == "kubernetes")
      return Error{ErrorCode::kUnsupported,
                   fmt::format("'{}' spans {} nodes, and a Deployment cannot start them together",
                               workload.name, workload.nodes),
                   "add the target leaderworkerset, jobset or kuberay, or kserve with --mode llm"};
  if (cluster.has("volcano")) variables["style"] = {{"scheduler", "volcano"}};
  return {};
}

}  // namespace aictl::renderers
