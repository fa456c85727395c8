#include "core/placement/plan/planner.hpp"

#include <algorithm>
#include <bit>
#include <map>
#include <numeric>

#include <fmt/format.h>

#include "core/base/units.hpp"
#include "core/placement/cpu/claims.hpp"
#include "core/placement/plan/failure.hpp"
#include "core/placement/plan/options.hpp"
#include "core/placement/search/objective.hpp"

namespace aictl::placement {
namespace {

// GPUs each model may use: what it needs at least, and of the rest a share by its size. Models
// earlier in the list come first when not all have room.
std::vector<int> quotas(Host& host, const PlanRequest& request, int concurrency) {
  const size_t n = request.models.size();
  std::vector<int> quota(n, 0);
  int left = std::popcount(host.free);
  double bytes = 0;
  for (size_t i = 0; i < n; ++i) {
    const int least = least_gpus(host, request, request.models[i], concurrency);
    if (least == 0 || least > left) continue;
    quota[i] = least;
    left -= least;
    bytes += double(request.models[i].weight_bytes);
  }
  const int spare = left;
  for (size_t i = 0; i < n && bytes > 0; ++i) {
    if (quota[i] == 0) continue;
    const int share = int(double(spare) * double(request.models[i].weight_bytes) / bytes);
    quota[i] += share;
    left -= share;
  }
  for (size_t i = 0; i < n && left > 0; ++i)  // what rounding left
    if (quota[i] > 0) quota[i] += 1, left -= 1;
  return quota;
}

void take(Host& host, const Option& option) {
  for (GpuMask group : option.groups) host.free &= ~group;
  for (int node : option.nodes) host.nodes[size_t(node)].taken += option.fit.need();
}

// What a rejected option lost on against the chosen one.
void explain_losers(const std::vector<Option>& options, size_t best,
                    const std::optional<TermWeights>& weights, std::vector<Rejected>& into) {
  const std::vector<double> sums = weights ? weighed(options, *weights) : std::vector<double>();
  for (size_t i = 0; i < options.size(); ++i) {
    if (i == best) continue;
    const Decision decision = compare(options[best], options[i]);
    if (weights)
      into.push_back(
          {options[i].words(), "weights", fmt::format("J {:.3f} > {:.3f}", sums[i], sums[best])});
    else
      into.push_back({options[i].words(), std::string(decision.term), decision.why});
  }
}

// How little would have to change, by the verdict's words: less is better.
int distance_of(const std::string& why) {
  const std::string_view words[] = {"fits with ctx", "fits with quant", "fits with", "needs"};
  for (size_t i = 0; i < std::size(words); ++i)
    if (why.starts_with(words[i])) return int(i);
  return int(std::size(words));
}

std::string not_placed(const Host& host, const PlanRequest& request, const ModelShape& shape,
                       const std::vector<Rejected>& rejected) {
  const std::string weights = format_bytes(shape.weight_bytes);
  const bool known = std::ranges::any_of(host.nodes, [](const Device& d) { return d.memory > 0; });
  if (host.fit == 0 && !known)
    return fmt::format("no device with known memory, and weights alone are {}", weights);
  const Rejected* nearest = nullptr;
  for (const Rejected& one : rejected)
    if (one.term == "memory" && (host.fit == 0 || !one.option.ends_with("on CPU")) &&
        (!nearest || distance_of(one.why) <= distance_of(nearest->why)))
      nearest = &one;
  if (nearest) return fmt::format("{}: {}", nearest->option, nearest->why);
  if (request.tp > 0 && !rejected.empty())
    return fmt::format("{}: {}", rejected.front().option, rejected.front().why);
  if (request.tp > 0) return fmt::format("does not fit: no group of {} GPUs is free", request.tp);
  return fmt::format("does not fit: nothing is left for {} of weights", weights);
}

}  // namespace

ModelPlan place_model(Host& host, const PlanRequest& request, const ModelShape& shape, int quota,
                      int concurrency) {
  ModelPlan plan;
  plan.shape = shape;
  Options options = gpu_options(host, request, shape, quota, concurrency);
  plan.rejected = std::move(options.rejected);
  if (options.fitting.empty() && request.tp == 0) {
    options = cpu_options(host, request, shape, concurrency);
    plan.rejected.insert(plan.rejected.end(), options.rejected.begin(), options.rejected.end());
  }
  if (options.fitting.empty()) {
    plan.verdict = not_placed(host, request, shape, plan.rejected);
    return plan;
  }
  const size_t best = best_of(options.fitting, request.weights);
  std::vector<Rejected> losers;
  explain_losers(options.fitting, best, request.weights, losers);
  plan.rejected.insert(plan.rejected.begin(), losers.begin(), losers.end());
  plan.chosen = options.fitting[best];
  plan.shape = with_quant(shape, plan.chosen->quant);
  plan.verdict =
      fmt::format("fits: {} a rank of {} usable", format_bytes(whole(plan.chosen->fit.need())),
                  format_bytes(whole(plan.chosen->fit.usable)));
  plan.reasons = reasons(*plan.chosen, request.slo);
  take(host, *plan.chosen);
  return plan;
}

HostPlan plan_host(Host& host, const PlanRequest& request, int concurrency) {
  HostPlan plan;
  plan.hostname = host.topology.hostname;
  plan.hosts = host.count;
  plan.models.resize(request.models.size());
  const std::vector<int> quota = quotas(host, request, concurrency);
  std::vector<size_t> order(request.models.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return quota[a] > quota[b]; });
  for (size_t i : order)  // large groups first: they are the hardest to find
    plan.models[i] = place_model(host, request, request.models[i],
                                 quota[i] > 0 ? quota[i] : std::popcount(host.free), concurrency);
  claim_cores(host, plan.models);
  plan.losses = failure_radius(host, plan.models);
  plan.free_gpus = gpus_of(host.free);
  plan.notes = host.notes;
  return plan;
}

Result<Plan> make_plan(std::span<const Machine> machines, const PlanRequest& request) {
  if (request.models.empty())
    return Error{ErrorCode::kInvalidArgument, "no model is named",
                 "a file, a folder or a shape such as llama:8b:q4_k_m"};
  if (machines.empty()) return Error{ErrorCode::kInvalidArgument, "no machine to plan for", ""};
  std::vector<Machine> kinds;
  std::map<std::string, size_t> known;
  double all = 0;
  for (const Machine& machine : machines) {
    const auto [at, fresh] = known.try_emplace(signature(*machine.topology), kinds.size());
    if (fresh)
      kinds.push_back(machine);
    else
      kinds[at->second].count += machine.count;
    all += machine.count;
  }
  Plan plan;
  for (const Machine& kind : kinds) {
    Host host(*kind.topology, request.devices, kind.count);
    const int share = std::max(1, int(request.concurrency * (kind.count / all) + 0.5));
    plan.hosts.push_back(plan_host(host, request, share));
  }
  return plan;
}

}  // namespace aictl::placement
