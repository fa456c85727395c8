// gateway, state, events, telemetry, storage: what stands beside the models.
#include "core/platform/spec/fields/platform_fields.hpp"

namespace aictl::platform {
namespace {

Fields listener_fields(Listener& l) {
  Fields f;
  f.add(Row("name", &l.name, "a name of it")).rule(kServiceLabelRule);
  f.add(Row("port", &l.port, "TCP port")).range(1, 65535);
  f.add(Row("hostname", &l.hostname, "answers this host name alone"))
      .rule(kHostnameRule)
      .derived("any");
  f.add(Row("certificate", &l.certificate,
            "a secret with tls.crt and tls.key; with it the listener speaks HTTPS"))
      .rule(kSubdomainRule);
  return f;
}

Fields budget_fields(Budget& b) {
  Fields f;
  f.add(Row("tokens", &b.tokens, "tokens in and out that a key has in a window; 0: no bound"))
      .range(0, 1e15);
  f.add(Row("window", &b.window, "how long a window is"));
  f.add(Row("requests_per_minute", &b.requests_per_minute, "requests of a key; 0: no bound"))
      .range(0, 1e6);
  return f;
}

Fields provider_fields(Provider& p) {
  Fields f;
  f.add(Row("name", &p.name, "its name in routes")).rule(kServiceLabelRule).required();
  f.add(Row("kind", &p.kind, "the dialect it speaks"))
      .choices({"openai", "anthropic", "gemini", "bedrock", "azure_openai", "vertex", "cohere",
                "mistral", "ollama"});
  f.add(Row("url", &p.url, "where it answers")).rule(kUrlRule).required();
  f.add(Row("secret", &p.secret, "a secret that has the credential")).rule(kSubdomainRule);
  f.add(Row("key", &p.key, "the credential's key in that secret")).rule(kSecretKeyRule);
  f.add(Row("models", &p.models, "models it serves; the last character may be *"))
      .rule(kModelPatternRule);
  return f;
}

Fields route_fields(Route& r) {
  Fields f;
  f.add(Row("model", &r.model, "what clients ask for")).rule(kModelNameRule).required();
  f.add(Row("backends", &r.backends, "models and providers by name; the first is tried first"))
      .rule(kModelNameRule)
      .derived("the model of that name");
  f.add(Row("policy", &r.policy, "which replica of a backend answers"))
      .choices({"least_loaded", "round_robin", "prefix_affinity"});
  f.add(Row("retries", &r.retries, "other replicas that are tried after a failure")).range(0, 10);
  f.add(Row("timeout", &r.timeout, "how long an answer may take"));
  return f;
}

Fields topic_fields(Topic& t) {
  Fields f;
  f.add(Row("name", &t.name, "its name")).rule(kTopicRule).required();
  f.add(Row("partitions", &t.partitions, "consumers of a group that can share it")).range(1, 1000);
  f.add(Row("retention", &t.retention, "how long events are kept"));
  return f.shorthand("name");
}

}  // namespace

Fields gateway_fields(Gateway& g) {
  Fields f;
  f.add(Row("enabled", &g.enabled, "whether there is one"));
  f.add(Row("replicas", &g.replicas, "how many there are")).range(1, 1000);
  f.list("listeners", &g.listeners, "where it listens", listener_fields)
      .derived("port 8080, without TLS");
  f.list("routes", &g.routes, "who answers which model", route_fields)
      .derived("every model under its name");
  f.list("providers", &g.providers, "models that others serve", provider_fields);
  f.add(Row("keys_secret", &g.keys_secret, "a secret that has the keys of clients, one a line"))
      .rule(kSubdomainRule)
      .derived("everybody may ask");
  f.section("budget", &g.budget, "what one key may use", budget_fields);
  return f;
}

Fields state_fields(State& s) {
  Fields f;
  f.add(Row("enabled", &s.enabled, "whether there is one"));
  f.add(Row("store", &s.store, "what keeps it"))
      .choices({"sqlite", "memory", "redis", "postgres", "mysql"});
  f.add(Row("ttl", &s.ttl, "how long a value is kept; 0s: for ever"));
  f.add(Row("size", &s.size, "room for it")).range(1 << 20, 1e15);
  f.add(Row("secret", &s.secret,
            "a secret that has the connection of redis, postgres or mysql under its key url"))
      .rule(kSubdomainRule);
  return f;
}

Fields events_fields(Events& e) {
  Fields f;
  f.add(Row("enabled", &e.enabled, "whether there are any"));
  f.add(Row("broker", &e.broker, "what carries them")).choices({"sqlite", "kafka"});
  f.list("topics", &e.topics, "what they are about", topic_fields);
  f.add(Row("size", &e.size, "room for them")).range(1 << 20, 1e15);
  return f;
}

Fields telemetry_fields(Telemetry& t) {
  Fields f;
  f.add(Row("enabled", &t.enabled, "whether traces are sent"));
  f.add(Row("otlp", &t.otlp, "the endpoint they are sent to"))
      .rule(kUrlRule)
      .derived("the collector that is generated");
  f.add(Row("prompts", &t.prompts, "also prompts and answers, which are personal data"));
  f.add(Row("sample", &t.sample, "share of the requests that are traced")).range(0, 1);
  return f;
}

Fields storage_fields(Storage& s) {
  Fields f;
  f.add(Row("model_class", &s.model_class, "storage class of the weights"))
      .rule(kSubdomainRule)
      .derived("the cluster's");
  f.add(Row("state_class", &s.state_class, "storage class of state and events"))
      .rule(kSubdomainRule)
      .derived("the cluster's");
  f.add(Row("models", &s.models, "room for weights"))
      .range(0, 1e15)
      .derived("what the models need, and a fifth more");
  f.add(Row("bring", &s.bring,
            "how weights come to a pod: a claim that all read, an image, a disk of the node, or "
            "each downloads them"))
      .choices({"claim", "image", "node", "download"});
  f.add(Row("disk_rate", &s.disk_rate, "bytes a second that weights are read at"))
      .range(0, 1e12)
      .derived("by the machine's disks, or 1G");
  f.add(Row("network_rate", &s.network_rate, "bytes a second that weights come over the network"))
      .range(0, 1e12)
      .derived("by the machine's network, or 1250M");
  return f;
}

}  // namespace aictl::platform
