// HorizontalPodAutoscaler, PodDisruptionBudget.
#include <array>

#include "core/manifest/rules/fields/fields.hpp"
#include "core/manifest/rules/tables.hpp"
#include "core/manifest/rules/walk.hpp"

namespace aictl::manifest {
namespace {

using enum Need;

constexpr FieldRow kTarget[] = {
    {"type", kRequired, nullptr, ""},
    {"value", kOptional, shape::above_zero, "server/range"},
    {"averageValue", kOptional, shape::above_zero, "server/range"},
    {"averageUtilization", kOptional, shape::within, "server/range", "1.."},
};

constexpr FieldRow kScaling[] = {
    {"stabilizationWindowSeconds", kOptional, shape::within, "server/range", "0..3600"},
    {"policies[].type", kRequired, nullptr, ""},
    {"policies[].value", kRequired, shape::within, "server/range", "1.."},
    {"policies[].periodSeconds", kRequired, shape::within, "server/range", "1..1800"},
};

// The field that a type of metric fills.
struct Source {
  std::string_view type, field;
};
constexpr std::array<Source, 5> kSources = {{{"Resource", "resource"},
                                             {"ContainerResource", "containerResource"},
                                             {"Pods", "pods"},
                                             {"External", "external"},
                                             {"Object", "object"}}};

void check_metric(const Document& document, const Entry& metric, Report& report) {
  const std::string_view type = text(*metric.value, "type");
  for (const Source& source : kSources) {
    const Json* found = member(*metric.value, source.field);
    const bool given = found != nullptr && found->is_object();
    const std::string path = join(metric.path, source.field);
    if (given && type != source.type)
      report.error(document, path, "server/metric", fmt::format("not with type {}", type));
    if (!given && type == source.type)
      report.error(document, path, "server/metric", fmt::format("needed with type {}", type));
    if (!given) continue;
    const Json& target = mapping(*found, {"target"});
    check_fields(document, path + ".target", target, kTarget, report);
    const bool any = is_set(target, "value") || is_set(target, "averageValue") ||
                     member(target, "averageUtilization") != nullptr;
    const bool fits =
        source.field.ends_with("esource")
            ? member(target, "averageUtilization") != nullptr || is_set(target, "averageValue")
            : source.field != "pods" || is_set(target, "averageValue");
    if (!any || !fits)
      report.error(document, path + ".target", "server/metric", "names no value for this metric");
    if (is_set(target, "averageValue") && (member(target, "averageUtilization") != nullptr))
      report.error(document, path + ".target", "server/exclusive",
                   "averageValue and averageUtilization exclude each other");
  }
}

void check_autoscaler(const Document& document, const Json& spec, Report& report) {
  const int64_t low = integer(spec, "minReplicas", 1), high = integer(spec, "maxReplicas", low);
  if (high >= 1 && low > high)
    report.error(document, "spec.minReplicas", "server/range",
                 fmt::format("{} is more than maxReplicas {}", low, high));
  for (const Entry& metric : entries(spec, "metrics", "spec"))
    check_metric(document, metric, report);
  const Json& behavior = mapping(spec, {"behavior"});
  for (const std::string_view field : {"scaleUp", "scaleDown"}) {
    const Json* scaling = member(behavior, field);
    if (scaling == nullptr || !scaling->is_object()) continue;
    const std::string path = fmt::format("spec.behavior.{}", field);
    check_fields(document, path, *scaling, kScaling, report);
    if (const Json* policies = member(*scaling, "policies");
        policies != nullptr && policies->is_array() && policies->empty())
      report.error(document, path + ".policies", "server/required", "names no policy");
  }
}

void check_budget(const Document& document, const Json& spec, Report& report) {
  const auto given = [&spec](std::string_view field) {
    const Json* value = member(spec, field);
    return value != nullptr && !value->is_null();
  };
  if (given("minAvailable") && given("maxUnavailable"))
    report.error(document, "spec", "server/exclusive",
                 "minAvailable and maxUnavailable exclude each other");
}

}  // namespace

void check_autoscaling(Documents documents, const Context&, Report& report) {
  for (const Document& document : documents) {
    if (document.known == nullptr) continue;
    const Json& spec = mapping(document.object, {"spec"});
    if (is_kind(document, "autoscaling", "HorizontalPodAutoscaler"))
      check_autoscaler(document, spec, report);
    if (is_kind(document, "policy", "PodDisruptionBudget")) check_budget(document, spec, report);
  }
}

}  // namespace aictl::manifest
