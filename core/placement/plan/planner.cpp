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
#include "core/placement/plan/sockets.hpp"
#include "core/placement/search/objective.hpp"
#include "core/placement/search/runners.hpp"

namespace aictl::placement {
namespace {

// Sequences of a model on the hosts of one kind.
int share_of(const PlanRequest& request, double share) {
  return std::max(1, int(request.concurrency * share + 0.5));
}

// GPUs each model may use: what it needs at least, and of the rest a share by its size. Models
// earlier in the list come first when not all have room.
std::vector<int> quotas(Host& host, const PlanRequest& request, double share_of_load) {
  const size_t n = request.models.size();
  std::vector<int> quota(n, 0);
  int left = std::popcount(host.free);
  double bytes = 0;
  for (size_t i = 0; i < n; ++i) {
    const PlanRequest own = request_of(request, i);
    const int least = least_gpus(host, own, own.models[i], share_of(own, share_of_load));
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

// The groups of GPUs that the chosen option could have stood on as well.
std::vector<Rejected> lost_groups(Host& host, const Option& chosen, GpuMask far) {
  if (chosen.cpu) return {};
  const auto holds = [&](const std::vector<int>& kind) {
    return (mask_of(kind) & chosen.groups.front()) != 0;
  };
  const auto kind = std::ranges::find_if(host.kinds, holds);
  const GpuMask free = mask_of(*kind) & host.free;
  const int size = std::popcount(chosen.groups.front()), count = int(chosen.groups.size());
  return rejected_groups(host.search.runners_up(free, size, count, far),
                         host.search.choose(free, size, count, far), host.links);
}

// How little would have to change, by the verdict's words: less is better.
int distance_of(const std::string& why) {
  const std::string_view words[] = {"fits with ctx", "fits with quant", "fits with", "needs"};
  for (size_t i = 0; i < std::size(words); ++i)
    if (why.starts_with(words[i])) return int(i);
  return int(std::size(words));
}

bool memory_known(const Host& host) {
  const auto has_memory = [](const Device& device) { return device.memory > 0; };
  return host.fit != 0 || std::ranges::any_of(host.nodes, has_memory);
}

// The option that takes least to fit; nullptr: none failed on memory.
const Rejected* nearest_of(const Host& host, const std::vector<Rejected>& rejected) {
  const Rejected* nearest = nullptr;
  for (const Rejected& one : rejected)
    if (one.term == "memory" && (host.fit == 0 || !one.option.ends_with("on CPU")) &&
        (!nearest || distance_of(one.why) <= distance_of(nearest->why)))
      nearest = &one;
  return nearest;
}

std::string not_placed(const Host& host, const PlanRequest& request, const ModelShape& shape,
                       const std::vector<Rejected>& rejected, const Rejected* nearest) {
  const std::string weights = format_bytes(shape.weight_bytes);
  if (!memory_known(host))
    return fmt::format("no device with known memory, and weights alone are {}", weights);
  if (nearest) return fmt::format("{}: {}", nearest->option, nearest->why);
  if (request.tp > 0 && !rejected.empty())
    return fmt::format("{}: {}", rejected.front().option, rejected.front().why);
  if (request.tp > 0) return fmt::format("does not fit: no group of {} GPUs is free", request.tp);
  return fmt::format("does not fit: nothing is left for {} of weights", weights);
}

// The rule about sockets, where the terms are compared in order: weights are the user's own rule.
std::optional<Rejected> veto_of(const Options& options, size_t best, const ModelShape& shape,
                                const PlanRequest& request) {
  if (request.weights) return std::nullopt;
  const Option& option = options.fitting[best];
  return stays_in_socket(options.fitting, option, with_quant(shape, option.quant), request);
}

Loading loading_on(const Host& host, const PlanRequest& request, const ModelShape& shape,
                   const Option& option) {
  const double pcie =
      option.cpu || option.device.unified ? 0 : host.links.pcie_gbs(option.device.gpu);
  Loading loading = loading_of(shape, option.cut, request.engine, pcie, host.source_of(shape));
  if (option.cpu)
    loading.far = loading.source.node >= 0 && std::ranges::none_of(option.nodes, [&](int node) {
                    return host.nodes[size_t(node)].node == loading.source.node;
                  });
  else
    loading.far = option.score.far_from_disk > 0;
  return loading;
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
    const Rejected* nearest = memory_known(host) ? nearest_of(host, plan.rejected) : nullptr;
    plan.verdict = not_placed(host, request, shape, plan.rejected, nearest);
    if (nearest) plan.nearest = nearest->fit;
    return plan;
  }
  std::vector<Rejected> losers;
  size_t best = best_of(options.fitting, request.weights);
  for (auto veto = veto_of(options, best, shape, request); veto;
       veto = veto_of(options, best, shape, request)) {
    losers.push_back(*std::move(veto));
    options.fitting.erase(options.fitting.begin() + long(best));
    best = best_of(options.fitting, request.weights);
  }
  explain_losers(options.fitting, best, request.weights, losers);
  const auto groups = lost_groups(host, options.fitting[best], host.far_from_disk(shape));
  losers.insert(losers.end(), groups.begin(), groups.end());
  plan.rejected.insert(plan.rejected.begin(), losers.begin(), losers.end());
  plan.chosen = options.fitting[best];
  plan.shape = with_quant(shape, plan.chosen->quant);
  plan.verdict =
      fmt::format("fits: {} a rank of {} usable", format_bytes(whole(plan.chosen->fit.need())),
                  format_bytes(whole(plan.chosen->fit.usable)));
  plan.loading = loading_on(host, request, plan.shape, *plan.chosen);
  plan.reasons = reasons(*plan.chosen, request.slo, plan.loading);
  take(host, *plan.chosen);
  return plan;
}

HostPlan plan_host(Host& host, const PlanRequest& request, double share_of_load) {
  HostPlan plan;
  plan.hostname = host.topology.hostname;
  plan.hosts = host.count;
  plan.models.resize(request.models.size());
  const std::vector<int> quota = quotas(host, request, share_of_load);
  std::vector<size_t> order(request.models.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return quota[a] > quota[b]; });
  for (size_t i : order) {  // large groups first: they are the hardest to find
    const PlanRequest own = request_of(request, i);
    plan.models[i] =
        place_model(host, own, own.models[i], quota[i] > 0 ? quota[i] : std::popcount(host.free),
                    share_of(own, share_of_load));
  }
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
    plan.hosts.push_back(plan_host(host, request, kind.count / all));
  }
  return plan;
}

}  // namespace aictl::placement
