// Quotas and queues of Kueue, Volcano and Armada.
#include <algorithm>

#include "core/platform/import/kinds/kinds.hpp"

namespace aictl::platform {
namespace {

void add_amount(const std::string& resource, double amount, Quota& quota) {
  if (resource == "cpu") quota.cpus += amount;
  if (resource == "memory") quota.memory += amount;
  if (resource.ends_with("/gpu")) quota.gpus += amount;
}

void add_queue(const std::string& name, const std::string& quota, Draft& draft) {
  const auto same = [&](const auto& queue) { return queue.first == name; };
  if (!name.empty() && std::ranges::none_of(draft.queues, same))
    draft.queues.emplace_back(name, quota);
}

// The queue that generate makes for what serves: the spec has those of jobs alone.
bool is_of_serving(Object& object) {
  return object.label_value("aictl.dev/queue") == "serving";
}

}  // namespace

void add_cluster_queue(Object& object, Draft& draft) {
  if (is_of_serving(object)) return object.take("");
  Quota& quota = draft.quotas["kueue/" + object.name()];
  const Part spec = object["spec"];
  quota.cohort = spec["cohortName"].text();
  if (quota.cohort.empty()) quota.cohort = spec["cohort"].text();
  bool first = true;
  for (const Part& group : spec["resourceGroups"].items()) {
    group["coveredResources"].take();
    for (const Part& flavor : group["flavors"].items()) {
      flavor["name"].take();
      for (const Part& resource : flavor["resources"].items()) {
        // The first flavor of ours has what the spec says, the others what is left of the nodes.
        const double amount = resource["nominalQuota"].amount();
        if (first || !object.ours()) add_amount(resource["name"].text(), amount, quota);
        resource["name"].take();
      }
      first = false;
    }
  }
  for (const char* key : {"namespaceSelector", "queueingStrategy", "preemption"})
    if (spec[key]) spec[key].take();
}

void add_local_queue(Object& object, Draft& draft) {
  if (is_of_serving(object)) return object.take("");
  add_queue(object.name(), "kueue/" + object["spec"]["clusterQueue"].text(), draft);
}

void add_flavor(Object& object, Draft& draft) {
  Labels& labels = draft.flavors[object.name()];
  for (const auto& [key, value] : object["spec"]["nodeLabels"].labels())
    if (key != "kubernetes.io/os") labels[key] = value;
  object.take("");
}

void add_volcano_queue(Object& object, Draft& draft) {
  if (is_of_serving(object)) return object.take("");
  const Part spec = object["spec"];
  Quota& quota = draft.quotas["volcano/" + object.name()];
  for (const auto& [resource, amount] : spec["capability"].entries())
    add_amount(resource, amount.amount(), quota);
  const int64_t weight = spec["weight"].integer().value_or(1);
  quota.priority = weight > 1 ? weight : 0;
  if (spec["reclaimable"]) spec["reclaimable"].take();
  add_queue(object.name(), "volcano/" + object.name(), draft);
  for (auto& [name, known] : draft.queues)  // Kueue has the quota, Volcano the weight
    if (name == object.name()) draft.quotas[known].priority = quota.priority;
}

void add_pod_group(Object& object, Draft& draft) {
  if (object.label_value("app.kubernetes.io/component") == "model")
    draft.first_queue = object["spec"]["queue"].text();
  object.take("");
}

void add_armada_queue(Object& object, Draft& draft) {
  add_queue(object.name(), "armada/" + object.name(), draft);
  for (const char* key : {"name", "permissions"})
    if (object[key]) object[key].take();
  if (object["priorityFactor"].amount() != 1)
    object["priorityFactor"].leave("a queue of the spec has a priority, and no share");
}

void add_levels(Object& object, Draft& draft) {
  Json levels = Json::array();
  for (const Part& level : object["spec"]["levels"].items())
    levels.push_back(level["nodeLabel"].text());
  if (!levels.empty()) draft.targets["kueue"]["levels"] = std::move(levels);
}

}  // namespace aictl::platform
