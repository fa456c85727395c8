// Deployment, StatefulSet, DaemonSet, ReplicaSet; what all templates of pods have; PriorityClass.
#include <algorithm>
#include <array>

#include "core/manifest/rules/tables.hpp"
#include "core/manifest/rules/walk.hpp"

namespace aictl::manifest {
namespace {

constexpr int64_t kHighestUserPriority = 1'000'000'000;

// Whether a number or percentage is 0; -1, 0 and "0%" alike say that nothing may go.
bool is_zero(const Json* value) {
  return value != nullptr && (*value == 0 || *value == "0%" || *value == "0");
}
bool is_above_zero(const Json* value) {
  return value != nullptr && !value->is_null() && !is_zero(value);
}

std::string shown(const Json& value) {
  return value.is_string() ? value.get<std::string>() : dump_json(value);
}

// Whether `labels` have what an entry of matchExpressions asks.
bool matches(const Json& labels, const Json& expression) {
  const Json* label = member(labels, text(expression, "key"));
  const std::string_view op = text(expression, "operator");
  if (op == "Exists") return label != nullptr;
  if (op == "DoesNotExist") return label == nullptr;
  const Json* values = member(expression, "values");
  const bool in = label != nullptr && values != nullptr && values->is_array() &&
                  std::ranges::count(*values, *label) > 0;
  return op == "In" ? in : op == "NotIn" ? !in : true;
}

void check_pod_labels(const Document& document, const Json& spec, Report& report) {
  const Json& selector = mapping(spec, {"selector"});
  const Json& labels = mapping(spec, {"template", "metadata", "labels"});
  if (member(spec, "selector") != nullptr && !is_set(selector, "matchLabels") &&
      !is_set(selector, "matchExpressions"))
    report.error(document, "spec.selector", "server/selector", "is empty",
                 "name a label of the pod template");
  for (const auto& item : mapping(selector, {"matchLabels"}).items()) {
    const Json* label = member(labels, item.key());
    if (label == nullptr || *label != item.value())
      report.error(document, "spec.selector.matchLabels." + item.key(), "server/selector",
                   fmt::format("'{}' is not a label of the pod template", shown(item.value())),
                   "add it to spec.template.metadata.labels");
  }
  for (const Entry& expression : entries(selector, "matchExpressions", "spec.selector"))
    if (!matches(labels, *expression.value))
      report.error(document, expression.path, "server/selector",
                   "does not match the labels of the pod template");
}

void check_rollout(const Document& document, const Json& spec, Report& report) {
  for (const std::string_view field : {"strategy", "updateStrategy"}) {
    const Json& strategy = mapping(spec, {field});
    const Json& rolling = mapping(strategy, {"rollingUpdate"});
    const std::string path = fmt::format("spec.{}.rollingUpdate", field);
    const std::string_view type = text(strategy, "type");
    const bool other = type == "Recreate" || (type == "OnDelete" && document.kind() != "DaemonSet");
    if (other && is_set(strategy, "rollingUpdate"))
      report.error(document, path, "server/rollout", fmt::format("not allowed with type {}", type));
    const Json* unavailable = member(rolling, "maxUnavailable");
    const Json* surge = member(rolling, "maxSurge");
    const bool daemons = document.kind() == "DaemonSet";
    const bool no_surge = is_zero(surge) || (daemons && surge == nullptr);  // by default 0, or 25%
    if (document.kind() != "StatefulSet" && is_zero(unavailable) && no_surge)
      report.error(document, path + ".maxUnavailable", "server/rollout",
                   "may not be 0 when maxSurge is 0", "nothing could be replaced");
    if (daemons && is_above_zero(surge) && !is_zero(unavailable))
      report.error(document, path + ".maxSurge", "server/rollout", "only where maxUnavailable is 0",
                   "a DaemonSet does one of both");
    if (document.kind() == "StatefulSet" && is_zero(unavailable))
      report.error(document, path + ".maxUnavailable", "server/rollout", "may not be 0");
  }
}

void check_long_running(const Document& document, const Json& spec, Report& report) {
  check_pod_labels(document, spec, report);
  check_rollout(document, spec, report);
  const int64_t ready = integer(spec, "minReadySeconds", 0);
  const int64_t deadline = integer(spec, "progressDeadlineSeconds", 600);
  if (document.kind() == "Deployment" && deadline <= ready)
    report.error(document, "spec.progressDeadlineSeconds", "server/range",
                 fmt::format("{} must be greater than minReadySeconds {}", deadline, ready));
  const Json& pod = mapping(spec, {"template", "spec"});
  if (const std::string_view policy = text(pod, "restartPolicy");
      !policy.empty() && policy != "Always")
    report.error(document, "spec.template.spec.restartPolicy", "server/restart-policy",
                 fmt::format("must be Always in a {}", document.kind()));
  if (member(pod, "activeDeadlineSeconds") != nullptr)
    report.error(document, "spec.template.spec.activeDeadlineSeconds", "server/restart-policy",
                 fmt::format("not allowed in a {}", document.kind()));
}

// A pod of a kind we know has a specification with a container, whatever else is missing.
void check_template(const Document& document, const std::string& path, const Json& owner,
                    std::string_view name, Report& report) {
  const Json* made = member(owner, name);
  if (made == nullptr || !made->is_object()) return;  // required by the schema
  const Json* spec = name == "spec" ? made : member(*made, "spec");
  const std::string at = name == "spec" ? join(path, name) : join(path, name) + ".spec";
  if (spec == nullptr || spec->is_null())
    return report.error(document, at, "server/required", "required field is missing");
  const Json* list = member(*spec, "containers");
  if (list != nullptr && list->is_array() && list->empty())
    report.error(document, at + ".containers", "server/required", "required field is empty");
  if (name != "spec" && member(*spec, "ephemeralContainers") != nullptr)
    report.error(document, at + ".ephemeralContainers", "server/exclusive",
                 "not allowed in a template");
}

void check_templates(const Document& document, Report& report) {
  const std::string_view group = document.group();
  if (is_kind(document, "", "Pod")) check_template(document, "", document.object, "spec", report);
  if (document.kind() == "CronJob" && group == "batch")
    check_template(document, "spec.jobTemplate.spec",
                   mapping(document.object, {"spec", "jobTemplate", "spec"}), "template", report);
  else if (group == "apps" || group == "batch")
    check_template(document, "spec", mapping(document.object, {"spec"}), "template", report);
}

void check_priority_class(const Document& document, Report& report) {
  const int64_t value = integer(document.object, "value", 0);
  if (value > kHighestUserPriority && !document.name().starts_with("system-"))
    report.error(document, "value", "server/range",
                 fmt::format("{} is above the maximum {}", value, kHighestUserPriority),
                 "what is above belongs to the system");
  if (document.name().starts_with("system-"))
    report.error(document, "metadata.name", "server/name",
                 "names that begin with system- are reserved");
}

}  // namespace

void check_workloads(Documents documents, const Context&, Report& report) {
  constexpr std::array<std::string_view, 4> kLongRunning = {"Deployment", "StatefulSet",
                                                            "DaemonSet", "ReplicaSet"};
  for (const Document& document : documents) {
    if (document.known == nullptr) continue;
    check_templates(document, report);
    if (document.group() == "apps" && std::ranges::count(kLongRunning, document.kind()) > 0)
      check_long_running(document, mapping(document.object, {"spec"}), report);
    if (is_kind(document, "scheduling.k8s.io", "PriorityClass"))
      check_priority_class(document, report);
  }
}

}  // namespace aictl::manifest
