#include "core/placement/cpu/claims.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/placement/cpu/cores.hpp"
#include "core/placement/report/visible.hpp"

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
    for (size_t i = 0; i < cores_.size(); ++i) count += !taken_[i] && is_near(i, near) ? 1 : 0;
    return count;
  }

  /// Up to `wanted` cores near `near` (empty: anywhere), in hardware order; how many it were.
  int take(int wanted, const Bitset& near, Replica& into) {
    int got = 0;
    for (size_t i = 0; i < cores_.size() && got < wanted; ++i) {
      if (taken_[i] || !is_near(i, near)) continue;
      taken_[i] = true;
      bind(i, into);
      ++got;
    }
    into.cores += got;
    return got;
  }

  /// Binds to the cores near `near`, whoever else has them.
  void share(const Bitset& near, Replica& into) const {
    for (size_t i = 0; i < cores_.size(); ++i)
      if (is_near(i, near)) bind(i, into);
  }

 private:
  bool is_near(size_t core, const Bitset& near) const {
    return near.empty() || near.intersects(cores_[core].pus);
  }

  void bind(size_t core, Replica& into) const {
    into.cpus = into.cpus | cores_[core].pus;
    if (cores_[core].node >= 0) into.nodes.set(cores_[core].node);
  }

  std::vector<PhysicalCore> cores_;
  std::vector<bool> taken_;
};

Replica on_gpus(const Host& host, GpuMask group) {
  Replica replica;
  replica.gpus = gpus_of(group);
  replica.uuids = device_words(host.topology, replica.gpus);
  return replica;
}

const Bitset& cpus_near(const Host& host, int gpu) {
  return host.topology.gpus[size_t(gpu)].cpuset;
}

// The CPUs that most of the GPUs are near; of equals those of the lowest GPU.
Bitset home_of(const Host& host, const std::vector<int>& gpus) {
  Bitset home;
  long most = 0;
  for (int gpu : gpus) {
    const Bitset& near = cpus_near(host, gpu);
    const long here =
        std::ranges::count_if(gpus, [&](int other) { return cpus_near(host, other) == near; });
    if (here > most) home = near, most = here;
  }
  return home;
}

// The replicas on GPUs of all models, claiming in their order.
class GpuClaims {
 public:
  GpuClaims(const Host& host, CorePool& pool, std::vector<ModelPlan>& models)
      : host_(host), pool_(pool) {
    for (ModelPlan& model : models) {
      if (!model.chosen || model.chosen->cpu) continue;
      for (GpuMask group : model.chosen->groups) model.replicas.push_back(on_gpus(host, group));
    }
    for (ModelPlan& model : models)  // now that their places in memory are settled
      for (Replica& replica : model.replicas) waiting_.push_back(&replica);
  }

  /// A core near each GPU for its process, and one for tokenising and HTTP near most of the GPUs.
  /// Those of later replicas come first where a node has too few for all.
  void claim() {
    std::vector<Replica*> without;
    for (size_t i = 0; i < waiting_.size(); ++i) {
      Replica& replica = *waiting_[i];
      for (int gpu : replica.gpus) pool_.take(1, cpus_near(host_, gpu), replica);
      const Bitset home = home_of(host_, replica.gpus);
      if (pool_.left(home) > owed(i + 1, home))
        pool_.take(1, home, replica);
      else
        without.push_back(&replica);
    }
    for (Replica* replica : without) complete(*replica);
  }

 private:
  // Cores near `near` that GPUs of the replicas from `first` on still have to get.
  int owed(size_t first, const Bitset& near) const {
    int count = 0;
    for (size_t i = first; i < waiting_.size(); ++i)
      for (int gpu : waiting_[i]->gpus)
        count += near.empty() || cpus_near(host_, gpu).intersects(near) ? 1 : 0;
    return count;
  }

  // What is missing comes from near any of its GPUs, then from anywhere; with nothing left, it
  // shares.
  void complete(Replica& replica) {
    Bitset near;
    for (int gpu : replica.gpus) near = near | cpus_near(host_, gpu);
    const int wanted = int(replica.gpus.size()) + 1;
    pool_.take(wanted - replica.cores, near, replica);
    if (replica.cores < wanted) pool_.take(wanted - replica.cores, {}, replica);
    if (replica.cores == 0) pool_.share(near, replica);
  }

  const Host& host_;
  CorePool& pool_;
  std::vector<Replica*> waiting_;
};

// A dump without cores says at least what is near.
void note_near(const Host& host, std::vector<ModelPlan>& models) {
  for (ModelPlan& model : models)
    for (Replica& replica : model.replicas)
      for (int gpu : replica.gpus) {
        replica.cpus = replica.cpus | cpus_near(host, gpu);
        replica.nodes = replica.nodes | host.topology.gpus[size_t(gpu)].nodeset;
      }
}

// Cores of a memory node, as the topology has it.
Bitset cpus_of_node(const Topology& topology, int node) {
  for (const topology::Object* object : topology::objects_of(topology, topology::ObjectType::kNuma))
    if (object->os_index == node) return object->cpuset;
  return {};
}

// Replicas on memory nodes: each takes its share of what its nodes have left.
void claim_nodes(const Host& host, CorePool& pool, std::vector<int>& sharers, ModelPlan& model) {
  const bool split = model.chosen->cut.pp > 1;  // one replica over all of its nodes
  Replica whole;
  for (int index : model.chosen->nodes) {
    const int node = host.nodes[size_t(index)].node;
    const Bitset near = cpus_of_node(host.topology, node);
    Replica replica;
    replica.nodes.set(node);
    const int share = pool.left(near) / std::max(1, sharers[size_t(index)]);
    pool.take(std::max(1, share), near, replica);
    --sharers[size_t(index)];
    whole.cpus = whole.cpus | replica.cpus;
    whole.nodes = whole.nodes | replica.nodes;
    whole.cores += replica.cores;
    if (!split) model.replicas.push_back(std::move(replica));
  }
  if (split) model.replicas.push_back(std::move(whole));
}

}  // namespace

void claim_cores(Host& host, std::vector<ModelPlan>& models) {
  CorePool pool(host.topology);
  GpuClaims claims(host, pool, models);
  if (pool.empty())
    note_near(host, models);
  else
    claims.claim();
  std::vector<int> sharers(host.nodes.size(), 0);  // replicas that compute on a node
  for (const ModelPlan& model : models)
    if (model.chosen)
      for (int node : model.chosen->nodes) ++sharers[size_t(node)];
  for (ModelPlan& model : models)
    if (model.chosen && model.chosen->cpu) claim_nodes(host, pool, sharers, model);
}

}  // namespace aictl::placement
