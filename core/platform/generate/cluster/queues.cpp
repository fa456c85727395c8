// Queues: those of the spec are for its jobs. What serves waits in one that is made for it, with
// what it needs as its quota: in a queue of the spec it might never be admitted.
#include <algorithm>

#include "core/platform/generate/cluster/cluster.hpp"
#include "core/platform/spec/names.hpp"

namespace aictl::platform {
namespace {

// A pod that copies weights, as templates/kubernetes/21-fetch.yaml.j2 has it.
constexpr double kFetchCpus = 1;
constexpr uint64_t kFetchMemory = uint64_t{2} << 30;
// A head of Ray, as the table of targets has it.
constexpr double kHeadCpus = 2;
constexpr uint64_t kHeadMemory = uint64_t{8} << 30;

// The pool whose nodes a workload takes: its own, else the first with GPUs.
std::string pool_of(const Cluster& cluster, const Workload& w) {
  const auto& pools = cluster.plan().pools;
  if (pools.empty() || !w.pool.empty()) return w.pool;
  const auto gpus =
      std::ranges::find_if(pools, [](const auto& p) { return !p.topology.gpus.empty(); });
  return gpus == pools.end() ? pools.front().name : gpus->name;
}

// What all that serves takes of each pool when it has all its replicas, and one more while new pods
// take the place of old ones.
Json needs_of_serving(const Cluster& cluster, const Json& workloads, int64_t fetches) {
  Json needs = Json::array();
  for (const PlannedPool& pool : cluster.plan().pools) {
    int64_t gpus = 0;
    double cpus = 0;
    uint64_t memory = 0;
    for (const Json& v : workloads) {
      const Workload* w = cluster.plan().workload(v["name"].get<std::string>());
      if (!w || !queued(*w) || w->component == Component::kJob) continue;
      if (pool_of(cluster, *w) != pool.name) continue;
      // Ray changes to a whole new cluster, and each has a head.
      const bool ray = cluster.owner(*w) == "kuberay";
      const auto surge = v["max_surge"].get<int64_t>();
      const int64_t heads = ray ? 1 + surge : 0;
      const auto most = v["max_replicas"].get<int64_t>();
      const int64_t pods = (ray ? most * heads : most + surge) * w->nodes;
      cpus += kHeadCpus * static_cast<double>(heads);
      memory += kHeadMemory * static_cast<uint64_t>(heads);
      gpus += pods * w->resources.gpus;
      cpus += static_cast<double>(pods) * pod_cpus(*w);
      memory += static_cast<uint64_t>(pods) * pod_memory(*w);
    }
    if (needs.empty()) {
      cpus += kFetchCpus * static_cast<double>(fetches);
      memory += kFetchMemory * static_cast<uint64_t>(fetches);
    }
    const auto there = static_cast<int64_t>(pool.topology.gpus.size()) * pool.nodes;
    needs.push_back({{"pool", slug(pool.name)},
                     {"gpus", std::min(gpus, there)},  // one new pod after the other
                     {"cpus", cpus},
                     {"memory", memory}});
  }
  return needs;
}

}  // namespace

double pod_cpus(const Workload& w) { return std::max(w.resources.cpus, 0.05); }

uint64_t pod_memory(const Workload& w) {
  constexpr uint64_t kMebi = uint64_t{1} << 20;
  return (std::max(w.resources.memory, 64 * kMebi) + kMebi - 1) / kMebi * kMebi;
}

bool queued(const Workload& w) { return w.resources.gpus > 0 || w.component == Component::kJob; }

std::string serving_queue(const Cluster& cluster) {
  const auto& queues = cluster.platform().queues;
  if (queues.empty()) return derived_name(cluster.prefix(), "queue");
  std::string name = derived_name(cluster.prefix(), "serving");
  for (int n = 2; std::ranges::find(queues, name, &Queue::name) != queues.end(); ++n)
    name = derived_name(cluster.prefix(), "serving-" + std::to_string(n));
  return name;
}

std::string queue_of(const Cluster& cluster, const Workload& w) {
  const auto& queues = cluster.platform().queues;
  if (w.component != Component::kJob || queues.empty()) return serving_queue(cluster);
  for (const Job& job : cluster.platform().jobs)
    if (!job.queue.empty() && slug(job.name) == w.name) return job.queue;
  return queues.front().name;
}

Json queue_variables(const Cluster& cluster, const Json& workloads, const Json& weights) {
  const auto& asked = cluster.platform().queues;
  Json queues = Json::array();
  int priority = 0;
  for (const Queue& each : asked) {
    priority = std::max(priority, each.priority);
    queues.push_back({{"name", each.name},
                      {"gpus", each.gpus},
                      {"cpu", each.cpus > 0 ? cpu_quantity(each.cpus) : ""},
                      {"memory", each.memory > 0 ? memory_quantity(each.memory) : ""},
                      {"priority", each.priority},
                      {"cohort", each.cohort},
                      {"needs", Json::array()}});
  }
  int64_t fetches = 0;
  if (cluster.platform().storage.bring == "claim")
    for (const Json& each : weights) fetches += each["fetch"] == true ? 1 : 0;
  const auto& planned = cluster.plan().workloads;
  const bool serves = std::ranges::any_of(
      planned, [](const Workload& w) { return queued(w) && w.component != Component::kJob; });
  if (!asked.empty() && !serves && fetches == 0) return queues;
  queues.push_back(
      {{"name", serving_queue(cluster)},
       {"gpus", 0},
       {"cpu", ""},
       {"memory", ""},
       {"priority", asked.empty() ? 0 : priority + 1},
       {"cohort", ""},
       {"needs", asked.empty() ? Json::array() : needs_of_serving(cluster, workloads, fetches)}});
  return queues;
}

}  // namespace aictl::platform
