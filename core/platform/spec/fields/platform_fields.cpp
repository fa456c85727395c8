#include "core/platform/spec/fields/platform_fields.hpp"

namespace aictl::platform {

Fields platform_fields(Platform& p) {
  Fields f;
  f.add(Row("name", &p.name, "the platform's name")).rule(kServiceLabelRule).required();
  f.add(Row("namespace", &p.space, "the namespace of all of it"))
      .rule(kLabelRule)
      .derived("the name");
  f.list("models", &p.models, "models that are served; a bare text is a source", model_fields);
  f.section("gateway", &p.gateway, "one address for all models: keys, budgets, other providers",
            gateway_fields);
  f.section("state", &p.state, "a store of keys and values that outlives processes", state_fields);
  f.section("events", &p.events, "topics that are published and subscribed to", events_fields);
  f.list("queues", &p.queues, "quotas that jobs share", queue_fields);
  f.list("jobs", &p.jobs, "work that ends", job_fields);
  f.list("agents", &p.agents, "processes of yours that ask the models", agent_fields);
  f.section("telemetry", &p.telemetry, "traces", telemetry_fields);
  f.section("storage", &p.storage, "where weights and state lie", storage_fields);
  f.section("placement", &p.placement, "the machines it is planned for", placement_fields);
  f.tree("targets", &p.targets, "knobs of what `aictl generate` writes, by its target");
  return f;
}

}  // namespace aictl::platform
