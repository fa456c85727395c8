// What the templates of Dapr, KServe, Knative, Ray and groups of nodes are given beside the plan.
#include <algorithm>

#include <fmt/format.h>

#include "core/placement/model/formats.hpp"
#include "core/platform/generate/render/templates.hpp"
#include "core/platform/spec/names.hpp"
#include "core/value/yaml_write.hpp"
#include "plugins/renderers/cluster/refine.hpp"

namespace aictl::renderers {
namespace {

using platform::Cluster;

Json from_secret(const char* name, const std::string& secret, const char* key) {
  return {{"name", name}, {"secretKeyRef", {{"name", secret}, {"key", key}}}};
}

Json text_entry(const char* name, const std::string& value) {
  return {{"name", name}, {"value", value}};
}

// The component of the state store. Sidecars share it, so a file of one process will not do.
Json store_of(const Cluster& cluster, const Json& knobs) {
  const platform::State& state = cluster.platform().state;
  Json store = {{"version", "v1"}, {"note", ""}}, entries = Json::array(), secrets = Json::array();
  const std::string secret = state.secret.empty() ? cluster.prefix() + "-state" : state.secret;
  if (state.store == "postgres") {
    store["type"] = "state.postgresql";
    store["version"] = "v2";
    entries.push_back(from_secret("connectionString", secret, "connection"));
    secrets.push_back(secret + " key connection");
  } else if (state.store == "mysql" || cluster.has("vitess")) {
    store["type"] = "state.mysql";  // Vitess speaks it; no schema's name in the connection string
    entries.push_back(from_secret("connectionString", secret, "connection"));
    secrets.push_back(secret + " key connection");
  } else {
    store["type"] = "state.redis";
    const auto host = knobs["redis"].get<std::string>();
    entries.push_back(text_entry("redisHost", host));
    if (state.store == "redis") {
      entries.push_back(from_secret("redisPassword", secret, "password"));
      secrets.push_back(secret + " key password");
    } else {
      store["note"] =
          fmt::format("state.store is '{}', which sidecars cannot share: they use the Redis at {}",
                      state.store, host);
    }
  }
  if (state.ttl.count() > 0)
    entries.push_back(text_entry("ttlInSeconds", fmt::format("{}", state.ttl.count())));
  entries.push_back(text_entry("actorStateStore", "true"));
  store["metadata"] = std::move(entries);
  store["secrets"] = std::move(secrets);
  return store;
}

// Strimzi's name for the brokers it makes, unless the spec says where they are.
std::string bootstrap_of(const Cluster& cluster, const Json& knobs) {
  const auto given = knobs["bootstrap"].get<std::string>();
  const platform::Platform& p = cluster.platform();
  return given.empty() ? fmt::format("{}-kafka-bootstrap.{}.svc:9092", cluster.prefix(), p.space)
                       : given;
}

Json pubsub_of(const Cluster& cluster, const Json& knobs, Json& store) {
  Json pubsub = Json::object(), entries = Json::array();
  if (cluster.platform().events.broker == "kafka") {
    pubsub["type"] = "pubsub.kafka";
    // Who uses what strimzi makes signs in as the user it makes there.
    auto user = knobs["kafka_secret"].get<std::string>();
    if (user.empty() && knobs["bootstrap"] == "") user = cluster.prefix();
    entries.push_back(text_entry("brokers", bootstrap_of(cluster, knobs)));
    entries.push_back(text_entry("consumerGroup", cluster.prefix() + "-{appID}"));
    entries.push_back(text_entry("authType", user.empty() ? "none" : "password"));
    if (!user.empty()) {
      entries.push_back(text_entry("saslMechanism", "SHA-512"));
      entries.push_back(text_entry("saslUsername", cluster.prefix()));
      entries.push_back(from_secret("saslPassword", user, "password"));
      entries.push_back(text_entry("disableTls", "true"));
      store["secrets"].push_back(user + " key password");
    }
  } else {
    pubsub["type"] = "pubsub.redis";
    entries.push_back(text_entry("redisHost", knobs["redis"].get<std::string>()));
    entries.push_back(text_entry("consumerID", cluster.prefix()));
  }
  pubsub["metadata"] = std::move(entries);
  return pubsub;
}

// The workload of an agent of the spec.
std::string agent_workload(const Cluster& cluster, const std::string& name) {
  const std::string own = platform::slug(name);
  for (const Workload& w : cluster.plan().workloads)
    if (w.component == Component::kAgent && w.name == own) return w.name;
  for (const Workload& w : cluster.plan().workloads)
    if (w.component == Component::kAgent && w.name.ends_with(own)) return w.name;
  return own;
}

// Words of vLLM's command line as its keyword arguments: "--task embed" -> task: embed.
void add_keywords(const std::vector<std::string>& args, Json& engine) {
  std::string key;
  for (const std::string& arg : args) {
    if (!arg.starts_with("--")) {
      if (!key.empty()) engine[key] = arg;
      key.clear();
      continue;
    }
    const size_t equals = std::min(arg.find('='), arg.size());
    key = arg.substr(2, equals - 2);
    std::replace(key.begin(), key.end(), '-', '_');
    engine[key] = equals < arg.size() ? Json(arg.substr(equals + 1)) : Json(true);
  }
}

// Ray Serve LLM's own words for a model.
Json serve_config(const platform::ModelEntry& entry, const Json& m, const Json& w,
                  const std::string& path) {
  Json engine = {{"tensor_parallel_size", m["tensor"]},
                 {"pipeline_parallel_size", m["pipeline"]},
                 {"max_model_len", m["context"]},
                 {"max_num_seqs", m["sequences"]},
                 {"gpu_memory_utilization", 0.9}};
  if (m["kv_type"] != "") engine["kv_cache_dtype"] = m["kv_type"];
  const std::string quant = placement::canonical_quant(entry.quantisation);
  if (quant == "FP8") engine["quantization"] = "fp8";
  if (quant == "AWQ") engine["quantization"] = "awq";
  if (quant == "GPTQ") engine["quantization"] = "gptq";
  add_keywords(entry.args, engine);
  Json config = {{"model_loading_config", {{"model_id", m["name"]}, {"model_source", path}}}};
  std::string product = m["product"].get<std::string>();
  if (product.starts_with("NVIDIA")) product.erase(0, 7);
  if (!product.empty()) config["accelerator_type"] = product.substr(0, product.find_first_of(" -"));
  config["engine_kwargs"] = std::move(engine);
  const auto sequences = m["sequences"].get<int64_t>();
  config["deployment_config"] = {{"autoscaling_config",
                                  {{"min_replicas", w["replicas"]},
                                   {"max_replicas", w["max_replicas"]},
                                   {"target_ongoing_requests", sequences}}},
                                 {"max_ongoing_requests", 2 * sequences}};
  Json application = {{"name", w["name"]},
                      {"import_path", "ray.serve.llm:build_openai_app"},
                      {"route_prefix", "/"}};
  application["args"]["llm_configs"] = Json::array();
  application["args"]["llm_configs"].push_back(std::move(config));
  Json tree = {{"applications", Json::array()}};
  tree["applications"].push_back(std::move(application));
  return tree;
}

std::string shell_word(const std::string& text) {
  const bool plain = !text.empty() && text.find_first_not_of(
                                          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                          "0123456789_@%+=:,./-") == text.npos;
  if (plain) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

// An LLMInferenceService starts vLLM itself, from its base configuration: what is left to say goes
// through a variable, and mounts that the base makes are left out.
void leave_to_base(Json& w) {
  constexpr std::string_view kOwn[] = {"serve",
                                       "--host",
                                       "--port",
                                       "--tensor-parallel-size",
                                       "--pipeline-parallel-size",
                                       "--served-model-name"};
  std::string more;
  bool flags = false, skip = false;  // words before the first flag are "serve" and the model
  for (const Json& argument : w["args"]) {
    const auto text = argument.get<std::string>();
    if (text.starts_with("--")) {
      const std::string_view flag = std::string_view(text).substr(0, text.find('='));
      flags = true;
      skip = std::find(std::begin(kOwn), std::end(kOwn), flag) != std::end(kOwn);
    }
    if (flags && !skip) more += (more.empty() ? "" : " ") + text;
  }
  w["command"] = Json::array();
  w["args"] = Json::array();
  if (!more.empty()) w["env"].push_back({{"name", "VLLM_ADDITIONAL_ARGS"}, {"value", more}});
  const auto of_base = [](const Json& mount) { return mount["name"] == "shm"; };
  for (const char* list : {"mounts", "volumes"}) {
    Json kept = Json::array();
    for (const Json& each : w[list])
      if (!of_base(each)) kept.push_back(each);
    w[list] = std::move(kept);
  }
}

std::string path_of_weights(const Cluster& cluster, const Workload& w) {
  for (const Mount& mount : w.mounts)
    if (mount.kind == Mount::Kind::kModel)
      return cluster.resolve(w, {Reference::Kind::kPath, mount.name});
  return w.model;
}

}  // namespace

Result<void> refine_dapr(const Cluster& cluster, Json& variables) {
  const Json knobs = variables["knobs"];  // a copy: new variables move the old ones
  Json store = store_of(cluster, knobs), pubsub = pubsub_of(cluster, knobs, store);
  variables["store"] = std::move(store);
  variables["pubsub"] = std::move(pubsub);
  variables["sidecars"] = Json::array();
  for (const Json& w : variables["workloads"])
    if (w["dapr"] == true) variables["sidecars"].push_back(w["name"]);
  variables["subscriptions"] = Json::array();
  for (const platform::Agent& agent : cluster.platform().agents)
    for (const std::string& topic : agent.topics) {
      const std::string app = agent_workload(cluster, agent.name);
      variables["subscriptions"].push_back(
          {{"name", platform::derived_name(app, platform::slug(topic, 40, "t"))},
           {"topic", topic},
           {"app", app},
           {"dead", topic + ".dead"}});
    }
  return {};
}

Result<void> refine_kserve(const Cluster& cluster, Json& variables) {
  const std::string& bring = cluster.platform().storage.bring;
  for (Json& m : variables["models"]) {
    const Json weights = m["weights"];
    const auto folder = weights["folder"].get<std::string>();
    if (bring == "download" && weights["fetch"] == true)
      m["uri"] = fmt::format("hf://{}:{}", weights["repository"].get<std::string>(),
                             weights["revision"].get<std::string>());
    else if (bring == "image")
      m["uri"] =
          fmt::format("oci+native://{}/{}:weights", cluster.options().weights_registry, folder);
    else
      m["uri"] =
          fmt::format("pvc://{}/{}", platform::derived_name(cluster.prefix(), "models"), folder);
    if (variables["knobs"]["mode"] == "cache" && weights["fetch"] == true)
      m["uri"] = fmt::format("hf://{}:{}", weights["repository"].get<std::string>(),
                             weights["revision"].get<std::string>());
  }
  if (variables["knobs"]["mode"] != "llm") return {};
  // The base configuration decides between HTTP and HTTPS; a started server accepts either.
  variables["style"] = {{"container", "main"}, {"claims", true}, {"startup_tcp", true}};
  // The other nodes of a replica answer nobody.
  variables["other_style"] = {{"container", "main"}, {"containers", true}, {"wait", true},
                              {"ports", false},      {"probes", false},    {"lifecycle", false}};
  for (Json& w : variables["workloads"])
    if (w["owner"] == "kserve") leave_to_base(w);
  return {};
}

Result<void> refine_monitoring(const Cluster& cluster, Json& variables) {
  auto dashboard = platform::render_template(cluster.request().templates,
                                             "monitoring/dashboard.json.j2", variables);
  if (!dashboard) return std::move(dashboard).error();
  if (auto read = parse_json(*dashboard); !read)
    return std::move(read).error().within("monitoring/dashboard.json.j2");
  variables["dashboard"] = *std::move(dashboard);
  return {};
}

Result<void> refine_knative(const Cluster& cluster, Json& variables) {
  std::string bootstrap = bootstrap_of(cluster, variables["knobs"]);
  variables["bootstrap"] = std::move(bootstrap);
  const Json given = variables["knobs"];
  const bool ours = given["bootstrap"] == "" && given["kafka_secret"] == "";
  variables["kafka_secret"] =
      ours ? Json(platform::derived_name(cluster.prefix(), "kafka")) : given["kafka_secret"];
  variables["kafka_user"] = ours ? cluster.prefix() : "";
  for (Json& w : variables["workloads"]) {
    w["concurrency"] = 8;
    for (const Json& m : variables["models"])
      if (m["workload"] == w["name"])
        w["concurrency"] = std::max<int64_t>(m["sequences"].get<int64_t>(), 1);
  }
  for (Json& agent : variables["agents"])
    agent["workload"] = agent_workload(cluster, agent["name"].get<std::string>());
  return {};
}

Result<void> refine_kuberay(const Cluster& cluster, Json& variables) {
  for (Json& w : variables["workloads"]) {
    Json labels = w["pod_labels"];
    labels["role"] = "head";
    w["labels_head"] = std::move(labels);
    if (w["owner"] != "kuberay") continue;
    const Workload* workload = cluster.plan().workload(w["name"].get<std::string>());
    std::string entry;
    for (const char* part : {"command", "args"})
      for (const Json& word : w[part])
        entry += (entry.empty() ? "" : " ") + shell_word(word.get<std::string>());
    w["entrypoint"] = entry;
    w["image"] = variables["knobs"]["image"];
    w["command"] = Json::array();  // the operator starts Ray
    w["args"] = Json::array();
    for (const char* probe : {"startup", "ready", "live"}) w[probe] = nullptr;
    for (const Json& m : variables["models"])
      if (m["workload"] == w["name"]) {
        std::string text = write_yaml(serve_config(*cluster.model(*workload)->entry, m, w,
                                                   path_of_weights(cluster, *workload)));
        w["serve_config"] = std::move(text);
      }
  }
  return {};
}

// How vLLM on each node of a group finds the others; only the first answers requests. A JobSet's
// workers add their rank from the index they are started with.
Json group_of(const Json& w) {
  Json group = {{"leader", Json::array()}, {"worker", Json::array()}};
  if (w["nodes"].get<int>() < 2) return group;
  const bool jobset = w["owner"] == "jobset";
  const auto name = w["name"].get<std::string>();
  const std::string size = jobset ? fmt::format("{}", w["nodes"].get<int>()) : "$(LWS_GROUP_SIZE)";
  const std::string leader =
      jobset ? fmt::format("{}-leader-0-0.{}", name, name) : "$(LWS_LEADER_ADDRESS)";
  for (const char* role : {"leader", "worker"})
    group[role] = Json::array(
        {"--distributed-executor-backend=mp", "--nnodes=" + size, "--master-addr=" + leader});
  group["leader"].push_back("--node-rank=0");
  group["worker"].push_back("--headless");
  if (!jobset) group["worker"].push_back("--node-rank=$(LWS_WORKER_INDEX)");
  return group;
}

Result<void> refine_strimzi(const Cluster& cluster, Json& variables) {
  Json& knobs = variables["knobs"];
  if (knobs["cluster"] == "") knobs["cluster"] = cluster.prefix();
  if (knobs["namespace"] == "") knobs["namespace"] = cluster.platform().space;
  return {};
}

Result<void> refine_groups(const Cluster&, Json& variables) {
  for (Json& w : variables["workloads"]) {
    Json group = group_of(w);
    w["group"] = std::move(group);
    for (const char* role : {"leader", "worker"}) {
      Json labels = w["pod_labels"];
      labels["role"] = role;
      w[std::string("labels_") + role] = std::move(labels);
    }
    Json selector = w["selector"];
    selector["role"] = "leader";
    w["selector_leader"] = std::move(selector);
  }
  return {};
}

}  // namespace aictl::renderers
