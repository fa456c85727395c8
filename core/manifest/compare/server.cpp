#include "core/manifest/compare/server.hpp"

#include <algorithm>
#include <array>

namespace aictl::manifest {
namespace {

constexpr std::array<std::string_view, 9> kMetadata = {"uid",
                                                       "resourceVersion",
                                                       "generation",
                                                       "selfLink",
                                                       "creationTimestamp",
                                                       "deletionTimestamp",
                                                       "managedFields",
                                                       "deletionGracePeriodSeconds",
                                                       "ownerReferences"};
// Keys of labels and annotations that controllers of the cluster write.
constexpr std::array<std::string_view, 19> kKeys = {
    "kubectl.kubernetes.io/last-applied-configuration",
    "deployment.kubernetes.io/revision",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deprecated.daemonset.template.generation",
    "kubernetes.io/metadata.name",
    "pv.kubernetes.io/bind-completed",
    "pv.kubernetes.io/bound-by-controller",
    "pv.kubernetes.io/provisioned-by",
    "volume.kubernetes.io/storage-provisioner",
    "volume.beta.kubernetes.io/storage-provisioner",
    "volume.kubernetes.io/selected-node",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
    "batch.kubernetes.io/job-tracking",
    "controller-uid",
    "job-name",
    "scaledobject.keda.sh/name",
    "kubectl.kubernetes.io/restartedAt"};
// Of a Service: chosen by the server where nobody wrote them.
constexpr std::array<std::string_view, 3> kServiceAddresses = {"clusterIPs", "ipFamilies",
                                                               "ipFamilyPolicy"};

// Fields that admission or a controller sets where they are absent; * is an item's key.
struct Filled {
  std::string_view kind, path;
};
constexpr std::array<Filled, 8> kFilled = {{{"", "metadata.finalizers"},
                                            {"PersistentVolumeClaim", "spec.storageClassName"},
                                            {"PersistentVolume", "spec.claimRef"},
                                            {"Service", "spec.externalTrafficPolicy"},
                                            {"Service", "spec.allocateLoadBalancerNodePorts"},
                                            {"Service", "spec.healthCheckNodePort"},
                                            {"Service", "spec.ports[*].nodePort"},
                                            {"ServiceAccount", "secrets"}}};

template <size_t N>
bool is_in(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

Json* child(Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

bool equals(const Fields& fields, const char* a, const char* b) {
  const auto first = fields.find(a), second = fields.find(b);
  return first != fields.end() && second != fields.end() && first->second == second->second;
}

// Always with no tag or :latest, else IfNotPresent.
void drop_pull_policy(Fields& fields, const char* image_field, const char* policy_field) {
  const auto image = fields.find(image_field), policy = fields.find(policy_field);
  if (image == fields.end() || policy == fields.end() || !image->second.is_string()) return;
  const std::string& name = image->second.get_ref<const std::string&>();
  const size_t tag = name.find_first_of(":@", name.rfind('/') + 1);
  const bool latest = tag == name.npos || name.substr(tag) == ":latest";
  if (policy->second == (latest ? "Always" : "IfNotPresent")) fields.erase(policy);
}

// Which directions a policy is about: those it was given, or those it has rules for.
void fill_policy_types(Json& spec) {
  Json* types = child(spec, "policyTypes");
  if (types != nullptr && types->is_array() && !types->empty()) {
    std::sort(types->begin(), types->end(),
              [](const Json& a, const Json& b) { return dump_json(a) < dump_json(b); });
    return;
  }
  const Json* egress = child(spec, "egress");
  const bool both = egress != nullptr && egress->is_array() && !egress->empty();
  spec["policyTypes"] = both ? Json::array({"Egress", "Ingress"}) : Json::array({"Ingress"});
}

void drop_generated_selector(Json& spec) {
  if (!spec.is_object() || spec.value("manualSelector", Json()) == true) return;
  spec.erase("selector");
  spec.erase("manualSelector");
}

}  // namespace

void drop_kind_fields(Json& object, std::string_view api_version, std::string_view kind) {
  object.erase("status");
  if (kind == "Namespace") object.erase("spec");
  Json* spec = child(object, "spec");
  if (spec == nullptr || !spec->is_object()) return;
  if (kind == "Job" && api_version.starts_with("batch/")) drop_generated_selector(*spec);
  if (kind == "CronJob")
    if (Json* job = child(*spec, "jobTemplate"))
      if (Json* inner = child(*job, "spec")) drop_generated_selector(*inner);
  if (kind == "PersistentVolumeClaim") spec->erase("volumeName");
  if (kind == "NetworkPolicy") fill_policy_types(*spec);
  Json* claims = kind == "StatefulSet" ? child(*spec, "volumeClaimTemplates") : nullptr;
  if (claims != nullptr && claims->is_array())
    for (Json& claim : *claims)
      if (claim.is_object())
        for (const char* field : {"apiVersion", "kind", "status"}) claim.erase(field);
}

void drop_derived(Fields& fields, const Schema& schema) {
  if (schema.property("imagePullPolicy") != nullptr)
    drop_pull_policy(fields, "image", "imagePullPolicy");
  if (schema.property("pullPolicy") != nullptr && schema.property("reference") != nullptr)
    drop_pull_policy(fields, "reference", "pullPolicy");
  if (schema.property("valueFrom") != nullptr)  // of a variable
    if (const auto value = fields.find("value"); value != fields.end() && value->second == "")
      fields.erase(value);
  if (schema.property("serviceAccount") != nullptr &&
      equals(fields, "serviceAccount", "serviceAccountName"))
    fields.erase("serviceAccount");
  if (schema.property("targetPort") != nullptr && equals(fields, "targetPort", "port"))
    fields.erase("targetPort");
  if (schema.property("clusterIPs") != nullptr) {
    for (const std::string_view name : kServiceAddresses) fields.erase(std::string(name));
    if (fields.contains("clusterIP") && fields["clusterIP"] != "None") fields.erase("clusterIP");
  }
  const auto group = fields.find("apiGroup");  // of a role or subject of a binding
  if (group != fields.end() && group->second == "rbac.authorization.k8s.io" &&
      fields.contains("kind") && fields.contains("name"))
    fields.erase(group);
}

void drop_server_metadata(Fields& fields) {
  for (const std::string_view name : kMetadata) fields.erase(std::string(name));
  for (const char* map : {"labels", "annotations"}) {
    const auto found = fields.find(map);
    if (found == fields.end() || !found->second.is_object()) continue;
    for (const std::string_view key : kKeys) found->second.erase(std::string(key));
    if (found->second.empty()) fields.erase(found);
  }
  const auto finalizers = fields.find("finalizers");
  if (finalizers == fields.end() || !finalizers->second.is_array()) return;
  Json kept = Json::array();
  for (const Json& name : finalizers->second)
    if (!name.is_string() || !name.get_ref<const std::string&>().starts_with("kubernetes.io/"))
      kept.push_back(name);
  if (kept.empty())
    fields.erase(finalizers);
  else
    finalizers->second = std::move(kept);
}

bool was_served(const Json& object) {
  if (!object.is_object()) return false;
  const auto metadata = object.find("metadata");
  return metadata != object.end() && metadata->is_object() &&
         (metadata->contains("uid") || metadata->contains("resourceVersion"));
}

bool is_filled_in(std::string_view kind, std::string_view path) {
  return std::ranges::any_of(kFilled, [&](const Filled& filled) {
    const bool same_kind = filled.kind.empty() || filled.kind == kind;
    const size_t star = filled.path.find("[*]");
    if (!same_kind || star == filled.path.npos) return same_kind && filled.path == path;
    return path.starts_with(filled.path.substr(0, star + 1)) &&
           path.ends_with(filled.path.substr(star + 2));
  });
}

}  // namespace aictl::manifest
