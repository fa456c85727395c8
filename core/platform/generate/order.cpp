#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "core/platform/generate/cluster/cluster.hpp"
#include "core/platform/generate/generate.hpp"
#include "core/platform/generate/render/comments.hpp"

namespace aictl::platform {
namespace {

constexpr std::array<std::string_view, 11> kRanks = {
    "namespace", "rbac",     "config", "storage",  "queues",  "classes",
    "workloads", "services", "routes", "policies", "monitors"};

struct KindRank {
  std::string_view kind;
  int rank;
};

// Kinds that are not workloads; a group of its own is not needed to tell them apart.
constexpr KindRank kKinds[] = {
    {"Namespace", 0},
    {"ServiceAccount", 1},
    {"Role", 1},
    {"ClusterRole", 1},
    {"RoleBinding", 1},
    {"ClusterRoleBinding", 1},
    {"ConfigMap", 2},
    {"Secret", 2},
    {"Certificate", 2},
    {"Component", 2},
    {"Configuration", 2},
    {"Resiliency", 2},
    {"Instrumentation", 2},
    {"StorageClass", 3},
    {"PersistentVolume", 3},
    {"PersistentVolumeClaim", 3},
    {"CephCluster", 3},
    {"CephFilesystem", 3},
    {"CephObjectStore", 3},
    {"ObjectBucketClaim", 3},
    {"LocalModelNodeGroup", 3},
    {"LocalModelCache", 3},
    {"Topology", 4},
    {"ResourceFlavor", 4},
    {"ClusterQueue", 4},
    {"LocalQueue", 4},
    {"Queue", 4},
    {"WorkloadPriorityClass", 4},
    {"HyperNode", 4},
    {"PriorityClass", 4},
    {"ServingRuntime", 5},
    {"NodeFeatureRule", 5},
    {"NodeResourceTopology", 5},
    {"ResourceClaimTemplate", 5},
    {"GatewayClass", 5},
    {"EnvoyProxy", 5},
    {"PodGroup", 5},
    {"Gateway", 8},
    {"HTTPRoute", 8},
    {"AIGatewayRoute", 8},
    {"AIServiceBackend", 8},
    {"Backend", 8},
    {"BackendTLSPolicy", 8},
    {"BackendSecurityPolicy", 8},
    {"InferencePool", 8},
    {"Broker", 8},
    {"Trigger", 8},
    {"KafkaSource", 8},
    {"Subscription", 8},
    {"BackendTrafficPolicy", 9},
    {"NetworkPolicy", 9},
    {"PodDisruptionBudget", 9},
    {"HorizontalPodAutoscaler", 9},
    {"ScaledObject", 9},
    {"KafkaRebalance", 9},
    {"ServiceMonitor", 10},
    {"PodMonitor", 10},
    {"PrometheusRule", 10},
};

const std::set<std::string_view>& cluster_kinds() {
  static const std::set<std::string_view> kinds = {"Namespace",
                                                   "ClusterRole",
                                                   "ClusterRoleBinding",
                                                   "PriorityClass",
                                                   "StorageClass",
                                                   "PersistentVolume",
                                                   "GatewayClass",
                                                   "DeviceClass",
                                                   "kueue.x-k8s.io/Topology",
                                                   "ResourceFlavor",
                                                   "ClusterQueue",
                                                   "WorkloadPriorityClass",
                                                   "HyperNode",
                                                   "scheduling.volcano.sh/Queue",
                                                   "NodeFeatureRule",
                                                   "NodeResourceTopology",
                                                   "ClusterServingRuntime",
                                                   "LocalModelCache",
                                                   "LocalModelNodeGroup"};
  return kinds;
}

std::string text_at(const Json& object, const char* pointer) {
  const Json::json_pointer place(pointer);
  if (!object.is_object() || !object.contains(place) || !object[place].is_string()) return {};
  return object[place].get<std::string>();
}

std::string group_of(const Json& object) {
  const std::string api = text_at(object, "/apiVersion");
  const size_t slash = api.find('/');
  return slash == api.npos ? std::string() : api.substr(0, slash);
}

constexpr std::string_view kText = "text";

// A value as a message shows it, cut where it is long.
std::string words_of(const Json& value) {
  const std::string text = value.is_string() ? value.get<std::string>() : dump_json(value);
  return text.size() <= 60 ? text : text.substr(0, 57) + "...";
}

}  // namespace

std::string object_key(const Json& object) {
  return fmt::format("{}/{}/{}/{}", group_of(object), text_at(object, "/kind"),
                     text_at(object, "/metadata/namespace"), text_at(object, "/metadata/name"));
}

int apply_rank(const Json& object) {
  const std::string kind = text_at(object, "/kind"), group = group_of(object);
  if (kind == "Service" && group.empty()) return 7;
  if (kind == "ConfigMap" && object.contains("metadata") &&
      text_at(object, "/metadata/labels/grafana_dashboard") == "1")
    return 10;
  for (const KindRank& each : kKinds)
    if (each.kind == kind) return each.rank;
  return 6;
}

std::string_view rank_name(int rank) { return kRanks.at(static_cast<size_t>(rank)); }

void order_objects(std::vector<RenderedObject>& objects) {
  const auto key = [](const RenderedObject& each) {
    return std::tuple(apply_rank(each.object), text_at(each.object, "/kind"),
                      text_at(each.object, "/metadata/namespace"),
                      text_at(each.object, "/metadata/name"), group_of(each.object));
  };
  std::stable_sort(objects.begin(), objects.end(),
                   [&](const auto& a, const auto& b) { return key(a) < key(b); });
}

Result<void> check_object(const RenderedObject& rendered) {
  const Json& object = rendered.object;
  const auto from = rendered.comments.find("");
  const std::string place = from == rendered.comments.end() ? "a template" : from->second;
  if (!object.is_object())
    return Error{ErrorCode::kDataRefused,
                 fmt::format("what {} gives is {}, not an object", place, words_of(object)), ""};
  const auto refuse = [&](const std::string& path, const Json* value, std::string_view wanted) {
    const Json* name = nullptr;
    if (object.contains("metadata") && object["metadata"].is_object() &&
        object["metadata"].contains("name"))
      name = &object["metadata"]["name"];
    const std::string kind = text_at(object, "/kind");
    return Error{ErrorCode::kDataRefused,
                 fmt::format("what {} gives: {}/{}: {} {}, and has to be {}", place,
                             kind.empty() ? "an object" : kind, name ? words_of(*name) : "?", path,
                             value ? "is " + words_of(*value) : "is missing", wanted),
                 wanted == kText ? "quote it in the template: {{ ... | tojson }}" : ""};
  };
  const auto text = [&](const Json& at, const std::string& path, const char* key) {
    const auto found = at.find(key);
    const Json* value = found == at.end() ? nullptr : &*found;
    return value && value->is_string() && !value->get_ref<const std::string&>().empty()
               ? std::optional<Error>()
               : refuse(path + key, value, kText);
  };
  for (const char* key : {"apiVersion", "kind"})
    if (auto refused = text(object, "", key)) return *std::move(refused);
  const auto found = object.find("metadata");
  if (found == object.end() || !found->is_object())
    return refuse("metadata", found == object.end() ? nullptr : &*found, "a mapping");
  const Json& metadata = *found;
  if (auto refused = text(metadata, "metadata.", "name")) return *std::move(refused);
  if (metadata.contains("namespace"))
    if (auto refused = text(metadata, "metadata.", "namespace")) return *std::move(refused);
  for (const char* map : {"labels", "annotations"}) {
    const auto values = metadata.find(map);
    if (values == metadata.end()) continue;
    const std::string path = fmt::format("metadata.{}", map);
    if (!values->is_object()) return refuse(path, &*values, "a mapping");
    for (const auto& [key, value] : values->items())
      if (!value.is_string()) return refuse(path + "." + key, &value, kText);
  }
  return {};
}

void complete_object(const Platform& platform, Json& object) {
  const std::string kind = text_at(object, "/kind");
  Json& given = object["metadata"];
  const auto& cluster = cluster_kinds();
  const bool scoped = !cluster.contains(kind) && !cluster.contains(group_of(object) + "/" + kind);
  Json metadata = {{"name", given.value("name", "")}};
  if (scoped) metadata["namespace"] = given.value("namespace", platform.space);
  Json labels = {{"app.kubernetes.io/part-of", prefix_of(platform)},
                 {"app.kubernetes.io/managed-by", "aictl"}};
  Json all = given.value("labels", Json::object());
  for (const auto& [name, value] : labels.items())
    if (!all.contains(name)) all[name] = value;
  metadata["labels"] = std::move(all);
  if (given.contains("annotations") && !given["annotations"].empty())
    metadata["annotations"] = given["annotations"];
  for (const auto& [name, value] : given.items())
    if (!metadata.contains(name) && name != "annotations") metadata[name] = value;
  given = std::move(metadata);
}

std::string write_documents(const std::vector<RenderedObject>& objects, std::string_view header) {
  std::string text = header.empty() ? "" : comment_lines(header);
  for (size_t i = 0; i < objects.size(); ++i) {
    if (i > 0) text += "---\n";
    text += write_yaml(objects[i].object, notes_of(objects[i].object, objects[i].comments));
  }
  return text;
}

}  // namespace aictl::platform
