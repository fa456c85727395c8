// Argo CD and Flux: the objects a file each, and what has a controller apply them from a
// repository.
#include <fmt/format.h>

#include "core/platform/generate/layout/layout.hpp"
#include "core/value/yaml_write.hpp"

namespace aictl::platform {
namespace {

std::string joined(const std::string& path, const std::string& below) {
  return path.empty() || path == "." ? below : path + "/" + below;
}

}  // namespace

std::vector<RenderedFile> argocd_files(const Platform& platform, const Generated& generated,
                                       const LayoutOptions& options) {
  Generated waved = generated;
  for (RenderedObject& each : waved.objects)  // a wave waits until the one before is healthy
    each.object["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"] =
        fmt::format("{}", apply_rank(each.object));
  std::vector<RenderedFile> files = object_files(waved, "manifests/");
  Json app = {{"apiVersion", "argoproj.io/v1alpha1"}, {"kind", "Application"}};
  app["metadata"] = {{"name", platform.name},
                     {"namespace", "argocd"},
                     {"finalizers", Json::array({"resources-finalizer.argocd.argoproj.io"})}};
  Json& spec = app["spec"];
  spec["project"] = "default";
  spec["source"] = {{"repoURL", options.repository},
                    {"targetRevision", options.revision},
                    {"path", joined(options.path, "manifests")},
                    {"directory", {{"recurse", true}}}};
  spec["destination"] = {{"server", "https://kubernetes.default.svc"},
                         {"namespace", platform.space}};
  spec["syncPolicy"] = {
      {"automated", {{"prune", true}, {"selfHeal", true}}},
      {"syncOptions", Json::array({"CreateNamespace=true", "ServerSideApply=true"})},
      {"retry",
       {{"limit", 5}, {"backoff", {{"duration", "30s"}, {"factor", 2}, {"maxDuration", "10m"}}}}}};
  files.push_back({"application.yaml", comment_lines(generated.header) + write_yaml(app)});
  return files;
}

std::vector<RenderedFile> flux_files(const Platform& platform, const Generated& generated,
                                     const LayoutOptions& options) {
  std::vector<RenderedFile> files = object_files(generated, "manifests/");
  Json source = {{"apiVersion", "source.toolkit.fluxcd.io/v1"}, {"kind", "GitRepository"}};
  source["metadata"] = {{"name", platform.name}, {"namespace", "flux-system"}};
  source["spec"] = {
      {"interval", "5m"}, {"url", options.repository}, {"ref", {{"branch", options.revision}}}};
  Json apply = {{"apiVersion", "kustomize.toolkit.fluxcd.io/v1"}, {"kind", "Kustomization"}};
  apply["metadata"] = {{"name", platform.name}, {"namespace", "flux-system"}};
  Json& spec = apply["spec"];
  spec["interval"] = "10m";
  spec["timeout"] = "1h";  // models take their time to load
  spec["path"] = "./" + joined(options.path, "manifests");
  spec["prune"] = true;
  spec["sourceRef"] = {{"kind", "GitRepository"}, {"name", platform.name}};
  for (const RenderedObject& each : generated.objects) {
    const auto kind = each.object.value("kind", "");
    if (kind == "Deployment" || kind == "StatefulSet")
      spec["healthChecks"].push_back({{"apiVersion", "apps/v1"},
                                      {"kind", kind},
                                      {"name", each.object["metadata"]["name"]},
                                      {"namespace", each.object["metadata"]["namespace"]}});
  }
  if (!spec.contains("healthChecks")) spec["wait"] = true;
  files.push_back({"flux.yaml", comment_lines(generated.header) + write_yaml(source) + "---\n" +
                                    write_yaml(apply)});
  return files;
}

}  // namespace aictl::platform
