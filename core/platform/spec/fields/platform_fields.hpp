// Every field of a spec, declared once.
#pragma once

#include "core/platform/spec/fields/fields.hpp"
#include "core/platform/spec/platform.hpp"

namespace aictl::platform {

/// The top level; the others are reached from it.
Fields platform_fields(Platform& platform);

Fields model_fields(ModelEntry& model);
Fields gateway_fields(Gateway& gateway);
Fields state_fields(State& state);
Fields events_fields(Events& events);
Fields queue_fields(Queue& queue);
Fields job_fields(Job& job);
Fields agent_fields(Agent& agent);
Fields telemetry_fields(Telemetry& telemetry);
Fields storage_fields(Storage& storage);
Fields placement_fields(Placement& placement);

/// The value of a label that selects nodes; the value of a variable.
Fields selector_fields(std::string& value);
Fields environment_fields(EnvironmentValue& value);

}  // namespace aictl::platform
