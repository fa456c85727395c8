#include "core/platform/generate/cluster/options.hpp"

#include <fmt/format.h>

#include "core/base/nearest.hpp"

namespace aictl::platform {

std::vector<Row> cluster_rows(ClusterOptions& o) {
  return {
      Row("gpu_resource", &o.gpu_resource, "the extended resource of a GPU; empty: by its vendor"),
      Row("autoscale", &o.autoscale, "what scales a model that may have more replicas")
          .choices({"keda", "hpa", "none"}),
      Row("waiting", &o.waiting, "requests that may wait before a replica is added")
          .range(1, 1000000),
      Row("prometheus", &o.prometheus, "where KEDA asks for metrics"),
      Row("monitoring_namespace", &o.monitoring_namespace, "where Prometheus runs"),
      Row("gateway_namespace", &o.gateway_namespace, "where the proxies of a gateway run"),
      Row("operators", &o.operators, "the group of people who may look after the platform"),
      Row("image", &o.image,
          "the image of the gateway, the state store and the broker; empty: this version's"),
      Row("fetch_image", &o.fetch_image, "an image with `hf`, which downloads weights"),
      Row("agent_image", &o.agent_image, "an image with aictl, for the agent on each node"),
      Row("weights_registry", &o.weights_registry,
          "where images of weights lie, for storage.bring: image"),
      Row("weights_folder", &o.weights_folder, "the folder of a node, for storage.bring: node"),
      Row("node_agent", &o.node_agent, "run the agent that measures nodes and pulls ahead"),
  };
}

Result<void> set_rows(std::vector<Row>& rows, const Json* values, std::string_view target) {
  if (!values || values->is_null()) return {};
  if (!values->is_object())
    return Error{ErrorCode::kDataRefused, fmt::format("targets.{} is not a mapping", target), ""};
  for (const auto& [key, value] : values->items()) {
    const std::string place = fmt::format("targets.{}.{}", target, key);
    Row* found = nullptr;
    std::vector<std::string_view> names;
    for (Row& row : rows) {
      names.push_back(row.name());
      if (row.name() == key) found = &row;
    }
    if (!found)
      return Error{ErrorCode::kDataRefused, fmt::format("no setting '{}'", place),
                   did_you_mean(key, names)};
    if (auto set = found->set_json(value, Origin::kFile, place); !set)
      return std::move(set).error().within(place);
  }
  return {};
}

}  // namespace aictl::platform
