// The text of pods, which most targets share, and the agent of each node.
#include <set>

#include <fmt/format.h>

#include "core/platform/generate/cluster/decorate.hpp"
#include "core/platform/generate/explain/trace.hpp"
#include "core/platform/generate/render/templates.hpp"

namespace aictl::platform {
namespace {

std::string without_end(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace

Json pod_style(const Json& style) {
  Json full = {{"container", ""},
               {"env", Json::array()},
               {"ports", true},
               {"port_name", ""},
               {"probe_ports", true},
               {"probes", true},
               {"startup", true},
               {"startup_tcp", false},
               {"claims", true},
               {"lifecycle", true},
               {"scheduler", ""},
               {"account", true},
               {"priority", true},
               {"restart", ""},
               {"grace", true},
               {"spread", true},
               {"tolerations", true},
               {"placement", true},
               {"wait", true},
               {"containers", true},
               {"rank_from_index", false},
               {"role", ""},
               {"extra_ports", Json::array()},
               {"resources", Json::object()},
               {"priority_class", ""}};
  full.update(style);
  return full;
}

Result<void> add_pods(const RenderRequest& request, const Json& style, const std::string& key,
                      Json& variables) {
  const auto render = [&](const char* path, const Json& scope, const std::string& as) {
    return render_template(request.templates, path, scope, request.trace, as);
  };
  auto script = render("shared/fetch.sh.j2", variables, "/fetch_script");
  if (!script) return std::move(script).error();
  variables["fetch_script"] = without_end(*std::move(script));
  Json scope = variables;
  scope.erase("workloads");
  scope["style"] = pod_style(style);
  size_t index = 0;
  for (Json& workload : variables["workloads"]) {
    const std::string at = fmt::format("/workloads/{}", index++);
    if (request.trace) request.trace->alias("/w", at);
    if (request.trace) request.trace->alias("/container", at + "/" + key + "_container");
    scope["w"] = workload;
    scope["w"]["resources"].update(scope["style"]["resources"]);
    auto container = render("shared/container.yaml.j2", scope, "/container");
    if (!container) return std::move(container).error();
    scope["container"] = without_end(*std::move(container));
    auto pod = render("shared/pod.yaml.j2", scope, at + "/" + key);
    if (!pod) return std::move(pod).error();
    workload[key + "_container"] = scope["container"];  // of another tree: it stays where it is
    workload[key] = without_end(*std::move(pod));
  }
  return {};
}

Json agent_variables(const Cluster& cluster, const Json& workloads) {
  const Platform& p = cluster.platform();
  Json agent = Json::object();
  agent["selector"] = {{"app.kubernetes.io/name", "node-agent"},
                       {"app.kubernetes.io/instance", cluster.prefix() + "-node-agent"}};
  Json labels = agent["selector"];
  labels["app.kubernetes.io/component"] = "node-agent";
  labels["app.kubernetes.io/part-of"] = cluster.prefix();
  labels["app.kubernetes.io/managed-by"] = "aictl";
  agent["labels"] = std::move(labels);
  agent["security"] = {{"allowPrivilegeEscalation", false},
                       {"readOnlyRootFilesystem", true},
                       {"runAsNonRoot", true},
                       {"capabilities", {{"drop", Json::array({"ALL"})}}},
                       {"seccompProfile", {{"type", "RuntimeDefault"}}}};
  const Json little = {{"cpu", "100m"}, {"memory", "256Mi"}, {"ephemeral-storage", "256Mi"}};
  agent["resources"] = {{"requests", little}, {"limits", little}};
  agent["images"] = Json::array();
  agent["volumes"] = Json::array();
  agent["node_selector"] = Json::object();
  for (const auto& [key, value] : p.placement.selector) agent["node_selector"][key] = value;
  std::set<std::string> seen;
  for (const Json& w : workloads) {
    if (w["component"] != "model") continue;
    if (seen.insert(w["image"].get<std::string>()).second) agent["images"].push_back(w["image"]);
    for (const Json& volume : w["volumes"]) {
      if (!volume.contains("image"))
        continue;  // a volume that is an image is pulled by mounting it
      const auto reference = volume["image"]["reference"].get<std::string>();
      if (!seen.insert(reference).second) continue;
      const std::string name = fmt::format("weights-{}", agent["volumes"].size() + 1);
      Json mounted = {{"name", name}, {"image", volume["image"]}};
      agent["volumes"].push_back(
          {{"name", name}, {"mount", "/weights/" + name}, {"volume", std::move(mounted)}});
    }
  }
  return agent;
}

}  // namespace aictl::platform
