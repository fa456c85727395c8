// What other programs read of a machine: Kubernetes and Prometheus.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/topology/topology.hpp"
#include "core/value/json.hpp"

namespace aictl::topology::view {

/// A NodeResourceTopology (topology.node.k8s.io/v1alpha2): a zone a memory node with its CPUs,
/// memory, huge pages and GPUs, and the distances between zones.
Json node_resource_topology(const Topology& topology);

/// Node labels in the words of Node Feature Discovery, NVIDIA's GPU feature discovery and
/// topograph; sorted by key, values legal for a label.
std::vector<std::pair<std::string, std::string>> node_labels(const Topology& topology);

/// Gauges in Prometheus' text format, units in the names (bytes, bytes_per_second, celsius, watts).
std::string prometheus(const Topology& topology);

}  // namespace aictl::topology::view
