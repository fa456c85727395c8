// The gateway, the state store and the broker as processes.
#include <algorithm>

#include <fmt/format.h>

#include "core/base/units.hpp"
#include "core/config/schema.hpp"
#include "core/platform/plan/workloads/workloads.hpp"
#include "core/platform/spec/names.hpp"

namespace aictl::platform {
namespace {

using Kind = Reference::Kind;

constexpr uint64_t kMebibyte = uint64_t{1} << 20;

// A file whose text names addresses.
class Text {
 public:
  Text& line(std::string words) { return add(std::move(words) + "\n"); }
  Text& line(std::string words, Kind kind, std::string target, std::string rest) {
    add(std::move(words));
    word_.emplace_back(Reference{kind, std::move(target)});
    return add(std::move(rest) + "\n");
  }
  Word take() && { return std::move(word_); }

 private:
  Text& add(std::string words) {
    if (!word_.empty() && std::holds_alternative<std::string>(word_.back()))
      std::get<std::string>(word_.back()) += words;
    else
      word_.emplace_back(std::move(words));
    return *this;
  }
  Word word_;
};

// `value` as YAML reads it back whatever is in it.
std::string yaml_text(std::string_view value) { return dump_json(Json(std::string(value))); }

void add_backend(const Platform& p, const std::string& name, Text& out) {
  const auto provider =
      std::ranges::find_if(p.gateway.providers, [&](const Provider& x) { return x.name == name; });
  if (provider == p.gateway.providers.end())
    out.line(fmt::format("  - name: {}\n    url: \"", yaml_text(name)), Kind::kUrl, slug(name),
             "\"");
  else
    out.line(fmt::format("  - provider: {}", yaml_text(name)));
}

std::string port_name(const Listener& listener) {
  return derived_name(listener.name, "", kPortLength);
}

// Where a listener's certificate and key lie, as the files of a secret. Listeners may share one.
Mount certificate_mount(const Listener& listener) {
  Mount mount;
  mount.name = derived_name("tls", slug(listener.certificate, 40));
  mount.kind = Mount::Kind::kSecret;
  mount.path = "/etc/aictl-tls/" + slug(listener.certificate);
  mount.source = listener.certificate;
  return mount;
}

void add_certificates(const std::vector<Listener>& listeners, Text& out) {
  bool any = false;
  for (const Listener& listener : listeners) {
    if (listener.certificate.empty()) continue;
    if (!any) out.line("tls:");
    any = true;
    const std::string mount = certificate_mount(listener).name;
    out.line("- address: \"", Kind::kListen, port_name(listener), "\"");
    if (!listener.hostname.empty()) out.line("  hostname: " + yaml_text(listener.hostname));
    out.line("  certificate: \"", Kind::kPath, mount, "/tls.crt\"");
    out.line("  key: \"", Kind::kPath, mount, "/tls.key\"");
  }
}

Word gateway_file(const Platform& p) {
  Text out;
  out.line(p.gateway.routes.empty() ? "routes: []" : "routes:");
  for (const Route& route : p.gateway.routes) {
    out.line(fmt::format("- model: {}\n  policy: {}\n  retries: {}\n  timeout: {}\n  backends:",
                         yaml_text(route.model), route.policy, route.retries,
                         exact_duration(route.timeout)));
    for (const std::string& backend : route.backends) add_backend(p, backend, out);
  }
  out.line(p.gateway.providers.empty() ? "providers: []" : "providers:");
  for (const Provider& x : p.gateway.providers) {
    out.line(fmt::format("- name: {}\n  kind: {}\n  url: {}", yaml_text(x.name), x.kind,
                         yaml_text(x.url)));
    if (!x.secret.empty()) out.line(fmt::format("  key_variable: {}", provider_variable(x.name)));
    if (!x.models.empty()) {
      out.line("  models:");
      for (const std::string& model : x.models) out.line("  - " + yaml_text(model));
    }
  }
  const Budget& b = p.gateway.budget;
  out.line(fmt::format("budget: {{tokens: {}, window: {}, requests_per_minute: {}}}", b.tokens,
                       exact_duration(b.window), b.requests_per_minute));
  if (p.state.enabled) out.line("state: \"", Kind::kUrl, "state", "\"");
  add_certificates(p.gateway.listeners, out);
  return std::move(out).take();
}

Mount config_mount(std::string file, Word content) {
  Mount mount;
  mount.name = "config";
  mount.kind = Mount::Kind::kConfig;
  mount.path = "/etc/aictl";
  mount.file = std::move(file);
  mount.content = std::move(content);
  return mount;
}

Mount data_mount(uint64_t bytes) {
  Mount mount;
  mount.name = "data";
  mount.kind = Mount::Kind::kState;
  mount.path = "/data";
  mount.bytes = bytes;
  return mount;
}

EnvironmentVariable from_secret(std::string name, std::string secret, std::string key) {
  EnvironmentVariable variable;
  variable.name = std::move(name);
  variable.secret = std::move(secret);
  variable.key = std::move(key);
  return variable;
}

Workload service(const char* name, Component component, int port) {
  Workload w;
  w.name = name;
  w.component = component;
  w.service = name;
  w.image = kAictlImage;
  w.ports = {{"http", port}};
  Probe startup;
  startup.failures = 6;
  Probe ready;
  ready.path = "/readyz", ready.period = 5;
  Probe live;
  live.path = "/livez", live.period = 15, live.failures = 4;
  w.startup = startup, w.ready = ready, w.live = live;
  w.resources.cpus = 1;
  w.resources.memory = 512 * kMebibyte;
  w.resources.ephemeral = 1024 * kMebibyte;
  w.why["resources.cpus"] = "one event loop";
  w.why["resources.memory"] = "512 MiB: connections and tables, whatever the models are";
  return w;
}

Workload store(const char* name, Component component, int port, const std::string& what,
               const std::string& kind, uint64_t bytes) {
  Workload w = service(name, component, port);
  w.argv = {text("aictl"), text(name), text("--address"), refer(Kind::kListen, "http"),
            text(what),    text(kind)};
  if (kind == "sqlite") {
    w.mounts.push_back(data_mount(bytes));
    w.argv.push_back(text("--data"));
    w.argv.push_back(refer(Kind::kPath, "data"));
    w.why["mounts.data"] = fmt::format("{}.size {}", name, format_bytes(bytes));
    w.why["replicas"] = "one: an embedded store has one writer";
  }
  return w;
}

}  // namespace

std::string provider_variable(std::string_view provider) {
  std::string name = "AICTL_PROVIDER_";
  for (const char c : provider)
    name += c == '-' ? '_' : c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c;
  return name + "_KEY";
}

Workload gateway_workload(const Platform& p) {
  Workload w = service("gateway", Component::kGateway, p.gateway.listeners.front().port);
  w.ports.clear();
  for (const Listener& listener : p.gateway.listeners)
    w.ports.push_back({port_name(listener), listener.port, !listener.certificate.empty()});
  // What runs beside it asks at the first port, and so do probes: one without TLS, if there is one.
  std::stable_partition(w.ports.begin(), w.ports.end(), [](const Port& port) { return !port.tls; });
  w.mounts.push_back(config_mount("gateway.yaml", gateway_file(p)));
  w.argv = {text("aictl"), text("gateway")};
  for (const Port& port : w.ports) {
    w.argv.push_back(text("--address"));
    w.argv.push_back(refer(Kind::kListen, port.name));
  }
  w.argv.push_back(text("--config"));
  w.argv.push_back(refer(Kind::kPath, "config", "/gateway.yaml"));
  for (const Listener& listener : p.gateway.listeners)
    if (Mount mount = certificate_mount(listener);
        !listener.certificate.empty() &&
        std::ranges::find(w.mounts, mount.name, &Mount::name) == w.mounts.end())
      w.mounts.push_back(std::move(mount));
  for (Probe* probe : {&*w.startup, &*w.ready, &*w.live}) probe->port = w.ports.front().name;
  if (!p.gateway.keys_secret.empty())
    w.environment.push_back(from_secret("AICTL_GATEWAY_KEYS", p.gateway.keys_secret, "keys"));
  for (const Provider& x : p.gateway.providers)
    if (!x.secret.empty())
      w.environment.push_back(from_secret(provider_variable(x.name), x.secret, x.key));
  w.replicas = w.max_replicas = p.gateway.replicas;
  w.shutdown_seconds = 75, w.linger_seconds = 15;
  w.why["shutdown_seconds"] = "streams that run are finished, as their models would";
  return w;
}

Workload state_workload(const Platform& p) {
  Workload w = store("state", Component::kState, 8100, "--store", p.state.store, p.state.size);
  if (p.state.ttl.count() > 0) {
    w.argv.push_back(text("--ttl"));
    w.argv.push_back(text(exact_duration(p.state.ttl)));
  }
  if (!p.state.secret.empty())
    w.environment.push_back(from_secret("AICTL_STATE_STORE_URL", p.state.secret, "url"));
  return w;
}

Workload events_workload(const Platform& p) {
  Workload w =
      store("events", Component::kEvents, 8200, "--broker", p.events.broker, p.events.size);
  Text topics;
  topics.line(p.events.topics.empty() ? "topics: []" : "topics:");
  for (const Topic& topic : p.events.topics)
    topics.line(fmt::format("- {{name: {}, partitions: {}, retention: {}}}", yaml_text(topic.name),
                            topic.partitions, exact_duration(topic.retention)));
  w.mounts.push_back(config_mount("events.yaml", std::move(topics).take()));
  w.argv.push_back(text("--config"));
  w.argv.push_back(refer(Kind::kPath, "config", "/events.yaml"));
  return w;
}

}  // namespace aictl::platform
