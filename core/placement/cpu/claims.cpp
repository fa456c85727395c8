#include "core/placement/cpu/claims.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/placement/cpu/cores.hpp"

namespace aictl::placement {
namespace {

using topology::Bitset;

constexpr size_t kReserveFrom = 4;

// The cores of a machine, and which are taken.
class CorePool {
 public:
  explicit CorePool(const Topology& topology) : cores_(usable_cores(topology, {})) {
    taken_.resize(cores_.size(), false);
    // The last core is the system's: the first ones are where GPUs' interrupts mostly go.
    if (cores_.size() >= kReserveFrom) taken_.back() = true;
  }

  bool empty() const { return cores_.empty(); }

  int left(const Bitset& near) const {
    int count = 0;
    for (size_t i = 0; i < cores_.size(); ++i)
      count += !taken_[i] && (near.empty() || near.intersects(cores_[i].pus)) ? 1 : 0;
    return count;
  }

  /// Up to `wanted` cores near `near`, in hardware order.
  void take(int wanted, const Bitset& near, Replica& into) {
    for (size_t i = 0; i < cores_.size() && into.cores < wanted; ++i) {
      if (taken_[i] || (!near.empty() && !near.intersects(cores_[i].pus))) continue;
      taken_[i] = true;
      into.cpus = into.cpus | cores_[i].pus;
      if (cores_[i].node >= 0) into.nodes.set(cores_[i].node);
      ++into.cores;
    }
  }

 private:
  std::vector<PhysicalCore> cores_;
  std::vector<bool> taken_;
};

Replica on_gpus(const Host& host, GpuMask group) {
  Replica replica;
  replica.gpus = gpus_of(group);
  const bool named = std::ranges::all_of(
      replica.gpus, [&](int gpu) { return !host.gpus[size_t(gpu)].uuid.empty(); });
  for (int gpu : replica.gpus)
    replica.uuids.push_back(named ? host.gpus[size_t(gpu)].uuid : std::to_string(gpu));
  return replica;
}

void claim_near_gpus(const Host& host, const Option& option, CorePool& pool, ModelPlan& plan) {
  for (GpuMask group : option.groups) {
    Replica replica = on_gpus(host, group);
    Bitset near;
    for (int gpu : replica.gpus) near = near | host.topology.gpus[size_t(gpu)].cpuset;
    if (pool.empty()) {  // a dump without cores says at least what is near
      replica.cpus = near;
      for (int gpu : replica.gpus)
        replica.nodes = replica.nodes | host.topology.gpus[size_t(gpu)].nodeset;
    } else {
      const int wanted = int(replica.gpus.size()) + 1;
      pool.take(wanted, near, replica);
      if (replica.cores == 0) pool.take(wanted, {}, replica);  // none is left there
    }
    plan.replicas.push_back(std::move(replica));
  }
}

// Cores of a memory node, as the topology has it.
Bitset cpus_of_node(const Topology& topology, int node) {
  for (const topology::Object* object : topology::objects_of(topology, topology::ObjectType::kNuma))
    if (object->os_index == node) return object->cpuset;
  return {};
}

}  // namespace

void claim_cores(Host& host, std::vector<ModelPlan>& models) {
  CorePool pool(host.topology);
  std::vector<int> sharers(host.nodes.size(), 0);  // replicas that compute on a node
  for (ModelPlan& model : models) {
    if (!model.chosen) continue;
    if (!model.chosen->cpu) claim_near_gpus(host, *model.chosen, pool, model);
    for (int node : model.chosen->nodes) ++sharers[size_t(node)];
  }
  for (ModelPlan& model : models) {
    if (!model.chosen || !model.chosen->cpu) continue;
    const bool split = model.chosen->cut.pp > 1;  // one replica over all of its nodes
    Replica whole;
    for (int index : model.chosen->nodes) {
      const int node = host.nodes[size_t(index)].node;
      const Bitset near = cpus_of_node(host.topology, node);
      Replica replica;
      replica.nodes.set(node);
      pool.take(std::max(1, pool.left(near) / std::max(1, sharers[size_t(index)])), near, replica);
      --sharers[size_t(index)];
      whole.cpus = whole.cpus | replica.cpus;
      whole.nodes = whole.nodes | replica.nodes;
      whole.cores += replica.cores;
      if (!split) model.replicas.push_back(std::move(replica));
    }
    if (split) model.replicas.push_back(std::move(whole));
  }
}

}  // namespace aictl::placement
