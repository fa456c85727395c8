// Kinds: what each kind of object adds to a spec. A new kind is a row of the table.
#pragma once

#include <span>
#include <string_view>

#include "core/platform/import/draft.hpp"
#include "core/platform/import/part.hpp"

namespace aictl::platform {

/// A row. Rows are gone through by `phase`: what others refer to is read before them.
struct Kind {
  std::string_view group, kind;
  int phase = 1;
  void (*add)(Object& object, Draft& draft) = nullptr;  // none: other objects imply it
  std::string_view target = {};                         // that writes it; empty: none is told by it
};

std::span<const Kind> kinds();
/// nullptr: nobody knows the kind.
const Kind* find_kind(Object& object);

// The functions of the table, by file.
void add_config_map(Object& object, Draft& draft);  // parts.cpp: what others refer to
void add_service(Object& object, Draft& draft);
void add_claim(Object& object, Draft& draft);
void add_storage_class(Object& object, Draft& draft);
void add_scaler(Object& object, Draft& draft);
void add_policy(Object& object, Draft& draft);
void add_alerts(Object& object, Draft& draft);
void add_claim_template(Object& object, Draft& draft);
void add_implied(Object& object, Draft& draft);
void add_deployment(Object& object, Draft& draft);  // workloads.cpp
void add_stateful_set(Object& object, Draft& draft);
void add_daemon_set(Object& object, Draft& draft);
void add_job(Object& object, Draft& draft);
void add_job_set(Object& object, Draft& draft);
void add_group(Object& object, Draft& draft);
void add_volcano_job(Object& object, Draft& draft);
void add_armada_jobs(Object& object, Draft& draft);
void add_knative_service(Object& object, Draft& draft);
void add_runtime(Object& object, Draft& draft);  // serving.cpp
void add_inference_service(Object& object, Draft& draft);
void add_llm_service(Object& object, Draft& draft);
void add_ray_service(Object& object, Draft& draft);
void add_ray_job(Object& object, Draft& draft);
void add_model_cache(Object& object, Draft& draft);
void add_cluster_queue(Object& object, Draft& draft);  // queues.cpp
void add_local_queue(Object& object, Draft& draft);
void add_flavor(Object& object, Draft& draft);
void add_volcano_queue(Object& object, Draft& draft);
void add_pod_group(Object& object, Draft& draft);
void add_armada_queue(Object& object, Draft& draft);
void add_levels(Object& object, Draft& draft);
void add_gateway(Object& object, Draft& draft);  // gateway.cpp
void add_ai_route(Object& object, Draft& draft);
void add_ai_backend(Object& object, Draft& draft);
void add_backend(Object& object, Draft& draft);
void add_backend_key(Object& object, Draft& draft);
void add_traffic_policy(Object& object, Draft& draft);
void add_component(Object& object, Draft& draft);  // services.cpp
void add_subscription(Object& object, Draft& draft);
void add_dapr_configuration(Object& object, Draft& draft);
void add_broker(Object& object, Draft& draft);
void add_trigger(Object& object, Draft& draft);
void add_kafka_source(Object& object, Draft& draft);
void add_kafka(Object& object, Draft& draft);
void add_kafka_nodes(Object& object, Draft& draft);
void add_kafka_topic(Object& object, Draft& draft);
void add_kafka_user(Object& object, Draft& draft);
void add_vitess(Object& object, Draft& draft);
void add_ceph(Object& object, Draft& draft);
void add_collector(Object& object, Draft& draft);
void add_instrumentation(Object& object, Draft& draft);

}  // namespace aictl::platform
