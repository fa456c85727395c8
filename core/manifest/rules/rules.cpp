#include "core/manifest/rules/rules.hpp"

#include <algorithm>

#include "core/manifest/rules/tables.hpp"

namespace aictl::manifest {
namespace {

constexpr Severity kError = Severity::kError, kWarning = Severity::kWarning;

// Rows that share a function stand together; it is called once.
constexpr Rule kRows[] = {
    {"server/name", kError, "names that an object, namespace, container or volume may not have",
     check_metadata},
    {"server/cluster-scoped", kWarning, "a namespace on what has none", check_metadata},
    {"server/label", kError, "keys and values of labels", check_metadata},
    {"server/annotation", kError, "keys of annotations and their size", check_metadata},
    {"server/finalizer", kError, "names of finalizers", check_metadata},
    {"server/selector", kError, "selectors that are empty, malformed or miss their own pods",
     check_selectors},
    {"server/required", kError, "fields that are required by what others say", check_kind_fields},
    {"server/word", kError, "words that are not one of those allowed", check_kind_fields},
    {"server/address", kError, "what is no IP address or block of them", check_kind_fields},
    {"server/restart-policy", kError, "restart policies a kind does not take", check_workloads},
    {"server/rollout", kError, "rollouts that could never proceed", check_workloads},
    {"server/schedule", kError, "what cron would not read", check_jobs},
    {"server/metric", kError, "metrics of autoscalers and their targets", check_autoscaling},
    {"server/device", kError, "requests and constraints of device claims", check_device_claims},
    {"server/port-number", kError, "numbers that are no port", check_networking},
    {"server/network-policy", kError, "peers and ports of network policies", check_networking},
    {"server/path", kError, "paths of rules, mounts and volumes", check_networking},
    {"server/role", kError, "rules of roles", check_access},
    {"server/binding", kError, "subjects and roles of bindings", check_access},
    {"server/config-key", kError, "keys of ConfigMaps and Secrets", check_data},
    {"server/size", kError, "more data than an object may hold", check_data},
    {"server/volume", kError, "mounts of volumes that are not there", check_pods},
    {"server/claim", kError, "device claims that are not there", check_pods},
    {"server/image", kError, "images with blanks around them", check_pods},
    {"server/toleration", kError, "tolerations that contradict themselves", check_pods},
    {"server/duplicate", kError, "names and numbers used twice", check_containers},
    {"server/exclusive", kError, "fields that exclude each other", check_containers},
    {"server/range", kError, "numbers out of their range", check_containers},
    {"server/port-name", kError, "names of ports, and probes of ports that are not there",
     check_containers},
    {"server/probe", kError, "probes", check_containers},
    {"server/hook", kError, "lifecycle hooks", check_containers},
    {"server/resource-name", kError, "resources that do not exist", check_resources},
    {"server/extended-resource", kError, "devices: whole, and limited", check_resources},
    {"cel/rule", kError, "the rules custom resource definitions carry", check_expressions},
};

}  // namespace

std::span<const Rule> server_rules() { return kRows; }

void check_server_rules(Documents documents, const Context& context, Report& report) {
  auto called = decltype(Rule::check){};
  for (const Rule& row : kRows) {
    if (row.check != called) row.check(documents, context, report);
    called = row.check;
  }
}

}  // namespace aictl::manifest
