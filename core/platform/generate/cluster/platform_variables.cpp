// A platform as templates see it.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "core/platform/generate/cluster/cluster.hpp"
#include "core/platform/generate/cluster/decorate.hpp"
#include "core/platform/spec/names.hpp"
#include "core/platform/spec/read.hpp"
#include "core/value/yaml_write.hpp"

namespace aictl::platform {
namespace {

// hf://org/model[/file.gguf][:revision] in its parts.
struct HubSource {
  std::string repository, file, revision;
};

std::optional<HubSource> hub_source(std::string_view source) {
  constexpr std::string_view kScheme = "hf://";
  if (!source.starts_with(kScheme)) return std::nullopt;
  std::string rest(source.substr(kScheme.size()));
  HubSource hub;
  if (const size_t colon = rest.rfind(':'); colon != rest.npos) {
    hub.revision = rest.substr(colon + 1);
    rest.resize(colon);
  }
  const size_t slash = rest.find('/');
  const size_t second = slash == rest.npos ? rest.npos : rest.find('/', slash + 1);
  hub.repository = rest.substr(0, second);
  if (second != rest.npos) hub.file = rest.substr(second + 1);
  return hub;
}

Json weights_of(std::string_view source, const std::string& revision, const std::string& checksum,
                const std::string& secret, uint64_t bytes) {
  const std::optional<HubSource> hub = hub_source(source);
  const std::string folder = Cluster::weights_folder(source);
  Json weights = {{"source", source}, {"folder", folder}, {"fetch", hub.has_value()}};
  weights["job"] = derived_name("fetch", folder, kWorkloadLength);
  weights["repository"] = hub ? hub->repository : "";
  weights["file"] = hub ? hub->file : "";
  weights["revision"] = !revision.empty()               ? revision
                        : hub && !hub->revision.empty() ? hub->revision
                                                        : "main";
  weights["pinned"] = weights["revision"] != "main";
  weights["checksum"] = checksum.starts_with("sha256:") ? checksum.substr(7) : checksum;
  weights["secret"] = secret;
  weights["bytes"] = bytes;
  weights["room"] = memory_quantity(bytes + bytes / 10);
  return weights;
}

Json model_variables(const Cluster& cluster, const PlannedModel& m) {
  const ModelEntry& entry = *m.entry;
  Json v = {{"name", entry.name},
            {"workload", m.workload},
            {"engine", entry.engine == ModelEngine::kVllm ? "vllm" : "aictl"},
            {"tensor", m.tensor},
            {"pipeline", m.pipeline},
            {"nodes", m.nodes},
            {"gpus_per_node", m.gpus_per_node},
            {"cpu", m.cpu},
            {"context", m.context},
            {"sequences", m.sequences},
            {"shm", memory_quantity(m.shm)}};
  v["kv_type"] = entry.kv_type;
  v["quantisation"] = entry.quantisation;
  v["replicas"] = entry.replicas;
  v["max_replicas"] = std::max(entry.replicas, entry.max_replicas);
  v["ttft_ms"] = entry.slo.ttft.count();
  v["tpot_ms"] = entry.slo.tpot.count();
  v["arithmetic"] = m.arithmetic;
  v["weight_bytes"] = m.weight_bytes;
  v["weights"] =
      weights_of(entry.source, entry.revision, entry.checksum, entry.secret, m.weight_bytes);
  v["memory"] = memory_quantity(m.memory);
  v["gpu_memory"] = "1Gi";
  for (const PlannedPool& pool : cluster.plan().pools)
    if (pool.name == m.pool && !pool.topology.gpus.empty() && pool.topology.gpus[0].memory_bytes)
      v["gpu_memory"] = memory_quantity(*pool.topology.gpus[0].memory_bytes / 100 * 95);
  v["product"] = "";
  for (const PlannedPool& pool : cluster.plan().pools)
    if (pool.name == m.pool && !pool.topology.gpus.empty())
      v["product"] = pool.topology.gpus[0].model;
  return v;
}

Json gateway_variables(const Cluster& cluster) {
  const Gateway& gateway = cluster.platform().gateway;
  Json v = {{"enabled", gateway.enabled},
            {"replicas", gateway.replicas},
            {"keys_secret", gateway.keys_secret},
            {"budget",
             {{"tokens", gateway.budget.tokens},
              {"window", gateway.budget.window.count()},
              {"requests_per_minute", gateway.budget.requests_per_minute}}}};
  v["listeners"] = Json::array();
  for (const Listener& each : gateway.listeners)
    v["listeners"].push_back({{"name", each.name},
                              {"port", each.port},
                              {"hostname", each.hostname},
                              {"certificate", each.certificate}});
  v["providers"] = Json::array();
  for (const Provider& each : gateway.providers)
    v["providers"].push_back({{"name", each.name},
                              {"slug", slug(each.name)},
                              {"kind", each.kind},
                              {"url", each.url},
                              {"secret", each.secret},
                              {"key", each.key},
                              {"models", each.models}});
  v["routes"] = Json::array();
  for (const Route& each : gateway.routes)
    v["routes"].push_back({{"model", each.model},
                           {"backends", each.backends},
                           {"policy", each.policy},
                           {"retries", each.retries},
                           {"timeout", each.timeout.count()}});
  return v;
}

Json parts_of(const Platform& p) {
  Json v = Json::object();
  v["state"] = {{"enabled", p.state.enabled},
                {"store", p.state.store},
                {"ttl", p.state.ttl.count()},
                {"size", memory_quantity(p.state.size)},
                {"secret", p.state.secret}};
  v["events"] = {{"enabled", p.events.enabled},
                 {"broker", p.events.broker},
                 {"size", memory_quantity(p.events.size)},
                 {"topics", Json::array()}};
  for (const Topic& each : p.events.topics)
    v["events"]["topics"].push_back({{"name", each.name},
                                     {"slug", slug(each.name, kLabelLength, "t")},
                                     {"partitions", each.partitions},
                                     {"retention_ms", each.retention.count() * 1000}});
  v["telemetry"] = {{"enabled", p.telemetry.enabled},
                    {"otlp", p.telemetry.otlp},
                    {"prompts", p.telemetry.prompts},
                    {"sample", p.telemetry.sample}};
  v["storage"] = {{"model_class", p.storage.model_class},
                  {"state_class", p.storage.state_class},
                  {"bring", p.storage.bring}};
  v["agents"] = Json::array();
  for (const Agent& each : p.agents)
    v["agents"].push_back({{"name", each.name},
                           {"slug", slug(each.name)},
                           {"port", each.port},
                           {"state", each.state},
                           {"topics", each.topics}});
  return v;
}

// Each set of weights once, with the room all of them take.
void add_weights(const Cluster& cluster, Json& v) {
  v["weights"] = Json::array();
  std::set<std::string> seen;
  uint64_t bytes = 0;
  const auto add = [&](Json weights) {
    if (!seen.insert(weights["folder"].get<std::string>()).second) return;
    bytes += weights["bytes"].get<uint64_t>();
    v["weights"].push_back(std::move(weights));
  };
  for (const Json& model : v["models"]) add(model["weights"]);
  for (const PlannedModel& model : cluster.plan().models)
    for (const Adapter& adapter : model.entry->adapters)
      add(weights_of(adapter.source, "", "", model.entry->secret, uint64_t{1} << 30));
  const uint64_t asked = cluster.platform().storage.models;
  const uint64_t room = asked > 0 ? asked : bytes + bytes / 4;
  v["weights_room"] = memory_quantity(std::max<uint64_t>(room, uint64_t{1} << 30));
  v["weights_why"] =
      asked > 0 ? "  # storage.models" : fmt::format("  # 1.25 x {} B of weights", bytes);
}

Json pools_of(const Cluster& cluster) {
  Json pools = Json::array();
  for (const PlannedPool& pool : cluster.plan().pools) {
    Json labels = Json::object();
    for (const auto& [key, value] : cluster.platform().placement.selector) labels[key] = value;
    for (const auto& [key, value] : pool.selector) labels[key] = value;
    const topology::Topology& t = pool.topology;
    const size_t cores = objects_of(t, topology::ObjectType::kPu).size();
    pools.push_back({{"name", slug(pool.name)},
                     {"labels", std::move(labels)},
                     {"nodes", pool.nodes},
                     {"gpus", t.gpus.size()},
                     {"cpus", cores},
                     {"memory", memory_quantity(host_memory(t).value_or(0))},
                     {"memory_bytes", host_memory(t).value_or(0)},
                     {"source", pool.source}});
  }
  return pools;
}

}  // namespace

Result<Json> platform_variables(const Cluster& cluster) {
  const Platform& p = cluster.platform();
  Json v = {{"platform", cluster.prefix()}, {"space", p.space}, {"digest", p.digest}};
  v["spec"] = write_yaml(platform_tree(p, false));
  v["targets"] = Json::object();
  for (const std::string& target : cluster.request().targets) v["targets"][target] = true;
  v["models"] = Json::array();
  for (const PlannedModel& model : cluster.plan().models)
    v["models"].push_back(model_variables(cluster, model));
  add_weights(cluster, v);
  v["workloads"] = Json::array();
  for (const Workload& workload : cluster.plan().workloads) {
    auto variables = workload_variables(cluster, workload);
    if (!variables) return std::move(variables).error();
    decorate(cluster, workload, v["weights"], *variables);
    v["workloads"].push_back(*std::move(variables));
  }
  v["agent"] = agent_variables(cluster, v["workloads"]);
  v.update(parts_of(p));
  v["gateway"] = gateway_variables(cluster);
  Json queues = queue_variables(cluster, v["workloads"], v["weights"]);
  v["queues"] = std::move(queues);
  v["serving_queue"] = serving_queue(cluster);
  v["pools"] = pools_of(cluster);
  v["gpu_resource"] = cluster.gpu_resource();
  const ClusterOptions& o = cluster.options();
  v["options"] = {{"autoscale", o.autoscale},           {"waiting", o.waiting},
                  {"prometheus", o.prometheus},         {"monitoring", o.monitoring_namespace},
                  {"gateways", o.gateway_namespace},    {"operators", o.operators},
                  {"fetch_image", o.fetch_image},       {"agent_image", o.agent_image},
                  {"weights_folder", o.weights_folder}, {"node_agent", o.node_agent}};
  return v;
}

}  // namespace aictl::platform
