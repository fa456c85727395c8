// The services of aictl itself: the gateway, the state store and the broker of events.
#include <algorithm>
#include <filesystem>

#include "core/platform/import/kinds/pods.hpp"
#include "core/platform/plan/workloads/workloads.hpp"
#include "core/platform/spec/names.hpp"
#include "core/value/yaml.hpp"

namespace aictl::platform {
namespace {

// The value after a flag; empty without it.
std::string value_of(const Process& process, std::string_view flag) {
  const auto found = std::ranges::find(process.words, flag);
  if (found == process.words.end() || found + 1 == process.words.end()) return {};
  return *(found + 1);
}

// A file of a ConfigMap that the pod mounts, read as YAML.
Json mounted_file(const Part& pod, const std::string& file, const Draft& draft) {
  for (const Part& volume : pod["volumes"].items()) {
    const auto texts = draft.texts.find(volume["configMap"]["name"].text());
    if (texts == draft.texts.end() || !texts->second.contains(file)) continue;
    const Json& text = texts->second[file];
    if (!text.is_string()) return nullptr;
    auto read = parse_yaml(text.get_ref<const std::string&>());
    return read ? std::move(read->tree) : Json();
  }
  return nullptr;
}

const Json& at(const Json& tree, const char* key) {
  static const Json nothing;
  if (!tree.is_object()) return nothing;
  const auto found = tree.find(key);
  return found == tree.end() ? nothing : *found;
}

void copy(const Json& from, const char* key, Json& to) {
  if (const Json& value = at(from, key); !value.is_null()) to[key] = value;
}

Json route_of(const Json& written) {
  Json route = Json::object();
  for (const char* key : {"model", "policy", "retries", "timeout"}) copy(written, key, route);
  for (const Json& backend : at(written, "backends")) {
    const Json& provider = at(backend, "provider");
    route["backends"].push_back(provider.is_null() ? at(backend, "name") : provider);
  }
  return route;
}

Json provider_of(const Json& written, const Process& process) {
  Json provider = Json::object();
  for (const char* key : {"name", "kind", "url", "models"}) copy(written, key, provider);
  const Json& variable = at(written, "key_variable");
  for (const Variable& v : process.env)
    if (variable.is_string() && v.name == variable && !v.secret.empty()) {
      provider["secret"] = v.secret;
      provider["key"] = v.key;
    }
  return provider;
}

// The certificates of listeners: gateway.yaml has the files, the pod the Secrets they are of.
void add_certificates(const Json& file, const Part& pod, Json& listeners) {
  for (const Json& each : at(file, "tls")) {
    const Json& address = at(each, "address");
    const Json& certificate = at(each, "certificate");
    if (!address.is_string() || !certificate.is_string()) continue;
    const std::string port = address.get<std::string>();
    const std::string folder =
        std::filesystem::path(certificate.get<std::string>()).parent_path().filename().string();
    for (Json& listener : listeners) {
      if (!port.ends_with(":" + dump_json(at(listener, "port")))) continue;
      copy(each, "hostname", listener);
      for (const Part& volume : pod["volumes"].items())
        if (const std::string secret = volume["secret"]["secretName"].text();
            !secret.empty() && slug(secret) == folder)
          listener["certificate"] = secret;
    }
  }
}

void add_gateway_service(const Process& process, const Part& pod, int64_t replicas, Draft& draft) {
  Json& gateway = section(draft.gateway);
  gateway["replicas"] = replicas;
  if (!gateway.contains("listeners"))
    for (const auto& [name, port] : process.ports)
      gateway["listeners"].push_back({{"name", name}, {"port", port}});
  for (const Variable& v : process.env)
    if (v.name == "AICTL_GATEWAY_KEYS") gateway["keys_secret"] = v.secret;
  const Json file = mounted_file(pod, "gateway.yaml", draft);
  if (!file.is_object()) return;
  draft.gateway_file = true;
  add_certificates(file, pod, gateway["listeners"]);
  gateway.erase("routes");
  gateway.erase("providers");
  for (const Json& route : at(file, "routes")) {
    gateway["routes"].push_back(route_of(route));
    if (const Json& model = at(route, "model"); model.is_string())
      draft.order.push_back(model.get<std::string>());
  }
  for (const Json& provider : at(file, "providers"))
    gateway["providers"].push_back(provider_of(provider, process));
  copy(file, "budget", gateway);
}

void read_claims(Part claims, Json& store, Draft& draft) {
  for (const Part& claim : claims.items()) {
    if (const double bytes = claim["spec"]["resources"]["requests"]["storage"].amount(); bytes > 0)
      store["size"] = bytes_text(bytes);
    const std::string name = claim["spec"]["storageClassName"].text();
    if (!name.empty()) draft.storage["state_class"] = name;
    claim.take();
  }
}

}  // namespace

void add_own_service(Object& object, std::string_view program, const Process& process,
                     const Part& pod, int64_t replicas, Draft& draft) {
  const std::string_view usual = kAictlImage;
  if (!process.image.empty() && process.image != usual)
    process.container["image"].leave("the spec names no image of aictl's own services");
  Entry ignored;
  read_pod(object, pod, draft, ignored);
  if (program == "aictl gateway") return add_gateway_service(process, pod, replicas, draft);
  const bool state = program == "aictl state";
  Json& store = section(state ? draft.state : draft.events);
  const std::string kind = value_of(process, state ? "--store" : "--broker");
  if (!kind.empty()) store[state ? "store" : "broker"] = kind;
  read_claims(object["spec"]["volumeClaimTemplates"], store, draft);
  if (state) {
    if (const std::string ttl = value_of(process, "--ttl"); !ttl.empty()) store["ttl"] = ttl;
    for (const Variable& v : process.env)
      if (v.name == "AICTL_STATE_STORE_URL") store["secret"] = v.secret;
    return;
  }
  const Json file = mounted_file(pod, "events.yaml", draft);
  if (const Json& topics = at(file, "topics"); topics.is_array()) store["topics"] = topics;
}

}  // namespace aictl::platform
