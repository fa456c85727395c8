#include "core/placement/plan/failure.hpp"

#include <algorithm>
#include <bit>
#include <map>

#include <fmt/format.h>

#include "core/base/units.hpp"

namespace aictl::placement {
namespace {

struct Part {
  std::string name;
  GpuMask gpus = 0;
  int node = -1;  // of host memory
};

// Switches with two or more GPUs below, by the bridge nearest to the GPUs.
std::vector<Part> switches(const Host& host) {
  std::map<int, GpuMask> below;  // index of a bridge -> GPUs
  const auto& objects = host.topology.objects;
  for (size_t i = 0; i < objects.size(); ++i) {
    if (objects[i].type != topology::ObjectType::kPci) continue;
    for (const Device& gpu : host.gpus) {
      const auto& pci = host.topology.gpus[size_t(gpu.gpu)].pci;
      if (!pci || *pci != objects[i].pci.address || gpu.gpu >= kMaxGpus) continue;
      for (int at = objects[i].parent; at >= 0; at = objects[size_t(at)].parent)
        if (objects[size_t(at)].type == topology::ObjectType::kBridge &&
            !objects[size_t(at)].host_bridge)
          below[at] |= GpuMask{1} << gpu.gpu;
    }
  }
  std::map<GpuMask, int> deepest;
  for (const auto& [bridge, gpus] : below)
    if (std::popcount(gpus) > 1) deepest[gpus] = std::max(deepest[gpus], bridge);
  std::vector<Part> parts;
  for (const auto& [gpus, bridge] : deepest)
    parts.push_back(
        {fmt::format("switch {}", objects[size_t(bridge)].pci.address.text()), gpus, -1});
  return parts;
}

std::vector<Part> parts_of(const Host& host) {
  std::vector<Part> parts;
  std::map<int, GpuMask> near;
  for (const Device& gpu : host.gpus) {
    if (gpu.gpu >= kMaxGpus) continue;
    parts.push_back({gpu.name, GpuMask{1} << gpu.gpu, -1});
    if (gpu.node >= 0) near[gpu.node] |= GpuMask{1} << gpu.gpu;
  }
  for (const Device& node : host.nodes) near.try_emplace(node.node, 0);
  for (const auto& [node, gpus] : near) parts.push_back({fmt::format("numa{}", node), gpus, node});
  for (Part& part : switches(host)) parts.push_back(std::move(part));
  Part all{"host", 0, -2};
  for (const Device& gpu : host.gpus)
    if (gpu.gpu < kMaxGpus) all.gpus |= GpuMask{1} << gpu.gpu;
  parts.push_back(all);
  return parts;
}

bool stops(const Host& host, const Option& option, size_t replica, const Part& part) {
  if (part.node == -2) return true;
  if (!option.cpu) return (option.groups[replica] & part.gpus) != 0;
  if (part.node < 0) return false;
  const auto on = [&](int index) { return host.nodes[size_t(index)].node == part.node; };
  return option.cut.pp > 1 ? std::ranges::any_of(option.nodes, on) : on(option.nodes[replica]);
}

// Brings one replica back: the fewest ranks move to free GPUs of its kind, joined best.
std::string bring_back(Host& host, const ModelPlan& plan, size_t replica, const Part& part,
                       GpuMask& free, double& reload) {
  const Option& option = *plan.chosen;
  const GpuMask group = option.groups[replica], kept = group & ~part.gpus;
  const int missing = std::popcount(group & part.gpus);
  GpuMask candidates = 0;
  for (int gpu : gpus_of(free))
    if (host.gpus[size_t(gpu)].same_as(option.device)) candidates |= GpuMask{1} << gpu;
  GpuMask joined = kept;
  for (int i = 0; i < missing && candidates != 0; ++i) {
    GpuMask best = 0;
    GroupScore best_score;
    for (int gpu : gpus_of(candidates)) {
      const GpuMask grown = joined | GpuMask{1} << gpu;
      GroupScore score = host.search.score({grown}, grown);
      if (best == 0 || score.compare(best_score) < 0) best = grown, best_score = std::move(score);
    }
    candidates &= ~best;
    joined = best;
  }
  if (std::popcount(joined) < std::popcount(group)) return "";
  free &= ~joined;
  const double bytes = missing * option.fit.weights;
  reload += bytes;
  std::vector<std::string> moved;
  for (int gpu : gpus_of(joined & ~kept)) moved.push_back(fmt::format("gpu{}", gpu));
  return fmt::format("{} #{}: {} rank{} to {}, reload {}", plan.shape.name, replica, missing,
                     missing == 1 ? "" : "s", fmt::join(moved, ","), format_bytes(whole(bytes)));
}

// What is left of a model whose replica stays down.
std::string stays_down(const ModelPlan& plan, size_t replica, int survivors) {
  const Option& option = *plan.chosen;
  const int all = option.replicas;
  if (survivors > 0)
    return fmt::format("{} #{}: stays down; {} of {} replicas go on, about {:.1f} tokens/s",
                       plan.shape.name, replica, survivors, all, option.goodput * survivors / all);
  return fmt::format("{} #{}: stays down; nothing is free for it", plan.shape.name, replica);
}

// What the loss of one of several hosts means.
std::string without_host(const Host& host, const std::vector<ModelPlan>& models) {
  std::string text = fmt::format("{} of {} hosts go on", host.count - 1, host.count);
  for (const ModelPlan& plan : models)
    if (plan.chosen && plan.chosen->span > 1)
      text += fmt::format("; the replica of {} with a stage there stops: it needs {} hosts",
                          plan.shape.name, plan.chosen->span);
  return text;
}

Loss loss_of(Host& host, const std::vector<ModelPlan>& models, const Part& part) {
  Loss loss;
  loss.part = part.name;
  GpuMask free = host.free & ~part.gpus;
  std::vector<std::string> moves;
  for (const ModelPlan& plan : models) {
    if (!plan.chosen) continue;
    const size_t count = plan.replicas.size();
    std::vector<size_t> hit;
    for (size_t i = 0; i < count; ++i)
      if (stops(host, *plan.chosen, i, part)) hit.push_back(i);
    const int survivors = int(count - hit.size());
    for (size_t i : hit) {
      loss.hit.push_back(fmt::format("{} #{}", plan.shape.name, i));
      std::string move =
          plan.chosen->cpu ? "" : bring_back(host, plan, i, part, free, loss.reload_bytes);
      moves.push_back(move.empty() ? stays_down(plan, i, survivors) : std::move(move));
    }
  }
  loss.replan = fmt::format("{}", fmt::join(moves, "; "));
  if (part.node == -2 && host.count == 1)
    loss.replan = "all of it stays down: there is no other host";
  if (part.node == -2 && host.count > 1) loss.replan = without_host(host, models);
  return loss;
}

}  // namespace

std::vector<Loss> failure_radius(Host& host, const std::vector<ModelPlan>& models) {
  std::vector<Loss> losses;
  for (const Part& part : parts_of(host)) {
    Loss loss = loss_of(host, models, part);
    if (!loss.hit.empty()) losses.push_back(std::move(loss));
  }
  return losses;
}

}  // namespace aictl::placement
