// PlatformPlan: a Platform with its numbers worked out: models sized against their files and a
// machine, and every workload that carries it out, in the order they start. `up` runs it,
// `generate` writes it down.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/placement/model/shape.hpp"
#include "core/platform/spec/platform.hpp"
#include "core/plugin/workload.hpp"
#include "core/topology/topology.hpp"

namespace aictl::platform {

/// One model of the spec, sized.
struct PlannedModel {
  const ModelEntry* entry = nullptr;  // of the platform beside it
  placement::ModelShape shape;
  std::string workload;  // its name
  std::string pool;      // of the plan's pools
  bool cpu = false;      // on cores, without a GPU
  int tensor = 1, pipeline = 1;
  int gpus_per_node = 0, nodes = 1;
  int64_t context = 0;
  int sequences = 0;
  double cpus = 0;         // of a process
  uint64_t kv_memory = 0;  // of all sequences, on the fullest rank
  uint64_t weight_bytes = 0, kv_bytes_per_token = 0, memory = 0, shm = 0;
  int startup_seconds = 0;
  std::vector<std::string> arithmetic;  // how these came about, a line each
};

/// Machines that are alike, and where they were seen.
struct PlannedPool {
  std::string name;  // "default" when the spec has no pools
  std::map<std::string, std::string> selector;
  int nodes = 1;
  Topology topology;   // of one of them
  std::string source;  // "this machine", "dump.xml", "8 x H100 SXM"
};

/// Something that has to be there already: a secret, a CRD's operator, a class.
struct External {
  std::string kind, name;           // "Secret", "openai-key"
  std::string how;                  // the command that makes it, or what to install
  std::set<std::string> keys = {};  // of a secret that nothing else makes; `how` follows from them
};

struct PlatformPlan {
  Platform platform;  // `models` refer to it: a plan is moved, and not copied
  std::vector<PlannedModel> models;
  std::vector<Workload> workloads;  // each after those it needs
  std::vector<PlannedPool> pools;   // at least one
  Topology topology;                // of the first pool
  std::string topology_source;      // of that
  std::string topology_digest;      // of all pools' machines, as 16 hexadecimal digits
  std::vector<External> externals;
  std::vector<std::string> notes;

  PlatformPlan() = default;
  PlatformPlan(PlatformPlan&&) = default;
  PlatformPlan& operator=(PlatformPlan&&) = default;

  const Workload* workload(std::string_view name) const {
    for (const Workload& each : workloads)
      if (each.name == name) return &each;
    return nullptr;
  }
};

}  // namespace aictl::platform
