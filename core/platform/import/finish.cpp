// The pieces of a draft fitted together.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/config/schema.hpp"
#include "core/platform/import/draft.hpp"
#include "core/platform/import/settle.hpp"
#include "core/platform/spec/names.hpp"

namespace aictl::platform {
namespace {

std::string name_of(const Entry& entry) {
  const auto name = entry.fields.find("name");
  return name != entry.fields.end() && name->is_string() ? name->get<std::string>() : "";
}

// As a label of the spec; names of objects may have dots and begin with a digit.
std::string label_of(const std::string& name, size_t limit = kLabelLength) {
  return is_service_label(name, limit) ? name : slug(name, limit, "p");
}

std::string choose_name(const Draft& draft) {
  for (const auto* list : {&draft.names, &draft.spaces})
    for (const std::string& name : *list)
      if (!name.empty() && name != "default") return label_of(name);
  for (const auto* list : {&draft.models, &draft.agents, &draft.jobs})
    if (!list->empty() && !list->front().object.empty()) return label_of(list->front().object);
  return "platform";
}

// The place of a workload in what told of an order; the last where nothing did.
size_t place_of(const Entry& entry, const std::vector<std::string>& order) {
  const std::string name = name_of(entry);
  const auto found = std::ranges::find_if(order, [&](const std::string& each) {
    return each == entry.object || each == name || each == slug(name);
  });
  return size_t(found - order.begin());
}

void put_in_order(std::vector<Entry>& entries, const std::vector<std::string>& order) {
  std::vector<std::pair<size_t, Entry>> placed;
  for (Entry& entry : entries) placed.emplace_back(place_of(entry, order), std::move(entry));
  std::ranges::stable_sort(placed, {}, [](const auto& each) { return each.first; });
  for (size_t i = 0; i < entries.size(); ++i) entries[i] = std::move(placed[i].second);
}

void finish_models(Draft& draft) {
  for (Entry& entry : draft.models) {
    Json& fields = entry.fields;
    const Json& source = fields["source"];
    const auto fetch =
        source.is_string() ? draft.fetches.find(source.get<std::string>()) : draft.fetches.end();
    if (fetch != draft.fetches.end()) {
      if (!fields.contains("secret")) set_text(fields, "secret", fetch->second.secret);
      set_text(fields, "checksum", fetch->second.checksum);
      if (!fields.contains("revision") && fetch->second.revision != "main")
        set_text(fields, "revision", fetch->second.revision);
    }
    const auto late = draft.first_token.find(entry.object);
    if (late != draft.first_token.end() && late->second > 0 && late->second < 1e6)
      fields["slo"]["ttft"] = fmt::format("{}ms", std::llround(late->second * 1000));
    const double usual = double(2 + entry.gpus);
    if (entry.cpus > 0 && (entry.gpus == 0 || entry.cpus != usual)) fields["cpus"] = entry.cpus;
    if (fields.value("tensor_parallel", Json()) == 1) fields.erase("tensor_parallel");
  }
}

void finish_agents(Draft& draft) {
  for (Entry& entry : draft.agents) {
    const auto found = draft.subscribed.find(entry.object);
    if (found == draft.subscribed.end()) continue;
    Json& topics = entry.fields["topics"];
    if (!topics.is_array()) topics = Json::array();
    for (const std::string& topic : found->second)
      if (std::ranges::find(topics, Json(topic)) == topics.end()) topics.push_back(topic);
  }
}

// Who a workload reaches because of what else its fields say.
std::set<std::string> implied_needs(const Entry& entry, const Draft& draft) {
  std::set<std::string> implied = {entry.object};
  Json models = entry.fields.value("models", Json::array());
  if (entry.fields.contains("model")) models.push_back(entry.fields["model"]);
  if (!models.empty() && !draft.gateway.is_null()) implied.insert("gateway");
  if (draft.gateway.is_null())
    for (const Json& model : models)
      if (model.is_string()) implied.insert(slug(model.get<std::string>()));
  if (entry.fields.contains("state")) implied.insert("state");
  if (entry.fields.contains("topics")) implied.insert("events");
  return implied;
}

void add_needs(std::vector<Entry>& entries, const Draft& draft) {
  for (Entry& entry : entries) {
    const auto reached = draft.reaches.find(entry.object);
    if (reached == draft.reaches.end()) continue;
    const std::set<std::string> implied = implied_needs(entry, draft);
    for (const std::string& other : reached->second) {
      if (implied.contains(other)) continue;
      std::string name;
      if ((other == "gateway" && !draft.gateway.is_null()) ||
          (other == "state" && !draft.state.is_null()) ||
          (other == "events" && !draft.events.is_null()))
        name = other;
      for (const auto* list : {&draft.models, &draft.agents, &draft.jobs})
        for (const Entry& each : *list)
          if (each.object == other) name = name_of(each);
      if (!name.empty()) entry.fields["needs"].push_back(name);
    }
  }
}

// Whether the spec has somebody who answers to the name.
bool is_answered(const Json& name, const Draft& draft) {
  const auto same = [&](const Entry& model) { return model.fields.value("name", Json()) == name; };
  if (std::ranges::any_of(draft.models, same)) return true;
  if (!draft.gateway.is_object() || !draft.gateway.contains("routes")) return false;
  return std::ranges::any_of(draft.gateway["routes"], [&](const Json& route) {
    return route.is_object() && route.value("model", Json()) == name;
  });
}

// Models that are not among the manifests stay what they are there: variables.
void keep_unknown(Entry& entry, const char* field, const Draft& draft) {
  const Json asked = entry.fields.value(field, Json());
  const Json names = asked.is_array()  ? asked
                     : asked.is_null() ? Json::array()
                                       : Json::array({asked});
  if (std::ranges::all_of(names, [&](const Json& name) { return is_answered(name, draft); }))
    return;
  std::string text;
  for (const Json& name : names)
    if (name.is_string()) text += (text.empty() ? "" : ",") + name.get<std::string>();
  entry.fields.erase(field);
  entry.fields["env"]["AICTL_MODEL_NAMES"] = text;
  if (!entry.url.empty()) entry.fields["env"]["OPENAI_BASE_URL"] = entry.url;
}

// What asks models: by the names it was told, or by the address it was given.
void add_asked(std::vector<Entry>& entries, const char* field, Draft& draft) {
  for (Entry& entry : entries) {
    keep_unknown(entry, field, draft);
    if (entry.url.empty()) continue;
    const Entry* model = model_at(entry.url, draft);
    const bool told = entry.fields.contains(field);
    const bool gateway = host_of(entry.url) == "gateway" && !draft.gateway.is_null();
    if (model && !told) {
      if (std::string_view(field) == "models")
        entry.fields[field] = Json::array({name_of(*model)});
      else
        entry.fields[field] = name_of(*model);
    } else if (!model && !gateway) {
      entry.fields["env"]["OPENAI_BASE_URL"] = entry.url;
    }
  }
}

// Without queues of the spec there is one for all; jobs wait in it without saying so.
Json queues_of(Draft& draft, const std::string& name) {
  Json queues = Json::array();
  const std::string usual = derived_name(name, "queue");
  if (draft.queues.size() == 1 && draft.queues[0].first == usual && !draft.names.empty()) {
    for (Entry& job : draft.jobs)
      if (job.fields.value("queue", Json()) == usual) job.fields.erase("queue");
    return queues;
  }
  for (const auto& entry : draft.queues) {
    Json queue = {{"name", entry.first}};
    if (const auto found = draft.quotas.find(entry.second); found != draft.quotas.end()) {
      const Quota& quota = found->second;
      if (quota.gpus >= 1) queue["gpus"] = int64_t(std::min(quota.gpus, 1e9));
      if (quota.cpus > 0) queue["cpus"] = quota.cpus;
      if (quota.memory > 0) queue["memory"] = bytes_text(quota.memory);
      if (quota.priority > 0) queue["priority"] = quota.priority;
      set_text(queue, "cohort", quota.cohort);
    }
    queues.push_back(std::move(queue));
  }
  std::string first = draft.first_queue;
  for (const Entry& model : draft.models)
    if (first.empty()) first = model.queue;
  std::vector<Json> sorted(queues.begin(), queues.end());
  std::ranges::stable_sort(sorted, {}, [&](const Json& queue) { return queue["name"] != first; });
  return Json(sorted);
}

void finish_storage(Draft& draft, const std::string& name) {
  std::set<std::string> used;
  for (const Entry& model : draft.models)
    if (!model.weights.empty()) used.insert(model.weights);
  for (const auto* list : {&draft.agents, &draft.jobs})
    for (const Entry& entry : *list)
      if (!entry.weights.empty() && !used.contains(entry.weights))
        draft.leave(
            entry.label, "spec.template.spec.volumes",
            fmt::format("agents and jobs of the spec have no claims, such as '{}'", entry.weights));
  const std::string usual = derived_name(name, "models");
  double bytes = 0;
  for (const auto& entry : draft.claims) {
    const Claim& claim = entry.second;
    if (!used.contains(entry.first) && entry.first != usual) {
      draft.leave(claim.label, ".", "no model has its weights in it");
      continue;
    }
    bytes += claim.bytes;
    if (claim.storage_class == name + "-node-models")
      draft.storage["bring"] = "node";
    else if (claim.storage_class != usual || !draft.classes.contains(usual))
      set_text(draft.storage, "model_class", claim.storage_class);
  }
  for (const std::string& one : draft.classes)
    if (one != usual && !draft.storage.contains("model_class")) draft.storage["model_class"] = one;
  if (bytes > 0) draft.storage["models"] = bytes_text(bytes);
}

void finish_state(Draft& draft, const std::string& name) {
  if (!draft.state.is_object()) return;
  const Json store = draft.state.value("store", Json("sqlite"));
  if (store == "sqlite" || store == "memory" || draft.state.contains("secret")) return;
  draft.state["secret"] = derived_name(name, "state");
  draft.leave("state", "secret",
              fmt::format("no object names the secret with the connection; {} is taken, under its "
                          "key url",
                          draft.state["secret"].get<std::string>()));
}

Json fields_of(const std::vector<Entry>& entries) {
  Json list = Json::array();
  for (const Entry& entry : entries) list.push_back(entry.fields);
  return list;
}

}  // namespace

void set_text(Json& fields, const char* key, const std::string& value) {
  if (!value.empty()) fields[key] = value;
}

Json& section(Json& part) {
  if (!part.is_object()) part = Json::object();
  return part;
}

std::string bytes_text(double bytes) {
  return exact_bytes(bytes < 1e18 ? uint64_t(std::ceil(std::max(bytes, 0.0)))
                                  : uint64_t{1'000'000'000'000'000'000});
}

Json finish(Draft& draft) {
  put_in_order(draft.models, draft.order);
  put_in_order(draft.agents, draft.order);
  const std::string name = choose_name(draft);
  // A Kafka of ours beside workloads that do without one, and no broker that runs.
  if (draft.without_kafka && draft.events.is_object() && !draft.events.contains("broker"))
    draft.events = nullptr;
  finish_models(draft);
  finish_agents(draft);
  finish_gateway(draft);
  add_asked(draft.agents, "models", draft);
  add_asked(draft.jobs, "model", draft);
  for (auto* list : {&draft.models, &draft.agents, &draft.jobs}) add_needs(*list, draft);
  for (auto* list : {&draft.agents, &draft.jobs})
    for (Entry& entry : *list) entry.fields["name"] = label_of(name_of(entry));
  finish_storage(draft, name);
  finish_state(draft, name);
  Json placement = placement_of(draft), queues = queues_of(draft, name);

  Json spec = {{"name", name}};
  if (!draft.spaces.empty() && draft.spaces.front() != name)
    spec["namespace"] = draft.spaces.front();
  const auto add = [&](const char* key, Json value) {
    if (!value.is_null() && !(value.is_array() && value.empty())) spec[key] = std::move(value);
  };
  add("models", fields_of(draft.models));
  add("gateway", draft.gateway);
  add("state", draft.state);
  add("events", draft.events);
  add("queues", std::move(queues));
  add("jobs", fields_of(draft.jobs));
  add("agents", fields_of(draft.agents));
  add("telemetry", draft.telemetry);
  if (!draft.storage.empty()) add("storage", draft.storage);
  if (!placement.empty()) add("placement", std::move(placement));
  for (auto& [target, knobs] : draft.targets.items())
    spec["targets"][target] = knobs.is_object() ? knobs : Json::object();
  return spec;
}

}  // namespace aictl::platform
