// Rules about the kubelet around us.
#include <fmt/format.h>

#include "core/doctor/rules/rules.hpp"

namespace aictl::doctor {
namespace {

// As the kubelet counts: GPU memory, too. A table of GPUs names at least the nodes they are near.
topology::Bitset all_nodes(const Topology& machine) {
  topology::Bitset nodes;
  for (const topology::Object& object : machine.objects)
    if (object.type == topology::ObjectType::kNuma && object.os_index >= 0)
      nodes.set(object.os_index);
  for (const topology::Gpu& gpu : machine.gpus) {
    nodes = nodes | gpu.nodeset;
    if (gpu.memory_node && *gpu.memory_node >= 0) nodes.set(*gpu.memory_node);
  }
  return nodes;
}

}  // namespace

Verdict kubelet_nodes(const Input& input) {
  const Topology& machine = input.now();
  const int nodes = all_nodes(machine).count();
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
