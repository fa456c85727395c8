// What a workload gets because of the other targets it is written down with: labels, annotations,
// whom it may reach.
#include "core/platform/generate/cluster/decorate.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/config/schema.hpp"
#include "core/platform/spec/names.hpp"

namespace aictl::platform {
namespace {

Json port_rule(Json to, std::initializer_list<int> ports) {
  Json rule = {{"to", Json::array({std::move(to)})}, {"ports", Json::array()}};
  for (const int port : ports) rule["ports"].push_back({{"port", port}, {"protocol", "TCP"}});
  return rule;
}

Json in_namespace(const std::string& name) {
  return {{"namespaceSelector", {{"matchLabels", {{"kubernetes.io/metadata.name", name}}}}}};
}

Json with_label(const char* key, const std::string& value) {
  return {{"podSelector", {{"matchLabels", {{key, value}}}}}};
}

void add_queue(const Cluster& cluster, const Workload& w, Json& v) {
  v["queued"] = queued(w);
  if (!queued(w)) return;
  if (cluster.has("kueue")) {
    v["object_labels"]["kueue.x-k8s.io/queue-name"] = v["queue"];
    v["object_labels"]["kueue.x-k8s.io/priority-class"] =
        cluster.prefix() + (w.component == Component::kJob ? "-batch" : "-serving");
    if (w.resources.gpus > 0)
      v["pod_annotations"][w.nodes > 1 ? "kueue.x-k8s.io/podset-required-topology"
                                       : "kueue.x-k8s.io/podset-preferred-topology"] =
          w.nodes > 1 ? "cloud.provider.com/topology-rack" : "kubernetes.io/hostname";
    if (w.nodes > 1 && cluster.owner(w) == "leaderworkerset")
      v["pod_annotations"]["kueue.x-k8s.io/podset-group-name"] = w.name;
  }
  if (cluster.has("volcano") && cluster.owner(w) != "volcano") {
    v["pod_annotations"]["scheduling.volcano.sh/queue-name"] = v["queue"];
    v["pod_annotations"]["scheduling.k8s.io/group-name"] = w.name;
  }
}

void add_dapr(const Cluster& cluster, const Workload& w, Json& v) {
  const bool sidecar = cluster.has("dapr") &&
                       (w.component == Component::kAgent || w.component == Component::kGateway);
  v["dapr"] = sidecar;
  if (!sidecar) return;
  Json& notes = v["pod_annotations"];
  notes["dapr.io/enabled"] = "true";
  notes["dapr.io/app-id"] = w.name;
  if (!w.ports.empty()) notes["dapr.io/app-port"] = fmt::format("{}", w.ports.front().number);
  notes["dapr.io/app-protocol"] = "http";
  notes["dapr.io/config"] = cluster.prefix();
  notes["dapr.io/log-as-json"] = "true";
  notes["dapr.io/sidecar-cpu-request"] = "100m";
  notes["dapr.io/sidecar-cpu-limit"] = "500m";
  notes["dapr.io/sidecar-memory-request"] = "128Mi";
  notes["dapr.io/sidecar-memory-limit"] = "256Mi";
  notes["dapr.io/sidecar-seccomp-profile-type"] = "RuntimeDefault";
  v["reaches"].push_back(port_rule(in_namespace("dapr-system"), {443, 50001, 50005, 50006}));
}

void add_reaches(const Cluster& cluster, const Workload& w, Json& v) {
  const Platform& p = cluster.platform();
  if (cluster.has("opentelemetry")) {
    v["reaches"].push_back(port_rule(
        with_label("app.kubernetes.io/component", "opentelemetry-collector"), {4317, 4318}));
    if (w.component == Component::kAgent)
      v["pod_annotations"]["instrumentation.opentelemetry.io/inject-sdk"] = cluster.prefix();
  }
  const int store = p.state.store == "redis"      ? 6379
                    : p.state.store == "postgres" ? 5432
                    : p.state.store == "mysql"    ? 3306
                                                  : 0;
  const bool stateful = w.component == Component::kState || w.component == Component::kGateway;
  if (p.state.enabled && store > 0 && (stateful || v["dapr"] == true))
    v["reaches"].push_back(port_rule({{"namespaceSelector", Json::object()}}, {store}));
  const bool speaks = w.component == Component::kEvents || w.component == Component::kAgent;
  if (speaks && p.events.enabled && p.events.broker == "kafka")
    v["reaches"].push_back(
        port_rule(with_label("strimzi.io/cluster", cluster.prefix()), {9092, 9093}));
  v["internet"] = (w.component == Component::kGateway && !p.gateway.providers.empty()) ||
                  (p.storage.bring == "download" && w.component == Component::kModel);
  if (cluster.has("inference-extension") && w.component == Component::kModel)
    v["open_to"].push_back(with_label("app.kubernetes.io/name", "endpoint-picker"));
  if (cluster.owner(w) == "knative") v["open_to"].push_back(in_namespace("knative-serving"));
}

// The nodes a model was planned for, in the words of placement.pools.
std::string pool_words(const Cluster& cluster, const std::string& name) {
  Json words = {{"name", name}};
  const auto say = [&](const char* key, const Json& value, const Json& nothing) {
    if (value != nothing) words[key] = value;
  };
  const auto of_spec = std::ranges::find(cluster.platform().placement.pools, name, &NodePool::name);
  const bool described =
      of_spec != cluster.platform().placement.pools.end() && of_spec->topology.empty();
  for (const PlannedPool& pool : cluster.plan().pools) {
    if (pool.name != name) continue;
    const topology::Topology& t = pool.topology;
    say("nodes", pool.nodes, 1);
    say("gpu", t.gpus.empty() ? std::string() : t.gpus.front().model, "");
    say("gpus", t.gpus.size(), t.gpus.empty() ? 0 : 1);
    say("cpus", objects_of(t, topology::ObjectType::kPu).size(), 0);
    const uint64_t memory = host_memory(t).value_or(0);
    say("memory", memory > 0 ? exact_bytes(memory) : "", "");
    say("sockets", described ? of_spec->sockets : 0, 0);
  }
  return dump_json(words);
}

void add_model(const Cluster& cluster, const Workload& w, Json& v) {
  v["fetched"] = Json::array();
  const PlannedModel* model = cluster.model(w);
  if (!model) return;
  const ModelEntry& entry = *model->entry;
  Json& notes = v["annotations"];
  notes["aictl.dev/model"] = entry.name;
  notes["aictl.dev/source"] = entry.source;
  notes["aictl.dev/image"] = w.image;
  if (!entry.revision.empty()) notes["aictl.dev/revision"] = entry.revision;
  if (!entry.checksum.empty()) notes["aictl.dev/checksum"] = entry.checksum;
  // What no field of Kubernetes has, for `aictl import`: what was planned, and for which machines.
  if (!entry.shape.empty()) notes["aictl.dev/shape"] = entry.shape;
  notes["aictl.dev/pool"] = pool_words(cluster, model->pool);
}

// Weights that a container before the first waits for, or downloads.
void add_fetched(const Cluster& cluster, const Workload& w, const Json& weights, Json& v) {
  const std::string& bring = cluster.platform().storage.bring;
  if (bring == "image" || cluster.owner(w) == "kserve") return;
  for (const Mount& mount : w.mounts) {
    if (mount.kind != Mount::Kind::kModel) continue;
    for (const Json& each : weights) {
      if (each["source"] != mount.source || each["fetch"] != true) continue;
      Json entry = each;
      entry["path"] = mount.path;
      for (const Json& at : v["mounts"])
        if (at["mountPath"] == mount.path) entry["mount"] = at;
      if (bring == "download") entry["mount"].erase("readOnly");
      if (entry.contains("mount")) v["fetched"].push_back(std::move(entry));
      break;
    }
  }
}

}  // namespace

void decorate(const Cluster& cluster, const Workload& w, const Json& weights, Json& v) {
  const Json labels = v["labels"];  // a copy: new variables move the old ones
  v["object_labels"] = labels;
  v["pod_labels"] = labels;
  v["annotations"] = Json::object();
  v["pod_annotations"] = Json::object();
  v["reaches"] = Json::array();
  v["open_to"] = Json::array();
  for (const Json& text : v["texts"])
    v["pod_annotations"]["aictl.dev/" + derived_name(text["name"].get<std::string>(), "digest")] =
        text["digest"];  // a changed text starts new pods
  // For who checks it: the GPUs a new pod takes beside the old ones are there.
  if (w.resources.gpus > 0 && v["kind"] == "Deployment" && v["max_surge"] == 1)
    v["annotations"]["aictl.dev/spare-gpus"] = fmt::format("{}", w.resources.gpus);
  add_queue(cluster, w, v);
  add_dapr(cluster, w, v);
  add_reaches(cluster, w, v);
  add_model(cluster, w, v);
  add_fetched(cluster, w, weights, v);
  v["headless"] = derived_name(w.name, "peers");
  v["retries"] = 3;
  for (const Job& job : cluster.platform().jobs)
    if (w.component == Component::kJob && w.name == slug(job.name)) v["retries"] = job.retries;
  v["metrics_port"] = w.ports.empty() ? "" : w.ports.front().name;
  v["metrics_tls"] = !w.ports.empty() && w.ports.front().tls;
  for (const Port& port : w.ports)
    if (port.name == "metrics") {
      v["metrics_port"] = port.name;
      v["metrics_tls"] = port.tls;
    }
  v["waiting_metric"] = "vllm:num_requests_waiting";
  v["waiting_query"] =
      fmt::format("sum(vllm:num_requests_waiting{{namespace=\"{}\",pod=~\"{}-.*\"}})",
                  cluster.platform().space, w.name);
}

}  // namespace aictl::platform
