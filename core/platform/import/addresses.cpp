// Who is meant by an address, and where a gateway sends what.
#include <algorithm>

#include <fmt/format.h>

#include "core/platform/import/settle.hpp"
#include "core/platform/spec/names.hpp"

namespace aictl::platform {
namespace {

std::string authority_of(const std::string& url) {
  const size_t scheme = url.find("://");
  const std::string rest = scheme == url.npos ? url : url.substr(scheme + 3);
  return rest.substr(0, rest.find_first_of("/:?#"));
}

// Whether the name is one inside a cluster: a Service, alone or with its namespace.
bool is_inside(const std::string& host) {
  return host.find('.') == host.npos || host.ends_with(".svc") ||
         host.ends_with(".svc.cluster.local") || std::ranges::count(host, '.') == 1;
}

bool selects(const Labels& selector, const Labels& labels) {
  return !selector.empty() && std::ranges::all_of(selector, [&](const auto& want) {
    const auto have = labels.find(want.first);
    return have != labels.end() && have->second == want.second;
  });
}

struct Dialect {
  std::string_view schema, kind;
};
constexpr Dialect kDialects[] = {
    {"OpenAI", "openai"},       {"Anthropic", "anthropic"}, {"AzureOpenAI", "azure_openai"},
    {"AWSBedrock", "bedrock"},  {"Cohere", "cohere"},       {"GCPVertexAI", "vertex"},
    {"GCPAnthropic", "vertex"}, {"AWSAnthropic", "bedrock"}};

std::string_view kind_of(std::string_view schema) {
  const auto row = std::ranges::find(kDialects, schema, &Dialect::schema);
  return row == std::end(kDialects) ? "openai" : row->kind;
}

std::string url_of(const std::string& host, int64_t port, const std::string& prefix) {
  const bool tls = port == 443 || port == 8443;
  std::string url = (tls ? "https://" : "http://") + host;
  if (port != (tls ? 443 : 80)) url += fmt::format(":{}", port);
  if (!prefix.empty()) url += (prefix.starts_with('/') ? "" : "/") + prefix;
  return url;
}

// The provider behind a backend, added to the gateway where it is not yet there.
Json* provider_of(const std::string& name, Draft& draft) {
  Json& providers = draft.gateway["providers"];
  if (!providers.is_array()) providers = Json::array();
  const std::string own = is_service_label(name) ? name : slug(name);
  for (Json& each : providers)
    if (each["name"] == own) return &each;
  const auto backend = draft.backends.find(name);
  if (backend == draft.backends.end()) return nullptr;
  const auto host = draft.hosts.find(backend->second.refers);
  if (host == draft.hosts.end()) return nullptr;
  Json provider = {{"name", own}, {"kind", kind_of(backend->second.schema)}};
  provider["url"] = url_of(host->second.first, host->second.second, backend->second.prefix);
  if (!backend->second.secret.empty()) {
    provider["secret"] = backend->second.secret;
    provider["key"] = backend->second.key;
  }
  providers.push_back(std::move(provider));
  return &providers.back();
}

// A route with its backends by the names of the spec.
Json route_of(const Json& written, Draft& draft) {
  Json route = written;
  const Json model = written.value("model", Json());
  route["backends"] = Json::array();
  for (const Json& each : written.value("backends", Json::array())) {
    const auto name = each.get<std::string>();
    const auto backend = draft.backends.find(name);
    const auto host = backend == draft.backends.end() ? draft.hosts.end()
                                                      : draft.hosts.find(backend->second.refers);
    const Entry* entry = host != draft.hosts.end() ? model_at(host->second.first, draft) : nullptr;
    if (!entry) entry = host == draft.hosts.end() ? model_at(name, draft) : nullptr;
    if (entry) {
      route["backends"].push_back(entry->fields["name"]);
    } else if (Json* provider = provider_of(name, draft)) {
      route["backends"].push_back((*provider)["name"]);
      Json& models = (*provider)["models"];
      if (!models.is_array()) models = Json::array();
      if (std::ranges::find(models, model) == models.end()) models.push_back(model);
    } else {
      draft.leave(fmt::format("route of {}", dump_json(model)), "backendRefs",
                  fmt::format("nobody says what the backend '{}' is", name));
    }
  }
  if (draft.retries >= 0) route["retries"] = draft.retries;
  return route;
}

// A route that every model has anyway.
bool is_usual(const Json& route, const Draft& draft) {
  const Json model = route.value("model", Json());
  if (route.value("backends", Json()) != Json::array({model}) && route.contains("backends"))
    return false;
  if (route.value("policy", Json("least_loaded")) != "least_loaded" ||
      route.value("retries", Json(1)) != 1)
    return false;
  const Json timeout = route.value("timeout", Json("10m"));
  if (timeout != "10m" && timeout != "600s") return false;
  return std::ranges::any_of(
      draft.models, [&](const Entry& each) { return each.fields.value("name", Json()) == model; });
}

// The last routes are left out where they are what the models would have, in their order.
void drop_usual_routes(Draft& draft) {
  if (!draft.gateway.contains("routes") || !draft.gateway["routes"].is_array()) return;
  Json& routes = draft.gateway["routes"];
  size_t kept = routes.size(), model = draft.models.size();
  while (kept > 0 && is_usual(routes[kept - 1], draft)) {
    const Json name = routes[kept - 1].value("model", Json());
    bool found = false;
    while (model > 0 && !found) found = draft.models[--model].fields.value("name", Json()) == name;
    if (!found) break;
    --kept;
  }
  while (routes.size() > kept) routes.erase(routes.size() - 1);
  if (routes.empty()) draft.gateway.erase("routes");
}

}  // namespace

std::string host_of(const std::string& url) {
  const std::string host = authority_of(url);
  return is_inside(host) ? host.substr(0, host.find('.')) : "";
}

const Entry* model_at(const std::string& url, const Draft& draft) {
  const std::string name = host_of(url);
  if (name.empty()) return nullptr;
  for (const Entry& each : draft.models)
    for (const char* end : {"", "-predictor", "-serve-svc", "-api", "-peers"})
      if (name == each.object + end) return &each;
  const auto service = draft.services.find(name);
  if (service != draft.services.end())
    for (const Entry& each : draft.models)
      if (selects(service->second, each.labels)) return &each;
  return nullptr;
}

void finish_gateway(Draft& draft) {
  const bool around = !draft.listeners.empty() || !draft.routes.empty();
  // Objects of a gateway that aictl wrote beside models stand for those models without one.
  if (draft.gateway.is_null() && (!around || (draft.gateway_is_ours && !draft.models.empty())))
    return;
  Json& gateway = section(draft.gateway);
  if (!draft.listeners.empty()) gateway["listeners"] = draft.listeners;
  if (!draft.gateway_file) {
    for (const Json& written : draft.routes) {
      Json route = route_of(written, draft);  // may add a provider, which moves what stands beside
      gateway["routes"].push_back(std::move(route));
    }
    if (!draft.budget.empty()) gateway["budget"] = draft.budget;
  }
  for (const char* key : {"routes", "providers"})
    if (gateway.contains(key) && gateway[key].empty()) gateway.erase(key);
  const Json usual = Json::array({{{"name", "http"}, {"port", 8080}}});
  if (gateway.value("listeners", Json()) == usual) gateway.erase("listeners");
  drop_usual_routes(draft);
}

}  // namespace aictl::platform
