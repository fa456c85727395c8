// Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, CronJob, HorizontalPodAutoscaler,
// PodDisruptionBudget, PriorityClass.
#include <algorithm>
#include <array>

#include "core/manifest/rules/tables.hpp"
#include "core/manifest/rules/walk.hpp"

namespace aictl::manifest {
namespace {

constexpr int64_t kHighestUserPriority = 1'000'000'000;

// "25%" or 3; -1 when it is neither.
int64_t amount(const Json* value) {
  if (value == nullptr) return -1;
  if (value->is_number_integer()) return value->get<int64_t>();
  if (!value->is_string()) return -1;
  const std::string& text = value->get_ref<const std::string&>();
  if (text.size() < 2 || text.size() > 6 || text.back() != '%' ||
      !std::all_of(text.begin(), text.end() - 1, [](char c) { return c >= '0' && c <= '9'; }))
    return -1;
  return std::stoll(text);
}

void check_not_negative(const Document& document, const std::string& path, const Json& value,
                        std::initializer_list<std::string_view> fields, Report& report) {
  for (const std::string_view field : fields)
    if (const int64_t number = integer(value, field, 0); number < 0)
      report.error(document, join(path, field), "server/range",
                   fmt::format("{} is below the minimum 0", number));
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
                   fmt::format("'{}' is not a label of the pod template",
                               item.value().is_string() ? item.value().get<std::string>()
                                                        : dump_json(item.value())),
                   "add it to spec.template.metadata.labels");
  }
}

void check_rollout(const Document& document, const Json& spec, Report& report) {
  for (const std::string_view field : {"strategy", "updateStrategy"}) {
    const Json& strategy = mapping(spec, {field});
    const Json& rolling = mapping(strategy, {"rollingUpdate"});
    const std::string path = fmt::format("spec.{}.rollingUpdate", field);
    const std::string_view type = text(strategy, "type");
    if (!rolling.empty() && (type == "Recreate" || type == "OnDelete"))
      report.error(document, path, "server/rollout", fmt::format("not allowed with type {}", type));
    const Json* unavailable = member(rolling, "maxUnavailable");
    const Json* surge = member(rolling, "maxSurge");
    if (unavailable != nullptr && surge != nullptr && amount(unavailable) == 0 &&
        amount(surge) == 0)
      report.error(document, path + ".maxUnavailable", "server/rollout",
                   "may not be 0 when maxSurge is 0", "nothing could be replaced");
    if (amount(unavailable) > 100 && unavailable->is_string())
      report.error(document, path + ".maxUnavailable", "server/rollout", "is over 100%");
    for (const Json* value : {unavailable, surge})
      if (value != nullptr && amount(value) < 0)
        report.error(
            document, path, "server/rollout",
            fmt::format("{} is neither a number from 0 nor a percentage", dump_json(*value)));
  }
}

void check_long_running(const Document& document, const Json& spec, Report& report) {
  check_pod_labels(document, spec, report);
  check_rollout(document, spec, report);
  check_not_negative(document, "spec", spec,
                     {"replicas", "minReadySeconds", "revisionHistoryLimit"}, report);
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

void check_job(const Document& document, const std::string& path, const Json& spec,
               Report& report) {
  const std::string_view policy = text(mapping(spec, {"template", "spec"}), "restartPolicy");
  if (policy != "Never" && policy != "OnFailure")
    report.error(document, path + ".template.spec.restartPolicy", "server/restart-policy",
                 "must be Never or OnFailure in a Job");
  check_not_negative(document, path, spec,
                     {"parallelism", "completions", "backoffLimit", "activeDeadlineSeconds",
                      "ttlSecondsAfterFinished"},
                     report);
  if (text(spec, "completionMode") == "Indexed" && member(spec, "completions") == nullptr)
    report.error(document, path + ".completions", "server/required",
                 "required field is missing: completionMode is Indexed");
  if (member(spec, "podFailurePolicy") != nullptr && policy == "OnFailure")
    report.error(document, path + ".template.spec.restartPolicy", "server/restart-policy",
                 "must be Never with a podFailurePolicy");
}

void check_template(const Document& document, const std::string& path, const Json& spec,
                    Report& report) {
  const Json* made = member(spec, "template");
  if (made != nullptr && made->is_object() && !made->empty() && !made->contains("spec"))
    report.error(document, path + ".template.spec", "server/required", "required field is missing");
}

void check_cron_job(const Document& document, const Json& spec, Report& report) {
  const std::string path = "spec.jobTemplate.spec";
  const Json& job = mapping(spec, {"jobTemplate", "spec"});
  check_template(document, path, job, report);
  check_job(document, path, job, report);
  const std::string_view schedule = text(spec, "schedule");
  size_t fields = 0;
  for (size_t i = 0; i < schedule.size(); ++i)
    fields += schedule[i] != ' ' && (i == 0 || schedule[i - 1] == ' ') ? 1 : 0;
  const bool zone = schedule.find("TZ") != schedule.npos;
  if (zone)
    report.error(document, "spec.schedule", "server/schedule",
                 fmt::format("'{}' names a time zone", schedule), "write it in spec.timeZone");
  else if (!schedule.starts_with('@') && fields != 5)
    report.error(document, "spec.schedule", "server/schedule",
                 fmt::format("'{}' is not a cron schedule", schedule),
                 "minute hour day month weekday");
}

void check_autoscaler(const Document& document, const Json& spec, Report& report) {
  const int64_t low = integer(spec, "minReplicas", 1), high = integer(spec, "maxReplicas", low);
  if (low < 1)
    report.error(document, "spec.minReplicas", "server/range",
                 fmt::format("{} is below the minimum 1", low));
  if (high < 1)
    report.error(document, "spec.maxReplicas", "server/range",
                 fmt::format("{} is below the minimum 1", high));
  else if (low > high)
    report.error(document, "spec.minReplicas", "server/range",
                 fmt::format("{} is more than maxReplicas {}", low, high));
}

void check_budget(const Document& document, const Json& spec, Report& report) {
  const Json* least = member(spec, "minAvailable");
  const Json* most = member(spec, "maxUnavailable");
  if (least != nullptr && most != nullptr)
    report.error(document, "spec", "server/exclusive",
                 "minAvailable and maxUnavailable exclude each other");
  for (const std::string_view field : {"minAvailable", "maxUnavailable"})
    if (const Json* value = member(spec, field); value != nullptr && amount(value) < 0)
      report.error(document, join("spec", field), "server/range",
                   fmt::format("{} is neither a number from 0 nor a percentage",
                               value->is_string() ? fmt::format("'{}'", text(spec, field))
                                                  : dump_json(*value)));
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
    const Json& spec = mapping(document.object, {"spec"});
    const std::string_view group = document.group(), kind = document.kind();
    if (group == "apps" || group == "batch") check_template(document, "spec", spec, report);
    if (group == "apps" && std::ranges::count(kLongRunning, kind) > 0)
      check_long_running(document, spec, report);
    if (group == "batch" && kind == "Job") check_job(document, "spec", spec, report);
    if (group == "batch" && kind == "CronJob") check_cron_job(document, spec, report);
    if (is_kind(document, "autoscaling", "HorizontalPodAutoscaler"))
      check_autoscaler(document, spec, report);
    if (is_kind(document, "policy", "PodDisruptionBudget")) check_budget(document, spec, report);
    if (is_kind(document, "scheduling.k8s.io", "PriorityClass"))
      check_priority_class(document, report);
  }
}

}  // namespace aictl::manifest
