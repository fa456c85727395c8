// placement, from where pods are sent: labels of nodes, and the nodes a model was planned for where
// aictl wrote them down.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/platform/import/settle.hpp"
#include "core/topology/bandwidth.hpp"

namespace aictl::platform {
namespace {

// Labels by which clouds and drivers tell the GPUs of a node.
constexpr std::string_view kGpuLabels[] = {
    "nvidia.com/gpu.product",        "amd.com/gpu.product-name", "cloud.google.com/gke-accelerator",
    "k8s.amazonaws.com/accelerator", "gpu.nvidia.com/class",     "gpu.nvidia.com/model"};

// "H100 SXM", as the table of GPUs calls it; empty when nothing tells.
std::string gpu_of(const Labels& labels, const std::string& asked) {
  std::vector<std::string> texts;
  for (const std::string_view key : kGpuLabels)
    if (const auto found = labels.find(std::string(key)); found != labels.end())
      texts.push_back(found->second);
  if (!asked.empty()) texts.push_back(asked);
  for (std::string& text : texts) {
    std::ranges::replace(text, '-', ' ');
    std::ranges::replace(text, '_', ' ');
    if (const topology::GpuSpec* spec = topology::gpu_spec(text)) return std::string(spec->name);
  }
  return {};
}

Json selector_of(const Labels& labels, const Labels& common) {
  Json selector = Json::object();
  for (const auto& label : labels)
    if (!common.contains(label.first)) selector[label.first] = label.second;
  return selector;
}

// Labels that all pods of agents and jobs ask for, and those of models as well.
Labels common_labels(const Draft& draft) {
  std::vector<const Entry*> all;
  for (const auto* list : {&draft.agents, &draft.jobs})
    for (const Entry& entry : *list) all.push_back(&entry);
  if (all.empty()) return {};
  for (const Entry& entry : draft.models) all.push_back(&entry);
  Labels common = all.front()->nodes;
  for (const Entry* entry : all)
    std::erase_if(common, [&](const auto& label) {
      const auto found = entry->nodes.find(label.first);
      return found == entry->nodes.end() || found->second != label.second;
    });
  return common;
}

// A pool as aictl wrote it beside a model; null where that does not read.
Json written_pool(const std::string& text) {
  if (text.empty()) return nullptr;
  auto read = parse_json(text);
  const bool good =
      read && read->is_object() && read->contains("name") && (*read)["name"].is_string();
  return good ? std::move(*read) : Json();
}

struct Kind {
  std::string gpu;
  Labels labels;
  std::vector<const Entry*> models;
  bool operator==(const Kind& other) const { return gpu == other.gpu && labels == other.labels; }
};

int64_t replicas_of(const Entry& entry) {
  const Json replicas = entry.fields.value("replicas", Json(1));
  return replicas.is_number_integer() ? std::clamp<int64_t>(replicas.get<int64_t>(), 1, 1000) : 1;
}

// As many nodes as hold the replicas when the large ones are laid first.
int64_t nodes_for(std::vector<const Entry*> models, int64_t gpus) {
  std::ranges::stable_sort(models, {}, [](const Entry* each) { return -each->gpus; });
  std::vector<int64_t> left;
  for (const Entry* model : models)
    for (int64_t i = 0; i < replicas_of(*model) * std::min<int64_t>(model->hosts, 1000); ++i) {
      if (left.size() >= 10000) return 10000;
      auto node = std::ranges::find_if(left, [&](int64_t free) { return free >= model->gpus; });
      if (node == left.end()) node = left.insert(left.end(), gpus);
      *node -= model->gpus;
    }
  return std::max<int64_t>(int64_t(left.size()), 1);
}

// Pools for models of others: nodes that are alike by their labels, no larger than they have to be.
void add_pools(Draft& draft, const Labels& common, Json& pools) {
  std::vector<Kind> kinds;
  for (Entry& model : draft.models) {
    if (!written_pool(model.pool).is_null() || model.gpus <= 0) continue;
    Kind kind{gpu_of(model.nodes, model.gpu), model.nodes, {}};
    if (kind.gpu.empty()) {
      draft.leave(model.label, "placement",
                  "no label of a node tells which GPUs it has; add placement.pools");
      continue;
    }
    auto known = std::ranges::find(kinds, kind);
    if (known == kinds.end()) known = kinds.insert(kinds.end(), std::move(kind));
    known->models.push_back(&model);
  }
  for (const Kind& kind : kinds) {
    int64_t gpus = 1, most = 0;
    for (const Entry* model : kind.models) most = std::max(most, model->gpus);
    while (gpus < most && gpus < 64) gpus *= 2;
    const std::string name = pools.empty() ? "gpu" : fmt::format("gpu-{}", pools.size() + 1);
    Json pool = {{"name", name}};
    if (Json selector = selector_of(kind.labels, common); !selector.empty())
      pool["selector"] = std::move(selector);
    pool["nodes"] = nodes_for(kind.models, gpus);
    pool["gpu"] = kind.gpu;
    pool["gpus"] = gpus;
    pools.push_back(std::move(pool));
    draft.leave("placement", fmt::format("pools[{}]", pools.size() - 1),
                "as many nodes and GPUs as these pods take; say what there is");
  }
}

}  // namespace

Json placement_of(Draft& draft) {
  const Labels common = common_labels(draft);
  Json placement = Json::object(), pools = Json::array();
  for (const Entry& model : draft.models) {
    Json pool = written_pool(model.pool);
    const auto same = [&](const Json& each) { return each["name"] == pool["name"]; };
    if (pool.is_null() || std::ranges::any_of(pools, same)) continue;
    pool.erase("selector");
    if (Json selector = selector_of(model.nodes, common); !selector.empty())
      pool["selector"] = std::move(selector);
    pools.push_back(std::move(pool));
  }
  add_pools(draft, common, pools);
  bool gpus = false;
  for (const Json& pool : pools) gpus |= pool.contains("gpu");
  for (Entry& model : draft.models) {
    if (!gpus && model.on_cpu) model.fields.erase("device");
    const Json pool = written_pool(model.pool);
    if (pools.size() > 1 && !pool.is_null()) model.fields["pool"] = pool["name"];
  }
  if (!common.empty()) placement["selector"] = selector_of(common, {});
  if (!pools.empty()) placement["pools"] = std::move(pools);
  return placement;
}

}  // namespace aictl::platform
