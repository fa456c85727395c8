// Quotas and trees of nodes for Kueue, Volcano and Armada, from the pools.
#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "core/platform/spec/names.hpp"
#include "plugins/renderers/cluster/refine.hpp"

namespace aictl::renderers {
namespace {

struct Amounts {
  int64_t gpus = 0;
  double cpus = 0;
  uint64_t memory = 0;

  Amounts& operator+=(const Amounts& other) {
    gpus += other.gpus, cpus += other.cpus, memory += other.memory;
    return *this;
  }
};

Amounts pool_amounts(const Json& pool) {
  const auto nodes = pool["nodes"].get<int64_t>();
  return {pool["gpus"].get<int64_t>() * nodes, pool["cpus"].get<double>() * double(nodes),
          pool["memory_bytes"].get<uint64_t>() * static_cast<uint64_t>(nodes)};
}

// What serves takes of a pool, as its queue says.
Amounts needs_of(const Json& queue, const Json& pool) {
  for (const Json& need : queue["needs"])
    if (need["pool"] == pool["name"])
      return {need["gpus"].get<int64_t>(), need["cpus"].get<double>(),
              need["memory"].get<uint64_t>()};
  return {};
}

Amounts served_on(const Json& queues, const Json& pool) {
  Amounts all;
  for (const Json& queue : queues) all += needs_of(queue, pool);
  return all;
}

// Those that share what is left: all but the one with needs of its own.
int64_t sharing(const Json& queues) {
  return std::count_if(queues.begin(), queues.end(),
                       [](const Json& queue) { return queue["needs"].empty(); });
}

// A queue's share of a pool where it asks for nothing itself, with the sum behind each.
struct Share {
  Amounts amounts;
  std::string gpus, cpus, memory;
};

Share share_of(const Json& queues, const Json& pool) {
  const Amounts have = pool_amounts(pool), served = served_on(queues, pool);
  const int64_t n = std::max<int64_t>(sharing(queues), 1);
  const auto why = [&](int64_t all, int64_t taken) {
    return taken > 0 ? fmt::format("  # ({} of the nodes - {} to serve) / {} queues", all, taken, n)
                     : fmt::format("  # {} of the nodes / {} queues", all, n);
  };
  const auto cpus = std::max<int64_t>(int64_t(have.cpus), 1);
  const auto served_cpus = int64_t(std::ceil(served.cpus));
  const auto memory = int64_t(have.memory >> 30), kGi = int64_t{1} << 30;
  const auto served_memory = (int64_t(served.memory) + kGi - 1) / kGi;
  Share share;
  share.amounts.gpus = std::max<int64_t>(have.gpus - served.gpus, 0) / n;
  share.amounts.cpus = double(std::max<int64_t>(cpus - served_cpus, 0) / n);
  share.amounts.memory = uint64_t(std::max<int64_t>(memory - served_memory, 0) / n) << 30;
  share.gpus = why(have.gpus, served.gpus);
  share.cpus = why(cpus, served_cpus);
  share.memory = why(memory, served_memory);
  return share;
}

Json entry(const std::string& name, std::string quota, std::string why) {
  return {{"name", name}, {"quota", std::move(quota)}, {"why", std::move(why)}};
}

std::string whole(double value) { return fmt::format("{:.0f}", value); }

std::string gibi(uint64_t bytes) { return fmt::format("{}Gi", bytes >> 30); }

// A quota of the spec is for the whole queue: it stands in the first flavor that has the thing, and
// the others have none of it.
Json flavor_resources(const Json& queue, const Json& queues, const Json& pool,
                      const std::string& gpu, bool with_gpus, bool first, bool first_gpus) {
  Json resources = Json::array();
  if (!queue["needs"].empty()) {
    const Amounts need = needs_of(queue, pool);
    const char* why = "  # what serves, with all its replicas";
    resources.push_back(entry("cpu", platform::cpu_quantity(need.cpus), why));
    resources.push_back(entry("memory", platform::memory_quantity(need.memory), why));
    resources.push_back(entry("ephemeral-storage", "10Ti", ""));
    if (with_gpus) resources.push_back(entry(gpu, fmt::format("{}", need.gpus), why));
    return resources;
  }
  const Share share = share_of(queues, pool);
  if (queue["cpu"] == "")
    resources.push_back(entry("cpu", whole(share.amounts.cpus), share.cpus));
  else
    resources.push_back(entry("cpu", first ? queue["cpu"].get<std::string>() : "0", ""));
  if (queue["memory"] == "")
    resources.push_back(entry("memory", gibi(share.amounts.memory), share.memory));
  else
    resources.push_back(entry("memory", first ? queue["memory"].get<std::string>() : "0", ""));
  resources.push_back(entry("ephemeral-storage", "10Ti", ""));
  if (!with_gpus) return resources;
  if (queue["gpus"] == 0)
    resources.push_back(entry(gpu, fmt::format("{}", share.amounts.gpus), share.gpus));
  else
    resources.push_back(
        entry(gpu, fmt::format("{}", first_gpus ? queue["gpus"].get<int64_t>() : 0), ""));
  return resources;
}

// The GPUs a queue has: what it asks for, else its share of all pools.
int64_t gpus_of(const Json& queue, const Json& variables) {
  if (queue["gpus"] != 0) return queue["gpus"].get<int64_t>();
  int64_t gpus = 0;
  for (const Json& pool : variables["pools"])
    gpus += share_of(variables["queues"], pool).amounts.gpus;
  return gpus;
}

// A job whose pods start together and take more than its queue, and those it borrows from, ever
// have would wait for good.
Result<void> check_jobs(const platform::Cluster& cluster, const Json& variables) {
  for (const Workload& w : cluster.plan().workloads) {
    if (w.component != Component::kJob || w.resources.gpus == 0) continue;
    const std::string name = platform::queue_of(cluster, w);
    const int64_t wanted = int64_t{w.resources.gpus} * w.nodes * w.replicas;
    int64_t most = 0;
    std::string cohort;
    for (const Json& queue : variables["queues"])
      if (queue["name"] == name) cohort = queue["cohort"].get<std::string>();
    for (const Json& queue : variables["queues"])
      if (queue["name"] == name || (!cohort.empty() && queue["cohort"] == cohort))
        most += gpus_of(queue, variables);
    if (wanted <= most) continue;
    return Error{
        ErrorCode::kDataRefused,
        fmt::format("job '{}' takes {} x {} GPUs = {} at once, and its queue '{}'{} has {}", w.name,
                    w.replicas, w.resources.gpus * w.nodes, wanted, name,
                    cohort.empty() ? "" : " with its cohort", most),
        "it would wait for good: fewer of them, or more gpus of the queue"};
  }
  return {};
}

// The quotas of GPUs that were asked for, where the nodes do not have them all.
std::string promises(const Json& variables) {
  int64_t have = 0, promised = 0;
  std::string sum;
  const auto add = [&](const Json& queue, int64_t gpus) {
    if (gpus == 0) return;
    promised += gpus;
    sum += fmt::format("{}{} {}", sum.empty() ? "" : " + ", queue["name"].get<std::string>(), gpus);
  };
  for (const Json& queue : variables["queues"]) add(queue, queue["gpus"].get<int64_t>());
  for (const Json& pool : variables["pools"]) have += pool_amounts(pool).gpus;
  for (const Json& queue : variables["queues"]) {
    Amounts needs;
    for (const Json& pool : variables["pools"]) needs += needs_of(queue, pool);
    add(queue, needs.gpus);
  }
  if (promised <= have) return {};
  return fmt::format(
      "queues promise {} = {} GPUs, and the nodes have {}: what is admitted last waits for nodes",
      sum, promised, have);
}

}  // namespace

Result<void> refine_kueue(const platform::Cluster& cluster, Json& variables) {
  if (auto fits = check_jobs(cluster, variables); !fits) return fits;
  const std::string gpu = cluster.gpu_resource();
  std::string note = promises(variables);
  variables["queue_note"] = std::move(note);
  bool with_gpus = false;
  for (const Json& pool : variables["pools"]) with_gpus |= pool["gpus"].get<int64_t>() > 0;
  const Json queues = variables["queues"];
  for (Json& queue : variables["queues"]) {
    queue["covered"] = Json::array({"cpu", "memory", "ephemeral-storage"});
    if (with_gpus) queue["covered"].push_back(gpu);
    Json flavors = Json::array();
    bool gpus_seen = false;
    for (const Json& pool : variables["pools"]) {
      const bool has_gpus = pool["gpus"].get<int64_t>() > 0;
      flavors.push_back({{"pool", pool["name"]},
                         {"resources", flavor_resources(queue, queues, pool, gpu, with_gpus,
                                                        flavors.empty(), has_gpus && !gpus_seen)}});
      gpus_seen |= has_gpus;
    }
    queue["flavors"] = std::move(flavors);
  }
  return {};
}

namespace {

Json capability(const Json& queue, const Json& variables, const std::string& gpu) {
  Amounts all, has;
  for (const Json& pool : variables["pools"]) {
    all += pool_amounts(pool);
    has += queue["needs"].empty() ? share_of(variables["queues"], pool).amounts
                                  : needs_of(queue, pool);
  }
  Json most = Json::object();
  most["cpu"] =
      queue["cpu"] != "" ? queue["cpu"] : Json(platform::cpu_quantity(std::max(has.cpus, 1.0)));
  most["memory"] =
      queue["memory"] != "" ? queue["memory"] : Json(platform::memory_quantity(has.memory));
  if (all.gpus > 0)
    most[gpu] = fmt::format("{}", queue["gpus"] != 0 ? queue["gpus"].get<int64_t>() : has.gpus);
  return most;
}

// A leaf a pool, by the labels of its nodes, and one above them all. A pool without labels cannot
// be told from other nodes.
void add_hypernodes(const platform::Cluster& cluster, Json& variables) {
  Json nodes = Json::array(), members = Json::array(), unknown = Json::array();
  for (const Json& pool : variables["pools"]) {
    if (pool["labels"].empty()) {
      unknown.push_back(pool["name"]);
      continue;
    }
    const std::string name =
        platform::derived_name(cluster.prefix(), pool["name"].get<std::string>());
    Json leaf = Json::array();
    leaf.push_back(
        {{"type", "Node"}, {"selector", {{"labelMatch", {{"matchLabels", pool["labels"]}}}}}});
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
  variables["hypernodes"] = std::move(nodes);
  variables["unlabelled"] = std::move(unknown);
}

}  // namespace

Result<void> refine_volcano(const platform::Cluster& cluster, Json& variables) {
  if (auto fits = check_jobs(cluster, variables); !fits) return fits;
  const std::string gpu = cluster.gpu_resource();
  std::string note = promises(variables);
  variables["queue_note"] = std::move(note);
  for (size_t i = 0; i < variables["queues"].size(); ++i) {
    Json most = capability(variables["queues"][i], variables, gpu);
    variables["queues"][i]["capability"] = std::move(most);
    variables["queues"][i]["why"] =
        variables["queues"][i]["needs"].empty() ? "" : "  # what serves, with all its replicas";
  }
  add_hypernodes(cluster, variables);
  // What a gang takes before its first pod starts: replicas serve on their own, the nodes of one
  // do not.
  for (Json& v : variables["workloads"]) {
    const Workload* w = cluster.plan().workload(v["name"].get<std::string>());
    const int members = w->component == Component::kJob ? std::max(w->replicas, 1) : w->nodes;
    v["gang"] = {
        {"members", members},
        {"cpu", platform::cpu_quantity(members * platform::pod_cpus(*w))},
        {"memory", platform::memory_quantity(uint64_t(members) * platform::pod_memory(*w))},
        {"gpus", members * w->resources.gpus}};
  }
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
