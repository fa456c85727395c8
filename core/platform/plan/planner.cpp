#include "core/platform/plan/planner.hpp"

#include <algorithm>
#include <filesystem>
#include <memory>

#include <fmt/format.h>

#include "core/platform/plan/inspect.hpp"
#include "core/platform/plan/machine.hpp"
#include "core/platform/plan/room.hpp"
#include "core/platform/plan/workloads/workloads.hpp"
#include "core/platform/spec/digest.hpp"
#include "core/platform/spec/names.hpp"

namespace aictl::platform {
namespace {

using Sites = std::vector<std::unique_ptr<Site>>;  // a site refers to itself

// Where in the spec a model stands, in front of what is wrong with it.
Error at_model(const Platform& p, const ModelEntry& m, Error error) {
  const auto index = &m - p.models.data();
  const auto place = p.places.find(fmt::format("/models/{}", index));
  if (p.file.empty() || place == p.places.end()) return error;
  return std::move(error).within(
      fmt::format("{}:{}:{}: models[{}]", p.file, place->second.line, place->second.column, index));
}

bool on_gpus(const ModelEntry& m, const Site& site, bool gpu_backend) {
  if (m.device != ModelDevice::kAuto) return m.device == ModelDevice::kGpu;
  return m.engine == ModelEngine::kVllm || (gpu_backend && site.gpus > 0);
}

// The first pool that holds a replica and has room for all of them beside those laid there before;
// the last refusal when none has.
Result<PlannedModel> place(const ModelEntry& m, const placement::ModelShape& shape,
                           const Platform& p, const Sites& sites,
                           const std::vector<PlannedModel>& placed, bool gpu_backend) {
  std::optional<Error> refusal;
  for (const auto& site : sites) {
    if (!m.pool.empty() && m.pool != site->pool.name) continue;
    auto sized = size_model(m, shape, *site, p.storage, on_gpus(m, *site, gpu_backend));
    if (!sized) {
      // Among pools, the one that has what the model computes on tells more.
      if (!refusal || site->gpus > 0) refusal = std::move(sized).error();
      continue;
    }
    std::vector<const PlannedModel*> there;
    for (const PlannedModel& other : placed)
      if (other.pool == site->pool.name) there.push_back(&other);
    there.push_back(&*sized);
    std::vector<std::string> ignored;  // told once all are placed
    auto laid = lay_replicas(*site, there, ignored);
    if (laid) return sized;
    refusal = std::move(laid).error();
  }
  if (refusal) return std::move(*refusal);
  return Error{ErrorCode::kDataRefused,
               fmt::format("model '{}': this plan has no pool '{}'", m.name, m.pool), ""};
}

Result<void> finish_pools(PlatformPlan& plan, const Sites& sites) {
  for (const auto& site : sites) {
    std::vector<PlannedModel*> there;
    for (PlannedModel& m : plan.models)
      if (m.pool == site->pool.name) there.push_back(&m);
    const std::vector<const PlannedModel*> seen(there.begin(), there.end());
    if (auto ok = lay_replicas(*site, seen, plan.notes); !ok) return ok;
    if (auto ok = share_cpus(*site, there); !ok) return ok;
  }
  return {};
}

Result<void> check_processes(const Platform& p, const Sites& sites) {
  int gpus = 0, cores = 0;
  for (const auto& site : sites) {
    gpus = std::max(gpus, site->gpus);
    cores = std::max(cores, site->cores);
  }
  const auto check = [&](std::string_view what, const std::string& name, int wanted,
                         double cpus) -> Result<void> {
    if (wanted > gpus)
      return Error{
          ErrorCode::kDataRefused,
          fmt::format("{} '{}': {} GPUs, and no node has more than {}", what, name, wanted, gpus),
          "gpus: fewer, or a pool with more of them"};
    if (cores > 0 && cpus > cores)
      return Error{
          ErrorCode::kDataRefused,
          fmt::format("{} '{}': {} cpus, and no node has more than {}", what, name, cpus, cores),
          "cpus: fewer, or a pool with more of them"};
    return {};
  };
  for (const Agent& a : p.agents)
    if (auto ok = check("agent", a.name, a.gpus, a.cpus); !ok) return ok;
  for (const Job& j : p.jobs)
    if (auto ok = check("job", j.name, j.gpus, j.cpus); !ok) return ok;
  return {};
}

Workload workload_of(const PlatformPlan& plan, const std::string& name) {
  const Platform& p = plan.platform;
  for (const PlannedModel& m : plan.models)
    if (m.workload == name) return model_workload(p, m);
  for (const Agent& a : p.agents)
    if (slug(a.name) == name) return agent_workload(p, a);
  for (const Job& j : p.jobs)
    if (slug(j.name) == name) return job_workload(p, j);
  return name == "gateway" ? gateway_workload(p)
         : name == "state" ? state_workload(p)
                           : events_workload(p);
}

void add_workloads(PlatformPlan& plan) {
  const std::vector<Needs> nodes = workload_needs(plan.platform);
  for (const size_t i : needs_order(nodes)) {
    Workload w = workload_of(plan, nodes[i].workload);
    w.needs = nodes[i].needs;
    plan.workloads.push_back(std::move(w));
  }
}

void add_notes(PlatformPlan& plan) {
  const Platform& p = plan.platform;
  for (const PlannedModel& m : plan.models)
    if (m.shape.source == "table" && !m.entry->source.starts_with("hf://") &&
        m.entry->shape.empty())
      plan.notes.push_back(
          fmt::format("model '{}': '{}' is a shape; nothing is served until source names weights",
                      m.entry->name, m.entry->source));
  if (p.gateway.enabled && p.gateway.keys_secret.empty())
    plan.notes.push_back("gateway: everybody who reaches it may ask; keys_secret names keys");
}

std::string digest_of(const std::vector<PlannedPool>& pools) {
  std::string all;
  for (const PlannedPool& pool : pools)
    all += fmt::format("{}|{}|{}\n", pool.name, pool.nodes, placement::signature(pool.topology));
  return sha256(all).substr(0, 16);
}

}  // namespace

Result<PlatformPlan> plan_platform(Platform platform, const PlanInputs& inputs) {
  if (inputs.pools.empty()) return Error{ErrorCode::kInvalidArgument, "no machine to plan for", ""};
  PlatformPlan plan;
  plan.platform = std::move(platform);
  plan.pools = inputs.pools;
  Sites sites;
  for (const PlannedPool& pool : plan.pools) sites.push_back(std::make_unique<Site>(pool));
  const Platform& p = plan.platform;
  for (const ModelEntry& m : p.models) {
    auto shape = inputs.inspect(m);
    if (!shape) return at_model(p, m, std::move(shape).error());
    auto sized = place(m, *shape, p, sites, plan.models, inputs.gpu_backend);
    if (!sized) return at_model(p, m, std::move(sized).error());
    sized->workload = slug(m.name);
    plan.models.push_back(*std::move(sized));
  }
  if (auto ok = finish_pools(plan, sites); !ok) return std::move(ok).error();
  if (auto ok = check_processes(p, sites); !ok) return std::move(ok).error();
  add_workloads(plan);
  add_notes(plan);
  plan.externals = externals_of(p, plan.workloads);
  plan.topology = plan.pools.front().topology;
  plan.topology_source = plan.pools.front().source;
  plan.topology_digest = digest_of(plan.pools);
  return plan;
}

Result<std::vector<PlannedPool>> platform_pools(const Platform& p, const Plugins& plugins,
                                                const std::optional<TopologyInput>& instead) {
  const std::filesystem::path folder = std::filesystem::path(p.file).parent_path();
  const auto capture = [&](const std::string& file, std::string_view field) {
    TopologyInput input;
    input.file = std::filesystem::path(file).is_absolute() ? file : (folder / file).string();
    auto topology = read_topology(plugins, input);
    if (topology) return topology;
    return Result<Topology>(std::move(topology).error().within(field));
  };
  std::vector<PlannedPool> pools;
  if (p.placement.pools.empty() || instead) {
    const bool other = instead && (instead->file || instead->sysroot || instead->synthetic);
    const bool here = !other && (instead || p.placement.topology.empty());
    auto topology = here    ? read_topology(plugins, instead.value_or(TopologyInput{}))
                    : other ? read_topology(plugins, *instead)
                            : capture(p.placement.topology, "placement.topology");
    if (!topology) return std::move(topology).error();
    int nodes = here ? 1 : p.placement.nodes;  // another machine stands for each of the spec's
    for (const NodePool& pool : p.placement.pools)
      if (other) nodes = &pool == &p.placement.pools.front() ? pool.nodes : nodes + pool.nodes;
    const std::string source = here               ? "this machine"
                               : !other           ? p.placement.topology
                               : instead->file    ? *instead->file
                               : instead->sysroot ? *instead->sysroot
                                                  : *instead->synthetic;
    pools.push_back({"default", p.placement.selector, nodes, *std::move(topology), source});
    return pools;
  }
  for (const NodePool& pool : p.placement.pools) {
    auto topology = pool.topology.empty() ? described_machine(pool)
                                          : capture(pool.topology, "placement.pools: " + pool.name);
    if (!topology) return std::move(topology).error();
    std::map<std::string, std::string> selector = p.placement.selector;
    for (const auto& [key, value] : pool.selector) selector[key] = value;
    std::string source = pool.topology.empty() ? machine_words(*topology) : pool.topology;
    pools.push_back(
        {pool.name, std::move(selector), pool.nodes, *std::move(topology), std::move(source)});
  }
  return pools;
}

Result<PlatformPlan> plan_here(Platform platform, const Plugins& plugins,
                               const std::optional<TopologyInput>& instead) {
  auto pools = platform_pools(platform, plugins, instead);
  if (!pools) return std::move(pools).error();
  // Another machine instead of the pools has all of their models.
  if (instead)
    for (ModelEntry& m : platform.models) m.pool.clear();
  const std::filesystem::path folder = std::filesystem::path(platform.file).parent_path();
  PlanInputs inputs;
  inputs.pools = *std::move(pools);
  inputs.gpu_backend = plugins.backends.find("cuda").ok();
  inputs.inspect = [&](const ModelEntry& m) { return inspect_entry(plugins, m, folder); };
  return plan_platform(std::move(platform), inputs);
}

}  // namespace aictl::platform
