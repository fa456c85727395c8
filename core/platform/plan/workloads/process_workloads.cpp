// Agents and jobs: processes of somebody else's, told where the models are.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "core/platform/plan/workloads/workloads.hpp"
#include "core/platform/spec/names.hpp"

namespace aictl::platform {
namespace {

using Kind = Reference::Kind;

void set(Workload& w, std::string name, Word value) {
  EnvironmentVariable variable;
  variable.name = std::move(name);
  variable.value = std::move(value);
  w.environment.push_back(std::move(variable));
}

Word url(std::string workload, const std::string& path) {
  return refer(Kind::kUrl, std::move(workload), path);
}

std::string upper_words(std::string_view name) {
  std::string out = slug(name);
  for (char& c : out) c = c == '-' ? '_' : c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c;
  return out;
}

// Where its models are: the gateway where there is one, else each by itself.
void tell_models(const Platform& p, const std::vector<std::string>& models, Workload& w) {
  if (models.empty()) return;
  set(w, "OPENAI_BASE_URL", url(p.gateway.enabled ? "gateway" : slug(models.front()), "/v1"));
  set(w, "AICTL_MODEL_NAMES", text(fmt::format("{}", fmt::join(models, ","))));
  if (p.gateway.enabled) return;
  for (const std::string& model : models)
    set(w, fmt::format("AICTL_MODEL_{}_URL", upper_words(model)), url(slug(model), "/v1"));
}

// Of the cluster that `generate strimzi` writes, its user and that user's Secret.
std::string kafka_name(const Platform& p) {
  constexpr size_t kLongest = 40;
  return slug(p.name, kLongest);
}

void tell_events(const Platform& p, const std::vector<std::string>& topics, Workload& w) {
  if (topics.empty()) return;
  if (p.events.broker == "kafka") {
    set(w, "KAFKA_BOOTSTRAP_SERVERS", text(kafka_name(p) + "-kafka-bootstrap:9092"));
    set(w, "KAFKA_SECURITY_PROTOCOL", text("SASL_PLAINTEXT"));
    set(w, "KAFKA_SASL_MECHANISM", text("SCRAM-SHA-512"));
    set(w, "KAFKA_SASL_USERNAME", text(kafka_name(p)));
    EnvironmentVariable password;
    password.name = "KAFKA_SASL_PASSWORD";
    password.secret = kafka_name(p);
    password.key = "password";
    w.environment.push_back(std::move(password));
  } else {
    set(w, "AICTL_EVENTS_URL", url("events", ""));
  }
  set(w, "AICTL_TOPICS", text(fmt::format("{}", fmt::join(topics, ","))));
}

// What the spec itself sets wins over what is told.
template <typename T>
void own_process(const T& t, Workload& w) {
  for (const std::string& word : t.command) w.argv.push_back(text(word));
  for (const auto& entry : t.env) {
    const std::string& name = entry.first;
    const EnvironmentValue& value = entry.second;
    std::erase_if(w.environment, [&](const EnvironmentVariable& v) { return v.name == name; });
    EnvironmentVariable variable;
    variable.name = name;
    if (value.secret.empty())
      variable.value = text(value.value);
    else
      variable.secret = value.secret, variable.key = value.key;
    w.environment.push_back(std::move(variable));
  }
  w.image = t.image;
  w.resources.cpus = t.cpus;
  w.resources.memory = t.memory;
  w.resources.gpus = t.gpus;
  w.resources.ephemeral = uint64_t{1} << 30;
  Mount tmp;
  tmp.name = "tmp";
  tmp.path = "/tmp";
  tmp.bytes = uint64_t{1} << 30;
  w.mounts.push_back(std::move(tmp));
  w.why["resources.cpus"] = w.why["resources.memory"] = "as the spec says, or its default";
}

}  // namespace

Workload agent_workload(const Platform& p, const Agent& agent) {
  Workload w;
  w.name = slug(agent.name);
  w.component = Component::kAgent;
  w.ports = {{"http", agent.port}};
  set(w, "PORT", refer(Kind::kPort, "http"));
  tell_models(p, agent.models, w);
  if (agent.state) set(w, "AICTL_STATE_URL", url("state", ""));
  tell_events(p, agent.topics, w);
  own_process(agent, w);
  if (!agent.health.empty()) {
    Probe startup, ready, live;
    startup.path = ready.path = live.path = agent.health;
    startup.failures = 12;
    ready.period = 5;
    live.period = 15, live.failures = 4;
    w.startup = startup, w.ready = ready, w.live = live;
  }
  w.startup_seconds = 120;
  w.replicas = w.max_replicas = agent.replicas;
  return w;
}

Workload job_workload(const Platform& p, const Job& job) {
  Workload w;
  w.name = slug(job.name);
  w.component = Component::kJob;
  w.model = job.model;
  if (!job.model.empty()) tell_models(p, {job.model}, w);
  own_process(job, w);
  w.replicas = w.max_replicas = job.parallelism;
  w.restart = Restart::kOnFailure;
  return w;
}

std::vector<External> externals_of(const Platform& p, const std::vector<Workload>& workloads) {
  std::map<std::string, std::set<std::string>> keys;  // of secrets
  for (const Workload& w : workloads)
    for (const EnvironmentVariable& v : w.environment)
      if (!v.secret.empty()) keys[v.secret].insert(v.key);
  for (const ModelEntry& m : p.models)
    if (!m.secret.empty()) keys[m.secret].insert("HF_TOKEN");
  const bool kafka = p.events.enabled && p.events.broker == "kafka";
  std::vector<External> out;
  for (const auto& [name, all] : keys) {
    External secret{"Secret", name, "", all};
    if (kafka && name == kafka_name(p)) secret.keys.clear();  // made beside the Kafka below
    out.push_back(std::move(secret));
  }
  for (const Listener& listener : p.gateway.listeners)
    if (p.gateway.enabled && !listener.certificate.empty() && !keys.contains(listener.certificate))
      out.push_back({"Secret",
                     listener.certificate,
                     fmt::format("kubectl -n {} create secret tls {} --cert=tls.crt --key=tls.key",
                                 p.space, listener.certificate),
                     {}});
  if (kafka) out.push_back({"Kafka", kafka_name(p), "aictl generate strimzi writes it", {}});
  return out;
}

}  // namespace aictl::platform
