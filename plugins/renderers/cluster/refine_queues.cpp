// Quotas and trees of nodes for Kueue, Volcano and Armada, from the pools.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "core/platform/spec/names.hpp"
#include "plugins/renderers/cluster/refine.hpp"

namespace aictl::renderers {
namespace {

struct Amounts {
  int64_t gpus = 0, cpus = 0;
  uint64_t memory = 0;
};

Amounts pool_amounts(const Json& pool) {
  const auto nodes = pool["nodes"].get<int64_t>();
  return {pool["gpus"].get<int64_t>() * nodes, pool["cpus"].get<int64_t>() * nodes,
          pool["memory_bytes"].get<uint64_t>() * static_cast<uint64_t>(nodes)};
}

// What the spec asks for, else the share of one of `queues` in what the nodes have, at least
// what one replica of everything in it takes.
Json quota(const std::string& name, const Json& asked, int64_t have, size_t queues) {
  const bool given = !asked.is_null() && asked != "" && asked != 0;
  Json entry = {{"name", name}};
  entry["quota"] = given
                       ? (asked.is_string() ? asked : Json(fmt::format("{}", asked.get<int64_t>())))
                       : Json(fmt::format("{}", have / static_cast<int64_t>(queues)));
  entry["why"] = given ? "" : fmt::format("  # {} of the nodes / {} queues", have, queues);
  return entry;
}

Json flavor_resources(const Json& queue, const Json& pool, const std::string& gpu, size_t queues,
                      bool with_gpus, bool first) {
  const Amounts have = pool_amounts(pool);
  // A quota of the spec is for the whole queue: it stands in the first flavor that has the thing.
  const auto asked = [&](const char* key) { return first ? queue[key] : Json(nullptr); };
  Json resources = Json::array();
  resources.push_back(quota("cpu", asked("cpu"), std::max<int64_t>(have.cpus, 1), queues));
  Json memory = quota("memory", asked("memory"), static_cast<int64_t>(have.memory >> 30), queues);
  if (memory["why"] != "") memory["quota"] = memory["quota"].get<std::string>() + "Gi";
  resources.push_back(std::move(memory));
  resources.push_back({{"name", "ephemeral-storage"}, {"quota", "10Ti"}, {"why", ""}});
  if (with_gpus) resources.push_back(quota(gpu, asked("gpus"), have.gpus, queues));
  return resources;
}

}  // namespace

Result<void> refine_kueue(const platform::Cluster& cluster, Json& variables) {
  const std::string gpu = cluster.gpu_resource();
  const size_t queues = variables["queues"].size();
  bool with_gpus = false;
  for (const Json& pool : variables["pools"]) with_gpus |= pool["gpus"].get<int64_t>() > 0;
  for (Json& queue : variables["queues"]) {
    queue["covered"] = Json::array({"cpu", "memory", "ephemeral-storage"});
    if (with_gpus) queue["covered"].push_back(gpu);
    queue["flavors"] = Json::array();
    for (const Json& pool : variables["pools"])
      queue["flavors"].push_back(
          {{"pool", pool["name"]},
           {"resources",
            flavor_resources(queue, pool, gpu, queues, with_gpus, queue["flavors"].empty())}});
  }
  return {};
}

Result<void> refine_volcano(const platform::Cluster& cluster, Json& variables) {
  Amounts all;
  for (const Json& pool : variables["pools"]) {
    const Amounts have = pool_amounts(pool);
    all.gpus += have.gpus;
    all.cpus += have.cpus;
    all.memory += have.memory;
  }
  const auto queues = static_cast<int64_t>(variables["queues"].size());
  for (Json& queue : variables["queues"]) {
    queue["why"] = "";
    Json& most = queue["capability"] = Json::object();
    most["cpu"] = queue["cpu"] != ""
                      ? queue["cpu"]
                      : Json(fmt::format("{}", std::max<int64_t>(all.cpus / queues, 1)));
    most["memory"] =
        queue["memory"] != ""
            ? queue["memory"]
            : Json(platform::memory_quantity(all.memory / static_cast<uint64_t>(queues)));
    if (all.gpus > 0)
      most[cluster.gpu_resource()] =
          fmt::format("{}", queue["gpus"] != 0 ? queue["gpus"].get<int64_t>() : all.gpus / queues);
  }
  // A leaf a pool, by the labels of its nodes, and one above them all.
  Json& nodes = variables["hypernodes"] = Json::array();
  Json members = Json::array();
  for (const Json& pool : variables["pools"]) {
    const std::string name =
        platform::derived_name(cluster.prefix(), pool["name"].get<std::string>());
    const Json labels =
        pool["labels"].empty() ? Json{{"kubernetes.io/os", "linux"}} : pool["labels"];
    Json leaf = Json::array();
    leaf.push_back({{"type", "Node"}, {"selector", {{"labelMatch", {{"matchLabels", labels}}}}}});
    nodes.push_back({{"name", name},
                     {"tier", 1},
                     {"members", std::move(leaf)},
                     {"why", "the nodes of a pool"}});
    members.push_back({{"type", "HyperNode"}, {"selector", {{"exactMatch", {{"name", name}}}}}});
  }
  if (members.size() > 1)
    nodes.push_back({{"name", platform::derived_name(cluster.prefix(), "all")},
                     {"tier", 2},
                     {"members", std::move(members)},
                     {"why", "across pools"}});
  return {};
}

Result<void> refine_armada(const platform::Cluster& cluster, Json& variables) {
  Json style = {{"priority_class", variables["knobs"]["priority_class"]}};
  variables["style"] = std::move(style);
  std::set<std::string> used;
  for (const Json& w : variables["workloads"])
    if (w["owner"] == "armada") used.insert(w["queue"].get<std::string>());
  variables["used_queues"] = used;
  (void)cluster;
  return {};
}

}  // namespace aictl::renderers
