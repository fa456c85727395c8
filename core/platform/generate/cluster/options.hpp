// What a spec may choose about the cluster it is written down for: keys of `targets.kubernetes`.
#pragma once

#include <string>
#include <vector>

#include "core/config/schema.hpp"

namespace aictl::platform {

struct ClusterOptions {
  std::string gpu_resource;  // empty: by the vendor of the plan's GPUs
  std::string autoscale = "keda";
  int waiting = 5;  // requests that may wait for a replica before another is started
  std::string prometheus = "http://prometheus-operated.monitoring.svc:9090";
  std::string monitoring_namespace = "monitoring";
  std::string gateway_namespace = "envoy-gateway-system";
  std::string operators = "aictl-operators";
  std::string image;  // of the gateway, the state store and the broker; empty: the plan's
  std::string fetch_image = "docker.io/vllm/vllm-openai:v0.19.0";
  std::string agent_image = "ghcr.io/aictl/aictl:0.1.0";
  std::string weights_registry;
  std::string weights_folder = "/var/lib/aictl/models";
  bool node_agent = true;
};

/// The rows of the options, bound to `options`.
std::vector<Row> cluster_rows(ClusterOptions& options);

/// Sets rows from `targets.<target>` of a spec. Errors: kDataRefused naming the key.
Result<void> set_rows(std::vector<Row>& rows, const Json* values, std::string_view target);

}  // namespace aictl::platform
