#include "core/manifest/rules/walk.hpp"

#include <algorithm>
#include <array>

#include "core/manifest/catalog/catalog.hpp"

namespace aictl::manifest {
namespace {

const Json& nothing() {
  static const Json empty = Json::object();
  return empty;
}

bool looks_like_pod(const Json& value) {
  for (const Entry& container : entries(value, "containers", ""))
    if (container.value->contains("image") || container.value->contains("name")) return true;
  return false;
}

void collect(const Json& value, const std::string& path, const Json& metadata,
             std::vector<PodTemplate>& found) {
  if (value.is_array()) {
    for (size_t i = 0; i < value.size(); ++i)
      collect(value[i], fmt::format("{}[{}]", path, i), nothing(), found);
    return;
  }
  if (!value.is_object()) return;
  if (looks_like_pod(value)) found.push_back({path, &value, &metadata});
  for (const auto& item : value.items())
    if (item.value().is_structured())
      collect(item.value(), join(path, item.key()),
              item.key() == "spec" ? mapping(value, {"metadata"}) : nothing(), found);
}

}  // namespace

const Json* member(const Json& value, std::string_view name) {
  if (!value.is_object()) return nullptr;
  for (const auto& item : value.get_ref<const Json::object_t&>())
    if (item.first == name) return &item.second;
  return nullptr;
}

const Json& mapping(const Json& value, std::initializer_list<std::string_view> names) {
  const Json* at = &value;
  for (const std::string_view name : names) {
    at = member(*at, name);
    if (at == nullptr) return nothing();
  }
  return at->is_object() ? *at : nothing();
}

std::string_view text(const Json& value, std::string_view name) {
  const Json* found = member(value, name);
  return found != nullptr && found->is_string()
             ? std::string_view(found->get_ref<const std::string&>())
             : std::string_view();
}

bool is_true(const Json& value, std::string_view name) {
  const Json* found = member(value, name);
  return found != nullptr && found->is_boolean() && found->get<bool>();
}

bool is_set(const Json& value, std::string_view name) {
  const Json* found = member(value, name);
  if (found == nullptr || found->is_null()) return false;
  if (found->is_boolean()) return found->get<bool>();
  if (found->is_string()) return !found->get_ref<const std::string&>().empty();
  return !found->is_structured() || !found->empty();
}

int64_t integer(const Json& value, std::string_view name, int64_t otherwise) {
  const Json* found = member(value, name);
  return found != nullptr && found->is_number_integer() ? found->get<int64_t>() : otherwise;
}

std::vector<Entry> entries(const Json& value, std::string_view name, const std::string& path) {
  std::vector<Entry> found;
  const Json* list = member(value, name);
  if (list == nullptr || !list->is_array()) return found;
  for (size_t i = 0; i < list->size(); ++i)
    if ((*list)[i].is_object())
      found.push_back({fmt::format("{}[{}]", join(path, name), i), &(*list)[i]});
  return found;
}

std::string join(const std::string& path, std::string_view name) {
  return path.empty() ? std::string(name) : fmt::format("{}.{}", path, name);
}

std::vector<PodTemplate> pod_templates(const Document& document) {
  std::vector<PodTemplate> found;
  collect(document.object, "", nothing(), found);
  return found;
}

std::vector<Container> containers(const PodTemplate& pod) {
  std::vector<Container> found;
  for (const bool init : {true, false})
    for (const Entry& entry : entries(*pod.spec, init ? "initContainers" : "containers", pod.path))
      found.push_back({entry.path, entry.value, init});
  return found;
}

void refuse(Report& report, const Document& document, std::string_view path, std::string_view rule,
            std::string message, std::string hint) {
  const bool foreign =
      document.known != nullptr && document.known->custom && document.known->scope != Scope::kFile;
  if (foreign)
    report.warning(document, path, rule, std::move(message), std::move(hint));
  else
    report.error(document, path, rule, std::move(message), std::move(hint));
}

bool is_completed_elsewhere(const Document& document) {
  constexpr std::array<std::string_view, 12> kKinds = {
      "InferenceService", "LLMInferenceService",    "LLMInferenceServiceConfig",
      "ServingRuntime",   "ClusterServingRuntime",  "ClusterStorageContainer",
      "InferenceGraph",   "OpenTelemetryCollector", "EnvoyProxy",
      "ScaledJob",        "KnativeServing",         "KnativeEventing"};
  return std::ranges::count(kKinds, document.kind()) > 0 ||
         is_kind(document, "serving.knative.dev", "Service");
}

bool is_kind(const Document& document, std::string_view group, std::string_view kind) {
  return document.kind() == kind && document.group() == group;
}

bool matches_glob(std::string_view glob, std::string_view name) {
  size_t at = 0, in_name = 0, star = glob.npos, resume = 0;
  while (in_name < name.size()) {
    if (at < glob.size() && glob[at] == '*') {
      star = at++;
      resume = in_name;
    } else if (at < glob.size() && (glob[at] == name[in_name] || glob[at] == '?')) {
      ++at;
      ++in_name;
    } else if (star != glob.npos) {
      at = star + 1;
      in_name = ++resume;
    } else {
      return false;
    }
  }
  while (at < glob.size() && glob[at] == '*') ++at;
  return at == glob.size();
}

}  // namespace aictl::manifest
