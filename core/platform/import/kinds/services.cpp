// What stands beside the models: stores, brokers, topics, collectors, file systems.
#include <algorithm>

#include <fmt/format.h>

#include "core/platform/import/kinds/kinds.hpp"

namespace aictl::platform {
namespace {

// The topic of a name, added where there is none yet.
Json& topic(Draft& draft, const std::string& name) {
  Json& topics = section(draft.events)["topics"];
  if (!topics.is_array()) topics = Json::array();
  for (Json& each : topics)
    if (each.is_object() && each.value("name", Json()) == name) return each;
  topics.push_back({{"name", name}});
  return topics.back();
}

// Puts topics in the order of `names`, as the spec had them.
void order_topics(const std::vector<std::string>& names, Draft& draft) {
  for (const std::string& name : names) topic(draft, name);
  const auto place = [&](const Json& each) {
    const Json name = each.is_object() ? each.value("name", Json()) : Json();
    const auto found = std::ranges::find_if(names, [&](const auto& n) { return name == n; });
    return found - names.begin();
  };
  Json& topics = draft.events["topics"];
  std::vector<Json> sorted(topics.begin(), topics.end());
  std::ranges::stable_sort(sorted,
                           [&](const Json& a, const Json& b) { return place(a) < place(b); });
  topics = Json(sorted);
}

struct Store {
  std::string_view type, store;
};
constexpr Store kStores[] = {{"state.redis", "redis"},
                             {"state.postgresql", "postgres"},
                             {"state.mysql", "mysql"},
                             {"state.sqlite", "sqlite"},
                             {"state.in-memory", "memory"}};

void add_store(Object& object, std::string_view type, Draft& draft) {
  const Part spec = object["spec"];
  const auto row = std::ranges::find(kStores, type, &Store::type);
  if (row == std::end(kStores))
    return spec["type"].leave("state.store is sqlite, memory, redis, postgres or mysql");
  // Sidecars of ours share Redis where the store itself is a file of one process.
  const bool own = object.ours() && (!draft.state.is_null() || !draft.models.empty());
  if (own) return spec.take();
  Json& state = section(draft.state);
  state["store"] = row->store;
  for (const Part& entry : spec["metadata"].items()) {
    const std::string name = entry["name"].text(), value = entry["value"].text();
    const std::string secret = entry["secretKeyRef"]["name"].text();
    if (!secret.empty())
      state["secret"] = secret, entry.take();
    else if (name == "ttlInSeconds")
      state["ttl"] = value + "s";
    else if (name == "redisHost")
      draft.targets["dapr"]["redis"] = value;
    else if (name != "actorStateStore")
      entry.leave("the connection of a store is in its secret, under the key url");
  }
}

void add_pubsub(Object& object, std::string_view type, Draft& draft) {
  const Part spec = object["spec"];
  if (object.ours() && type != "pubsub.kafka") {
    draft.without_kafka = true;
    return spec.take();
  }
  if (type != "pubsub.kafka" && type != "pubsub.sqlite" && !object.ours())
    spec["type"].leave("events.broker is kafka or sqlite; sqlite is taken");
  section(draft.events)["broker"] = type == "pubsub.kafka" ? "kafka" : "sqlite";
  for (const Part& entry : spec["metadata"].items()) {
    if (entry["name"].text() == "brokers")
      draft.targets["dapr"]["bootstrap"] = entry["value"].text();
    if (const std::string secret = entry["secretKeyRef"]["name"].text(); !secret.empty())
      draft.targets["dapr"]["kafka_secret"] = secret;
    entry.take();
  }
}

// Kafka carries the events, unless a broker of ours that runs says otherwise.
Json& on_kafka(Object& object, Draft& draft) {
  Json& events = section(draft.events);
  const bool other = events.contains("broker") || draft.without_kafka;
  if (!object.ours() || !other) events["broker"] = "kafka";
  return events;
}

}  // namespace

void add_component(Object& object, Draft& draft) {
  const Part spec = object["spec"];
  const std::string type = spec["type"].text();
  spec["version"].take();
  for (const Part& scope : object["scopes"].items())
    if (object.ours()) draft.order.push_back(scope.text());
  object["scopes"].take();
  if (type.starts_with("state.")) return add_store(object, type, draft);
  if (type.starts_with("pubsub.")) return add_pubsub(object, type, draft);
  spec["type"].leave("of Dapr's components the spec has a state store and a broker");
}

void add_subscription(Object& object, Draft& draft) {
  const Part spec = object["spec"];
  const std::string name = spec["topic"].text();
  spec["pubsubname"].take();
  if (name.empty()) return;
  topic(draft, name);
  for (const Part& app : object["scopes"].items()) draft.subscribed[app.text()].push_back(name);
  const std::string route = spec["routes"]["default"].text();
  if (!route.empty()) draft.targets["dapr"]["route"] = route;
  if (object.ours() && spec["deadLetterTopic"]) spec["deadLetterTopic"].take();
}

void add_dapr_configuration(Object& object, Draft& draft) {
  const Part tracing = object["spec"]["tracing"];
  const double rate = tracing["samplingRate"].amount();
  if (tracing["samplingRate"] && (!object.ours() || tracing["otel"] || rate != 0.1))
    section(draft.telemetry)["sample"] = rate;
  if (tracing["otel"]) {
    section(draft.telemetry);
    tracing["otel"].take();
  }
  if (object["spec"]["metrics"]) object["spec"]["metrics"].take();
}

void add_broker(Object& object, Draft& draft) {
  if (object.annotation("eventing.knative.dev/broker.class") == "Kafka")
    on_kafka(object, draft);
  else
    object.leave("/spec", "events.broker is kafka or sqlite");
  object.take("");
}

void add_trigger(Object& object, Draft& draft) {
  const Part spec = object["spec"], attributes = spec["filter"]["attributes"];
  const std::string source = attributes["source"].text();
  const size_t hash = source.rfind('#');
  spec["broker"].take();
  const Part subscriber = spec["subscriber"];
  const std::string app = subscriber["ref"]["name"].text();
  subscriber["ref"].take();
  if (const std::string route = subscriber["uri"].text(); !route.empty())
    draft.targets["knative"]["route"] = route;
  if (hash == source.npos || app.empty())
    return spec["filter"].leave("an agent of the spec listens to a topic of Kafka");
  const std::string name = source.substr(hash + 1);
  topic(draft, name);
  draft.subscribed[app].push_back(name);
}

void add_kafka_source(Object& object, Draft& draft) {
  const Part spec = object["spec"];
  on_kafka(object, draft);
  order_topics(spec["topics"].texts(), draft);
  for (const Part& server : spec["bootstrapServers"].items())
    draft.targets["knative"]["bootstrap"] = server.text();
  for (const char* key : {"consumerGroup", "sink"})
    if (spec[key]) spec[key].take();
}

void add_kafka(Object& object, Draft& draft) {
  on_kafka(object, draft);
  Json& knobs = draft.targets["strimzi"];
  knobs["namespace"] = object.space();
  knobs["cluster"] = object.name();
  const Part kafka = object["spec"]["kafka"];
  set_text(knobs, "version", kafka["version"].text());
  set_text(knobs, "metadata_version", kafka["metadataVersion"].text());
  if (object.ours()) return object.take("");
  for (const char* key : {"listeners", "config", "authorization", "rack", "metricsConfig"})
    if (kafka[key]) kafka[key].leave("generate works it out itself");
  for (const char* key : {"entityOperator", "cruiseControl"})
    if (object["spec"][key]) object["spec"][key].take();
}

void add_kafka_nodes(Object& object, Draft& draft) {
  const Part spec = object["spec"];
  const std::vector<std::string> roles = spec["roles"].texts();
  const bool brokers = std::ranges::find(roles, "broker") != roles.end();
  double bytes = 0;
  std::vector<Part> volumes = spec["storage"]["volumes"].items();
  if (volumes.empty()) volumes.push_back(spec["storage"]);
  for (const Part& volume : volumes) {
    bytes += volume["size"].amount();
    if (const std::string name = volume["class"].text(); brokers && !name.empty())
      draft.storage["state_class"] = name;
  }
  if (!brokers) return object.take("");
  on_kafka(object, draft);
  if (bytes > 0) section(draft.events)["size"] = bytes_text(bytes);
  if (const auto replicas = spec["replicas"].integer())
    draft.targets["strimzi"]["brokers"] = *replicas;
  if (spec["storage"]) spec["storage"].take();
  for (const char* key : {"resources", "jvmOptions", "template"})
    if (spec[key] && !object.ours()) spec[key].leave("generate works it out itself");
  if (object.ours()) object.take("");
}

void add_kafka_topic(Object& object, Draft& draft) {
  const Part spec = object["spec"];
  std::string name = spec["topicName"].text();
  if (name.empty()) name = object.name();
  on_kafka(object, draft);
  Json& each = topic(draft, name);
  if (const auto partitions = spec["partitions"].integer()) each["partitions"] = *partitions;
  if (const auto kept = spec["config"]["retention.ms"].integer(); kept && *kept >= 0)
    each["retention"] = fmt::format("{}ms", *kept);
  if (spec["replicas"]) spec["replicas"].take();
  if (spec["config"]["min.insync.replicas"]) spec["config"]["min.insync.replicas"].take();
}

void add_kafka_user(Object& object, Draft& draft) {
  std::vector<std::string> names;
  for (const Part& rule : object["spec"]["authorization"]["acls"].items())
    if (rule["resource"]["type"].text() == "topic")
      names.push_back(rule["resource"]["name"].text());
  if (object.ours() && !names.empty()) order_topics(names, draft);
  object.take("");
}

void add_vitess(Object& object, Draft& draft) {
  const bool known = !draft.state.is_null();
  const bool runs = !draft.models.empty() || !draft.agents.empty() || !draft.jobs.empty();
  Json unused = Json::object();  // beside workloads of ours that keep nothing in it
  Json& state = object.ours() && runs && !known ? unused : section(draft.state);
  if (!known) state["store"] = "mysql";
  Json& knobs = draft.targets["vitess"];
  knobs["namespace"] = object.space();
  const Part spec = object["spec"];
  for (const Part& keyspace : spec["keyspaces"].items()) {
    set_text(knobs, "keyspace", keyspace["name"].text());
    for (const Part& cut : keyspace["partitionings"].items()) {
      if (const auto parts = cut["equal"]["parts"].integer()) knobs["shards"] = *parts;
      for (const Part& pool : cut["equal"]["shardTemplate"]["tabletPools"].items()) {
        const Part claim = pool["dataVolumeClaimTemplate"];
        if (const double bytes = claim["resources"]["requests"]["storage"].amount(); bytes > 0)
          state["size"] = bytes_text(bytes);
        set_text(draft.storage, "state_class", claim["storageClassName"].text());
      }
    }
  }
  for (const Part& cell : spec["cells"].items()) {
    set_text(knobs, "cell", cell["name"].text());
    set_text(knobs, "users_secret",
             cell["gateway"]["authentication"]["static"]["secret"]["name"].text());
  }
  set_text(knobs, "image", spec["images"]["vttablet"].text());
  for (const Part& place : spec["backup"]["locations"].items()) {
    for (const char* key : {"bucket", "region", "endpoint"})
      set_text(knobs, key, place["s3"][key].text());
    set_text(knobs, "backup_secret", place["s3"]["authSecret"]["name"].text());
  }
  if (object.ours()) object.take("");
}

void add_ceph(Object& object, Draft& draft) {
  Json& knobs = draft.targets["rook"];
  const Part spec = object["spec"];
  knobs["namespace"] = object.space();
  set_text(knobs, "image", spec["cephVersion"]["image"].text());
  set_text(knobs, "device_filter", spec["storage"]["deviceFilter"].text());
  if (object.ours()) object.take("");
}

void add_collector(Object& object, Draft& draft) {
  const Part spec = object["spec"], config = spec["config"];
  Json& telemetry = section(draft.telemetry);
  set_text(draft.targets["opentelemetry"], "image", spec["image"].text());
  const std::string endpoint = config["exporters"]["otlp"]["endpoint"].text();
  const bool traces = bool(config["service"]["pipelines"]["traces"]);
  if (traces && endpoint.find("://") != endpoint.npos)
    telemetry["otlp"] = endpoint;
  else if (traces && !endpoint.empty())
    draft.targets["opentelemetry"]["backend"] = endpoint;
  if (!traces && !object.ours()) config.leave("collectors of the spec carry traces");
  if (traces && object.ours() && !config["processors"]["attributes/prompts"])
    telemetry["prompts"] = true;
  if (object.ours()) return object.take("");
  for (const char* key : {"receivers", "processors", "service", "connectors", "extensions"})
    if (config[key]) config[key].leave("generate works it out itself");
}

void add_instrumentation(Object& object, Draft& draft) {
  const Part spec = object["spec"];
  const double rate = spec["sampler"]["argument"].amount();
  if (spec["sampler"]["argument"]) section(draft.telemetry)["sample"] = rate;
  spec["sampler"].take();
  if (object.ours()) return object.take("");
  for (const char* key : {"exporter", "propagators"})
    if (spec[key]) spec[key].leave("generate works it out itself");
}

}  // namespace aictl::platform
