// The JSON form of a Topology: stable keys, documented in man aictl-topology(5), read back by
// `--input`.
#pragma once

#include "core/base/result.hpp"
#include "core/topology/topology.hpp"
#include "core/value/json.hpp"

namespace aictl::topology {

/// All of it. Carries counts, total_memory_bytes (null: unknown), cpuset, complete_cpuset,
/// allowed_cpuset, allowed_nodeset, numa[], packages[], osdevs[], distances[], cpukinds[], gpus[],
/// gpu_pcie_levels (machines with GPUs) and what else the value holds, so that from_json gives it
/// back equal.
Json to_json(const Topology& topology);

/// Errors: kDataRefused naming the key.
Result<Topology> from_json(const Json& tree);

}  // namespace aictl::topology
