// Gateways: listeners, routes, the models and providers behind them.
#include <algorithm>

#include <fmt/format.h>

#include "core/platform/import/kinds/kinds.hpp"

namespace aictl::platform {

void add_gateway(Object& object, Draft& draft) {
  draft.gateway_is_ours &= object.ours();
  const Part spec = object["spec"];
  for (const Part& part : spec["listeners"].items()) {
    Json listener = Json::object();
    listener["name"] = part["name"].text();
    if (const auto port = part["port"].integer()) listener["port"] = *port;
    set_text(listener, "hostname", part["hostname"].text());
    const auto certificates = part["tls"]["certificateRefs"].items();
    if (!certificates.empty()) {
      set_text(listener, "certificate", certificates[0]["name"].text());
      part["tls"].take();
    }
    const std::string protocol = part["protocol"].text();
    if (part["allowedRoutes"]) part["allowedRoutes"].take();
    if (protocol != "HTTP" && protocol != "HTTPS") {
      part["protocol"].leave("a listener of the spec speaks HTTP or HTTPS");
      continue;
    }
    const auto same = [&](const Json& other) { return other["port"] == listener["port"]; };
    if (std::ranges::none_of(draft.listeners, same)) draft.listeners.push_back(std::move(listener));
  }
  if (const std::string name = spec["gatewayClassName"].text(); !name.empty())
    draft.targets["envoy-ai-gateway"]["gateway_class"] = name;
}

namespace {

// The models a rule is for.
std::vector<std::string> models_of(const Part& rule) {
  std::vector<std::string> models;
  for (const Part& match : rule["matches"].items())
    for (const Part& header : match["headers"].items()) {
      const std::string name = header["name"].text(), type = header["type"].text();
      const bool exact = type.empty() || type == "Exact";
      if (name == "x-ai-eg-model" && exact)
        models.push_back(header["value"].text());
      else
        header.leave("a route of the spec is for one model, by its name");
    }
  return models;
}

}  // namespace

void add_ai_route(Object& object, Draft& draft) {
  draft.gateway_is_ours &= object.ours();
  const Part spec = object["spec"];
  for (const char* key : {"parentRefs", "targetRefs", "llmRequestCosts", "schema"})
    if (spec[key]) spec[key].take();
  for (const Part& rule : spec["rules"].items()) {
    Json route = Json::object();
    for (const Part& ref : rule["backendRefs"].items()) {
      route["backends"].push_back(ref["name"].text());
      for (const char* key : {"group", "kind", "priority"})
        if (ref[key]) ref[key].take();
      if (ref["modelNameOverride"] && object.ours()) ref["modelNameOverride"].take();
      if (ref["weight"].integer().value_or(1) != 1)
        ref["weight"].leave("backends of the spec are tried in their order");
    }
    set_text(route, "timeout", rule["timeouts"]["request"].text());
    if (rule["streamIdleTimeout"] && object.ours()) rule["streamIdleTimeout"].take();
    for (const std::string& model : models_of(rule)) {
      route["model"] = model;
      draft.routes.push_back(route);
    }
  }
}

void add_ai_backend(Object& object, Draft& draft) {
  const Part spec = object["spec"];
  Backend& backend = draft.backends[object.name()];
  backend.label = object.label();
  if (const std::string schema = spec["schema"]["name"].text(); !schema.empty())
    backend.schema = schema;
  backend.prefix = spec["schema"]["prefix"].text();
  backend.refers = spec["backendRef"]["name"].text();
  if (spec["backendRef"]["kind"].text() == "Service")
    draft.hosts[backend.refers] = {backend.refers,
                                   spec["backendRef"]["port"].integer().value_or(80)};
  spec["backendRef"].take();
}

void add_backend(Object& object, Draft& draft) {
  const std::vector<Part> endpoints = object["spec"]["endpoints"].items();
  for (size_t i = 0; i < endpoints.size(); ++i) {
    if (i > 0) {
      endpoints[i].leave("a provider of the spec has one URL");
      continue;
    }
    const Part fqdn = endpoints[i]["fqdn"], ip = endpoints[i]["ip"];
    draft.hosts[object.name()] = {fqdn ? fqdn["hostname"].text() : ip["address"].text(),
                                  (fqdn ? fqdn : ip)["port"].integer().value_or(443)};
  }
}

void add_backend_key(Object& object, Draft& draft) {
  const Part spec = object["spec"];
  std::string secret, key = "apiKey";
  for (const char* field : {"apiKey", "anthropicAPIKey", "azureAPIKey"})
    if (const Part part = spec[field]; part && secret.empty())
      secret = part["secretRef"]["name"].text();
  if (const Part aws = spec["awsCredentials"]) {
    secret = aws["credentialsFile"]["secretRef"]["name"].text();
    key = "credentials";
    if (const std::string region = aws["region"].text(); !region.empty())
      draft.targets["envoy-ai-gateway"]["region"] = region;
  }
  if (secret.empty()) {
    spec["type"].leave("a provider of the spec has its credential in a secret");
    return;
  }
  spec["type"].take();
  for (const Part& target : spec["targetRefs"].items()) {
    draft.backends[target["name"].text()].secret = secret;
    draft.backends[target["name"].text()].key = key;
    target.take();
  }
}

void add_traffic_policy(Object& object, Draft& draft) {
  const Part spec = object["spec"];
  for (const char* key : {"targetRefs", "targetRef"})
    if (spec[key]) spec[key].take();
  if (const auto retries = spec["retry"]["numRetries"].integer()) draft.retries = *retries;
  if (spec["retry"]) spec["retry"].take();
  for (const Part& rule : spec["rateLimit"]["global"]["rules"].items()) {
    const auto requests = rule["limit"]["requests"].integer();
    const std::string unit = rule["limit"]["unit"].text();
    for (const Part& selector : rule["clientSelectors"].items())
      for (const Part& header : selector["headers"].items())
        if (header["type"].text() == "Distinct")
          draft.targets["envoy-ai-gateway"]["tenant_header"] = header["name"].text();
    if (requests && rule["cost"]) {
      draft.budget["tokens"] = *requests;
      draft.budget["window"] = unit == "Day"      ? "24h"
                               : unit == "Hour"   ? "1h"
                               : unit == "Minute" ? "1m"
                                                  : "1s";
    } else if (requests && unit == "Minute") {
      draft.budget["requests_per_minute"] = *requests;
    } else {
      rule.leave("a budget of the spec is tokens in a window, or requests a minute");
      continue;
    }
    rule.take();
  }
  if (spec["rateLimit"]["type"]) spec["rateLimit"]["type"].take();
}

}  // namespace aictl::platform
