// Where a pod may run: tolerations, spread constraints, affinity, node labels.
#include <array>
#include <set>

#include "core/manifest/rules/fields/fields.hpp"
#include "core/manifest/rules/names.hpp"
#include "core/manifest/rules/pods/tables.hpp"

namespace aictl::manifest {
namespace {

using enum Need;

constexpr std::string_view kWeight = "1..100";

constexpr FieldRow kPodTerms[] = {
    {"requiredDuringSchedulingIgnoredDuringExecution[].topologyKey", kRequired, shape::qualified,
     "server/label"},
    {"requiredDuringSchedulingIgnoredDuringExecution[].namespaces[]", kGiven, shape::label,
     "server/name"},
    {"preferredDuringSchedulingIgnoredDuringExecution[].weight", kRequired, shape::within,
     "server/range", kWeight},
    {"preferredDuringSchedulingIgnoredDuringExecution[].podAffinityTerm", kRequired, nullptr, ""},
    {"preferredDuringSchedulingIgnoredDuringExecution[].podAffinityTerm.topologyKey", kRequired,
     shape::qualified, "server/label"},
    {"preferredDuringSchedulingIgnoredDuringExecution[].podAffinityTerm.namespaces[]", kGiven,
     shape::label, "server/name"},
};

constexpr FieldRow kNodeTerms[] = {
    {"requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms", kRequired, nullptr, ""},
    {"preferredDuringSchedulingIgnoredDuringExecution[].weight", kRequired, shape::within,
     "server/range", kWeight},
};

constexpr FieldRow kSpread[] = {
    {"maxSkew", kRequired, shape::within, "server/range", "1.."},
    {"minDomains", kOptional, shape::within, "server/range", "1.."},
    {"topologyKey", kRequired, nullptr, ""},
    {"whenUnsatisfiable", kRequired, nullptr, ""},
};

void check_tolerations(const Document& document, const PodTemplate& pod, Report& report) {
  for (const Entry& toleration : entries(*pod.spec, "tolerations", pod.path)) {
    const std::string_view op = text(*toleration.value, "operator");
    const std::string_view key = text(*toleration.value, "key");
    const std::string_view value = text(*toleration.value, "value");
    if (!key.empty() && !is_label_key(key))
      refuse(report, document, toleration.path + ".key", "server/toleration",
             fmt::format("'{}' is not a valid key", key));
    if (op == "Exists" && !value.empty())
      refuse(report, document, toleration.path + ".value", "server/toleration",
             "must be empty when the operator is Exists");
    if ((op.empty() || op == "Equal") && !is_label_value(value))
      refuse(report, document, toleration.path + ".value", "server/toleration",
             fmt::format("'{}' is not a valid label value", value));
    if (key.empty() && op != "Exists")
      refuse(report, document, toleration.path + ".operator", "server/toleration",
             "must be Exists when the key is empty");
    const Json* seconds = member(*toleration.value, "tolerationSeconds");
    if (seconds != nullptr && !seconds->is_null() &&
        text(*toleration.value, "effect") != "NoExecute")
      refuse(report, document, toleration.path + ".effect", "server/toleration",
             "must be NoExecute when tolerationSeconds is set");
  }
}

void check_spread(const Document& document, const PodTemplate& pod, Report& report) {
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (const Entry& spread : entries(*pod.spec, "topologySpreadConstraints", pod.path)) {
    check_fields(document, spread.path, *spread.value, kSpread, report);
    const std::string_view key = text(*spread.value, "topologyKey");
    if (!seen.emplace(key, text(*spread.value, "whenUnsatisfiable")).second)
      refuse(report, document, spread.path, "server/duplicate",
             fmt::format("a second constraint over '{}'", key));
    if (member(*spread.value, "minDomains") != nullptr &&
        text(*spread.value, "whenUnsatisfiable") != "DoNotSchedule")
      refuse(report, document, spread.path + ".minDomains", "server/exclusive",
             "only with whenUnsatisfiable: DoNotSchedule");
    if (is_set(*spread.value, "matchLabelKeys") &&
        member(*spread.value, "labelSelector") == nullptr)
      refuse(report, document, spread.path + ".matchLabelKeys", "server/exclusive",
             "only with a labelSelector");
  }
}

}  // namespace

void check_scheduling(const Document& document, const PodTemplate& pod, Report& report) {
  check_tolerations(document, pod, report);
  check_spread(document, pod, report);
  const std::string path = join(pod.path, "affinity");
  const Json& affinity = mapping(*pod.spec, {"affinity"});
  for (const std::string_view field : {"podAffinity", "podAntiAffinity"})
    check_fields(document, join(path, field), mapping(affinity, {field}), kPodTerms, report);
  check_fields(document, join(path, "nodeAffinity"), mapping(affinity, {"nodeAffinity"}),
               kNodeTerms, report);
  for (const auto& item : mapping(*pod.spec, {"nodeSelector"}).items())
    if (!is_label_key(item.key()))
      refuse(report, document, pod.path + ".nodeSelector", "server/label",
             fmt::format("'{}' is not a valid key", item.key()));
    else if (item.value().is_string() &&
             !is_label_value(item.value().get_ref<const std::string&>()))
      refuse(report, document, fmt::format("{}.nodeSelector.{}", pod.path, item.key()),
             "server/label",
             fmt::format("'{}' is not a valid label value", item.value().get<std::string>()));
}

}  // namespace aictl::manifest
