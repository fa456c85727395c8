// The JSON of `topo matrix`: what an nvidia-smi table says, and the groups that follow from it.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "core/topology/groups.hpp"

namespace aictl::topology {
namespace {

constexpr int kGroupSizes[] = {2, 4, 8};

/// Links by their ends.
class LinkTable {
 public:
  explicit LinkTable(const Topology& topology) {
    for (const Link& link : topology.links) links_.emplace(std::pair{link.a, link.b}, &link);
  }

  const Link* find(std::string_view a_kind, int a, std::string_view b_kind, int b) const {
    if (a_kind == b_kind && b < a) std::swap(a, b);
    const auto at = links_.find({fmt::format("{}{}", a_kind, a), fmt::format("{}{}", b_kind, b)});
    return at == links_.end() ? nullptr : at->second;
  }

 private:
  std::map<std::pair<std::string, std::string>, const Link*> links_;
};

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json gpu_row(const Topology& topology, const LinkTable& links, int index) {
  const Gpu& gpu = topology.gpus[index];
  Level nearest = Level::kUnknown;
  Json names = Json::array();
  for (size_t nic = 0; nic < topology.nics.size(); ++nic) {
    const Link* link = links.find("gpu", index, "nic", int(nic));
    if (link == nullptr || link->level == Level::kUnknown || link->level > nearest) continue;
    if (link->level < nearest) names = Json::array();
    nearest = link->level;
    names.push_back(topology.nics[nic].name);
  }
  return {{"index", index},
          {"cpu_affinity", text_or_null(gpu.cpuset.list())},
          {"numa_affinity", text_or_null(gpu.nodeset.list())},
          {"gpu_numa_id", gpu.memory_node ? Json(*gpu.memory_node) : Json()},
          {"nearest_nics", names},
          {"nearest_nic_level", nearest == Level::kUnknown ? Json() : Json(word(nearest))}};
}

/// Three matrices side by side: words, GB/s, and who says so.
void add_links(const LinkTable& links, std::span<const int> gpus, Json& out) {
  Json words = Json::array(), gbs = Json::array(), sources = Json::array();
  for (int a : gpus) {
    Json word_row = Json::array(), gbs_row = Json::array(), source_row = Json::array();
    for (int b : gpus) {
      const Link* link = links.find("gpu", a, "gpu", b);
      const Level none = a == b ? Level::kSelf : Level::kUnknown;
      word_row.push_back(link == nullptr ? std::string(word(none)) : link->word());
      const bool known = link != nullptr && link->gbs;
      gbs_row.push_back(known ? Json(*link->gbs) : Json());
      source_row.push_back(known ? Json(word(link->source)) : Json());
    }
    words.push_back(std::move(word_row));
    gbs.push_back(std::move(gbs_row));
    sources.push_back(std::move(source_row));
  }
  out["gpu_links"] = std::move(words);
  out["gpu_link_gbs"] = std::move(gbs);
  out["gpu_link_source"] = std::move(sources);
}

/// Whether all pairs have direct links, and whether all pairs are alike; null below two GPUs.
void add_uniformity(const LinkTable& links, std::span<const int> gpus, Json& out) {
  bool full = true, uniform = true;
  std::string first;
  for (size_t i = 0; i < gpus.size(); ++i)
    for (size_t j = i + 1; j < gpus.size(); ++j) {
      const Link* link = links.find("gpu", gpus[i], "gpu", gpus[j]);
      const std::string text = link == nullptr ? "unknown" : link->word();
      if (link == nullptr || link->level != Level::kNv) full = false;
      if (first.empty()) first = text;
      uniform = uniform && text == first;
    }
  const bool pairs = gpus.size() > 1;
  out["nvlink_full_mesh"] = pairs ? Json(full) : Json();
  out["nvlink_uniform"] = pairs ? Json(uniform) : Json();
}

}  // namespace

Json matrix_json(const Topology& topology, std::span<const int> gpus) {
  const LinkTable links(topology);
  Json out = {{"gpus", gpus.size()}};
  out["nics"] = Json::array();
  for (const Nic& nic : topology.nics) out["nics"].push_back(nic.name);
  out["gpu"] = Json::array();
  for (int gpu : gpus) out["gpu"].push_back(gpu_row(topology, links, gpu));
  add_links(links, gpus, out);
  add_uniformity(links, gpus, out);
  out["best_tp_groups"] = Json::object();
  for (int size : kGroupSizes) {
    const BestGroups best = best_groups(topology, size, gpus);
    if (best.groups.empty()) continue;
    out["best_tp_groups"][std::to_string(size)] = {{"worst_link", best.worst_link},
                                                   {"n_optimal", best.groups.size()},
                                                   {"groups", best.groups}};
  }
  return out;
}

}  // namespace aictl::topology
