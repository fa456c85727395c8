// Rules about the kubelet around us.
#include <fmt/format.h>

#include "core/doctor/rules/rules.hpp"

namespace aictl::doctor {

Verdict kubelet_nodes(const Input& input) {
  const Topology& machine = input.now();
  int nodes = 0;
  for (const topology::Object& object : machine.objects)
    nodes += object.type == topology::ObjectType::kNuma;
  if (nodes == 0) return Verdict::skip("the input has no NUMA nodes");
  Verdict verdict;
  if (!input.workload.kubelet) {
    if (nodes > 8)
      return Verdict::skip(
          fmt::format("{} NUMA nodes are more than a kubelet aligns by default, but its settings "
                      "are not known: "
                      "--kubelet FILE",
                      nodes));
    return verdict;
  }
  const Kubelet& kubelet = *input.workload.kubelet;
  if (kubelet.policy == "none" || nodes <= kubelet.max_numa_nodes) return verdict;
  verdict.findings.push_back(
      {"", Severity::kError, "more NUMA nodes than the kubelet's topology manager allows",
       fmt::format("{} NUMA nodes (GPU memory counts), {} allowed, policy {}", nodes,
                   kubelet.max_numa_nodes, kubelet.policy),
       "the kubelet does not start",
       fmt::format("topologyManagerPolicyOptions: {{max-allowable-numa-nodes: \"{}\"}}, or policy "
                   "none",
                   nodes),
       1});
  return verdict;
}

}  // namespace aictl::doctor
