// Routes and backends of a gateway, and the stores of Dapr.
#include <algorithm>

#include <fmt/format.h>

#include "core/platform/spec/names.hpp"
#include "plugins/renderers/cluster/refine.hpp"

namespace aictl::renderers {
namespace {

using platform::Cluster;
using platform::Provider;

// How a provider is spoken to: its schema, and where its credential stands.
struct Dialect {
  std::string_view kind, schema, type, field, key;
};
constexpr Dialect kDialects[] = {
    {"anthropic", "Anthropic", "AnthropicAPIKey", "anthropicAPIKey", "apiKey"},
    {"azure", "AzureOpenAI", "AzureAPIKey", "azureAPIKey", "apiKey"},
    {"bedrock", "AWSBedrock", "AWSCredentials", "awsCredentials", "credentials"},
    {"cohere", "Cohere", "APIKey", "apiKey", "apiKey"},
    {"openai", "OpenAI", "APIKey", "apiKey", "apiKey"},
};

const Dialect& dialect_of(const std::string& kind) {
  for (const Dialect& each : kDialects)
    if (each.kind == kind) return each;
  return kDialects[std::size(kDialects) - 1];  // all others speak OpenAI's
}

struct Address {
  std::string host, prefix;
  int port = 443;
  bool tls = true;
};

Address address_of(const Provider& provider) {
  Address address;
  std::string_view url = provider.url;
  address.tls = !url.starts_with("http://");
  address.port = address.tls ? 443 : 80;
  if (const size_t scheme = url.find("://"); scheme != url.npos) url.remove_prefix(scheme + 3);
  const size_t slash = std::min(url.find('/'), url.size());
  address.prefix = url.substr(slash);
  std::string_view authority = url.substr(0, slash);
  if (const size_t colon = authority.rfind(':'); colon != authority.npos) {
    address.port = std::atoi(std::string(authority.substr(colon + 1)).c_str());
    authority = authority.substr(0, colon);
  }
  address.host = authority;
  while (address.prefix.ends_with('/')) address.prefix.pop_back();
  if (address.prefix == "/v1") address.prefix.clear();  // what OpenAI's schema puts there itself
  return address;
}

Json credential_of(const Provider& provider, const Dialect& dialect, const Json& knobs) {
  Json credential = {{"type", dialect.type}, {"field", dialect.field}, {"key", dialect.key}};
  const Json secret = {{"name", provider.secret}};
  if (dialect.field == "awsCredentials")
    credential["value"] = {{"region", knobs["region"]},
                           {"credentialsFile", {{"secretRef", secret}}}};
  else
    credential["value"] = {{"secretRef", secret}};
  return credential;
}

Json provider_backend(const Provider& provider, const Json& knobs) {
  const Dialect& dialect = dialect_of(provider.kind);
  const Address address = address_of(provider);
  return {{"name", platform::slug(provider.name)},
          {"schema", dialect.schema},
          {"prefix", dialect.schema == "OpenAI" ? address.prefix : ""},
          {"host", address.host},
          {"port", address.port},
          {"tls", address.tls},
          {"secret", provider.secret},
          {"credential", credential_of(provider, dialect, knobs)}};
}

Json model_backend(const Cluster& cluster, const Workload& w) {
  return {{"name", w.name},
          {"schema", "OpenAI"},
          {"prefix", ""},
          {"host",
           fmt::format("{}.{}.svc.cluster.local", cluster.service(w), cluster.platform().space)},
          {"port", cluster.service_port(w)},
          {"tls", false},
          {"secret", ""},
          {"credential", {{"type", ""}, {"field", ""}, {"value", ""}, {"key", ""}}}};
}

bool pooled(const Cluster& cluster, const Workload& w) {
  const std::string_view owner = cluster.owner(w);
  return cluster.has("inference-extension") && owner != "knative" && owner != "kuberay";
}

// Where requests for `name`, a model or a provider of the spec, go.
Json backend_ref(const Cluster& cluster, const std::string& name, const std::string& asked) {
  for (const platform::PlannedModel& model : cluster.plan().models)
    if (model.entry->name == name) {
      const Workload* w = cluster.plan().workload(model.workload);
      return {{"name", model.workload}, {"model", name}, {"pool", w && pooled(cluster, *w)}};
    }
  for (const Provider& provider : cluster.platform().gateway.providers)
    if (provider.name == name) {
      const auto& models = provider.models;
      const bool serves = std::find(models.begin(), models.end(), asked) != models.end();
      const bool plain = !models.empty() && !models.front().ends_with('*');
      return {{"name", platform::slug(name)},
              {"pool", false},
              {"model", serves || !plain ? asked : models.front()}};
    }
  return {{"name", platform::slug(name)}, {"model", asked}, {"pool", false}};
}

Json rule_of(const Cluster& cluster, const std::string& model,
             const std::vector<std::string>& backends, int64_t timeout) {
  Json rule = {{"model", model}, {"timeout", timeout}, {"backends", Json::array()}};
  for (const std::string& each : backends)
    rule["backends"].push_back(backend_ref(cluster, each, model));
  if (rule["backends"].size() > 1)  // a rule has one pool or several backends
    for (Json& each : rule["backends"]) each["pool"] = false;
  return rule;
}

Json rules_of(const Cluster& cluster) {
  const platform::Gateway& gateway = cluster.platform().gateway;
  Json rules = Json::array();
  std::vector<std::string> routed;
  for (const platform::Route& route : gateway.routes) {
    rules.push_back(rule_of(cluster, route.model, route.backends, route.timeout.count()));
    routed.push_back(route.model);
  }
  const auto add = [&](const std::string& model, const std::string& backend) {
    if (std::find(routed.begin(), routed.end(), model) != routed.end()) return;
    routed.push_back(model);
    rules.push_back(rule_of(cluster, model, {backend}, 600));
  };
  for (const platform::ModelEntry& model : cluster.platform().models) add(model.name, model.name);
  for (const Provider& provider : gateway.providers)
    for (const std::string& model : provider.models)
      if (!model.ends_with('*')) add(model, provider.name);
  return rules;
}

// A budget in the units the proxy counts in: the longest one that is no longer than the window.
Json budget_of(const platform::Budget& budget) {
  struct Unit {
    const char* name;
    int64_t seconds;
  };
  constexpr Unit kUnits[] = {{"Day", 86400}, {"Hour", 3600}, {"Minute", 60}, {"Second", 1}};
  const int64_t window = std::max<int64_t>(budget.window.count(), 1);
  for (const Unit& unit : kUnits) {
    if (unit.seconds > window) continue;
    const auto tokens =
        static_cast<int64_t>(static_cast<double>(budget.tokens) *
                             static_cast<double>(unit.seconds) / static_cast<double>(window));
    const std::string why = fmt::format("  # {} tokens in {} s", budget.tokens, window);
    return {{"unit", unit.name}, {"tokens", std::max<int64_t>(tokens, 1)}, {"why", why}};
  }
  return {{"unit", "Second"}, {"tokens", budget.tokens}, {"why", ""}};
}

}  // namespace

Result<void> refine_gateway(const Cluster& cluster, Json& variables) {
  const platform::Gateway& gateway = cluster.platform().gateway;
  Json listeners = variables["gateway"]["listeners"];
  if (listeners.empty())
    listeners.push_back({{"name", "http"}, {"port", 80}, {"hostname", ""}, {"certificate", ""}});
  variables["listeners"] = std::move(listeners);
  // Those within the cluster ask the gateway by this name, with the same certificate.
  variables["tls_names"] = Json::array();
  const Workload* own = cluster.plan().workload("gateway");
  if (std::ranges::any_of(cluster.flows(), [&](const auto& flow) { return flow.to == own; }))
    variables["tls_names"].push_back(
        fmt::format("{}.{}.svc", cluster.service(*own), cluster.platform().space));
  variables["rules"] = rules_of(cluster);
  if (variables["rules"].empty())
    return Error{ErrorCode::kDataRefused, "models is empty, and so is gateway.routes",
                 "a gateway needs something to route to: add a model or a provider with models"};
  variables["backends"] = Json::array();
  const auto used = [&](const Json& name) {
    for (const Json& rule : variables["rules"])
      for (const Json& each : rule["backends"])
        if (each["name"] == name && each["pool"] == false) return true;
    return false;
  };
  for (const platform::PlannedModel& model : cluster.plan().models)
    if (const Workload* w = cluster.plan().workload(model.workload); w && used(model.workload))
      variables["backends"].push_back(model_backend(cluster, *w));
  for (const Provider& provider : gateway.providers)
    if (used(platform::slug(provider.name)))
      variables["backends"].push_back(provider_backend(provider, variables["knobs"]));
  variables["budget"] = budget_of(gateway.budget);
  int retries = 1;
  for (const platform::Route& route : gateway.routes) retries = std::max(retries, route.retries);
  variables["retries"] = retries;
  return {};
}

}  // namespace aictl::renderers
