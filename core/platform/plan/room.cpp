#include "core/platform/plan/room.hpp"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "core/base/units.hpp"

namespace aictl::platform {
namespace {

std::string bytes(double count) { return format_bytes(placement::whole(count)); }

// "4 x 2 GPUs (qwen) + 1 x 1 GPU (embed) = 9 GPUs"
std::string sum_of(const std::vector<const PlannedModel*>& models, bool gpus) {
  std::string text;
  double sum = 0;
  for (const PlannedModel* m : models) {
    if (gpus && m->cpu) continue;
    const double one = gpus ? double(m->gpus_per_node * m->nodes) : double(m->memory);
    text += fmt::format("{}{} x {} ({})", text.empty() ? "" : " + ", m->entry->replicas,
                        gpus ? fmt::format("{:.0f} GPU{}", one, one == 1 ? "" : "s") : bytes(one),
                        m->entry->name);
    sum += one * m->entry->replicas;
  }
  return fmt::format("{} = {}", text, gpus ? fmt::format("{:.0f} GPUs", sum) : bytes(sum));
}

Error no_room(const Site& site, const PlannedModel& model, int laid,
              const std::vector<const PlannedModel*>& models) {
  const int nodes = site.pool.nodes;
  std::string message =
      fmt::format("model '{}': {} of {} replicas find room in {} ({})", model.entry->name, laid,
                  model.entry->replicas, site.pool.name, placement::counted(nodes, "node"));
  if (!model.cpu)
    message += fmt::format("\n  GPUs: {}; there are {} x {} = {}, and a replica takes {} of a node",
                           sum_of(models, true), placement::counted(nodes, "node"), site.gpus,
                           nodes * site.gpus, model.gpus_per_node);
  message += fmt::format("\n  memory: {}; there is {} x {} x {:.2f}", sum_of(models, false),
                         placement::counted(nodes, "node"), bytes(site.memory), kHostShare);
  return {ErrorCode::kDataRefused, std::move(message),
          "fewer replicas, more nodes, or another pool for some of them"};
}

}  // namespace

Room::Room(const Site& site)
    : knows_memory_(site.memory > 0),
      gpus_(size_t(site.pool.nodes), site.gpus),
      memory_(size_t(site.pool.nodes), site.memory * kHostShare) {}

bool Room::take(const PlannedModel& m) {
  std::vector<size_t> nodes;
  for (size_t i = 0; i < gpus_.size() && nodes.size() < size_t(m.nodes); ++i)
    if (gpus_[i] >= m.gpus_per_node && (!knows_memory_ || memory_[i] >= double(m.memory)))
      nodes.push_back(i);
  if (nodes.size() < size_t(m.nodes)) return false;
  for (const size_t i : nodes) {
    gpus_[i] -= m.gpus_per_node;
    memory_[i] -= double(m.memory);
  }
  return true;
}

int Room::free_gpus() const { return std::accumulate(gpus_.begin(), gpus_.end(), 0); }

double Room::free_memory() const { return std::accumulate(memory_.begin(), memory_.end(), 0.0); }

Result<void> lay_replicas(const Site& site, const std::vector<const PlannedModel*>& models,
                          std::vector<std::string>& notes) {
  Room room(site);
  std::vector<const PlannedModel*> order = models;
  std::ranges::stable_sort(order, [](const PlannedModel* a, const PlannedModel* b) {
    return std::tuple(a->nodes, a->gpus_per_node, a->memory) >
           std::tuple(b->nodes, b->gpus_per_node, b->memory);
  });
  for (const PlannedModel* m : order)
    for (int i = 0; i < m->entry->replicas; ++i)
      if (!room.take(*m)) return no_room(site, *m, i, models);
  for (const PlannedModel* m : order)
    for (int i = m->entry->replicas; i < m->entry->max_replicas; ++i) {
      if (room.take(*m)) continue;
      notes.push_back(fmt::format(
          "model '{}': {} of max_replicas {} have room in {}; more nodes have to come with them",
          m->entry->name, i, m->entry->max_replicas, site.pool.name));
      break;
    }
  return {};
}

Result<void> share_cpus(const Site& site, const std::vector<PlannedModel*>& models) {
  // A core stays free where there are four or more, for everything that is not a model.
  const int usable = site.cores >= 4 ? site.cores - 1 : site.cores;
  int replicas = 0;
  for (const PlannedModel* m : models)
    if (m->cpu && m->entry->cpus <= 0) replicas += std::max(1, m->entry->replicas);
  const int a_node = (replicas + site.pool.nodes - 1) / std::max(1, site.pool.nodes);
  for (PlannedModel* m : models) {
    if (m->entry->cpus > 0) {
      m->cpus = m->entry->cpus;
      if (site.cores > 0 && m->cpus > site.cores)
        return Error{ErrorCode::kDataRefused,
                     fmt::format("model '{}': {} cpus, and a node of {} has {}", m->entry->name,
                                 m->cpus, site.pool.name, site.cores),
                     fmt::format("cpus: {} or less", site.cores)};
    } else if (m->cpu) {
      m->cpus = std::max(1, usable / std::max(1, a_node));
      m->arithmetic.push_back(fmt::format("cpus {} = {} usable cores / {} replicas on CPUs a node",
                                          m->cpus, usable, a_node));
    } else {
      m->cpus = 2 + m->gpus_per_node;
      m->arithmetic.push_back(fmt::format("cpus {} = 2 + {} GPUs x 1", m->cpus, m->gpus_per_node));
    }
  }
  return {};
}

}  // namespace aictl::platform
