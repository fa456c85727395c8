// kustomize: a base of all objects, an overlay for trying it out and one for production.
#include <set>

#include "core/platform/generate/layout/layout.hpp"
#include "core/value/yaml_write.hpp"

namespace aictl::platform {
namespace {

void collect_images(const Json& value, std::set<std::string>& images) {
  if (value.is_object()) {
    for (const auto& [key, item] : value.items()) {
      if ((key == "containers" || key == "initContainers") && item.is_array())
        for (const Json& container : item)
          if (container.is_object() && container.contains("image") &&
              container["image"].is_string())
            images.insert(container["image"].get<std::string>());
      collect_images(item, images);
    }
  } else if (value.is_array()) {
    for (const Json& item : value) collect_images(item, images);
  }
}

// An entry of `images`: the name with the tag or digest it has now.
Json image_entry(const std::string& image) {
  if (const size_t at = image.find('@'); at != image.npos) {
    const std::string name = image.substr(0, at);
    const size_t colon = name.rfind(':');
    const bool tagged = colon != name.npos && name.find('/', colon) == name.npos;
    return {{"name", tagged ? name.substr(0, colon) : name}, {"digest", image.substr(at + 1)}};
  }
  const size_t colon = image.rfind(':');
  if (colon == image.npos || image.find('/', colon) != image.npos)
    return {{"name", image}, {"newTag", "latest"}};
  return {{"name", image.substr(0, colon)}, {"newTag", image.substr(colon + 1)}};
}

Json kustomization() {
  return {{"apiVersion", "kustomize.config.k8s.io/v1beta1"}, {"kind", "Kustomization"}};
}

RenderedFile file(const std::string& path, const std::string& header, const Json& tree,
                  const YamlNotes& notes = {}) {
  return {path, comment_lines(header) + write_yaml(tree, notes)};
}

RenderedFile production(const Generated& generated) {
  std::set<std::string> images;
  for (const RenderedObject& each : generated.objects) collect_images(each.object, images);
  Json tree = kustomization();
  tree["resources"] = Json::array({"../../base"});
  YamlNotes notes;
  std::set<std::string> named;
  for (const std::string& image : images) {
    Json entry = image_entry(image);
    if (!named.insert(entry["name"].get<std::string>()).second) continue;
    if (entry.contains("newTag"))
      notes["images[" + std::to_string(tree.value("images", Json::array()).size()) + "].newTag"]
          .beside = "in production: digest: sha256:...";
    tree["images"].push_back(std::move(entry));
  }
  return file("overlays/prod/kustomization.yaml", generated.header, tree, notes);
}

RenderedFile development(const Generated& generated) {
  Json tree = kustomization();
  tree["resources"] = Json::array({"../../base"});
  for (const RenderedObject& each : generated.objects) {
    const Json& object = each.object;
    const auto kind = object.value("kind", "");
    const bool counted = (kind == "Deployment" || kind == "StatefulSet") &&
                         object["spec"].contains("replicas") && object["spec"]["replicas"] != 1;
    if (counted) tree["replicas"].push_back({{"name", object["metadata"]["name"]}, {"count", 1}});
    if (kind == "ScaledObject" || kind == "HorizontalPodAutoscaler") {
      const std::string floor = kind == "ScaledObject" ? "minReplicaCount" : "minReplicas";
      const std::string patch = "- op: replace\n  path: /spec/" + floor + "\n  value: 1\n";
      tree["patches"].push_back(
          {{"target", {{"kind", kind}, {"name", object["metadata"]["name"]}}}, {"patch", patch}});
    }
  }
  return file("overlays/dev/kustomization.yaml", generated.header, tree);
}

}  // namespace

std::vector<RenderedFile> kustomize_files(const Generated& generated) {
  std::vector<RenderedFile> files = object_files(generated, "base/");
  Json base = kustomization();
  base["resources"] = Json::array();
  for (const RenderedFile& each : files) base["resources"].push_back(each.path.substr(5));
  Json labels = {{"includeSelectors", false},
                 {"pairs", {{"app.kubernetes.io/managed-by", "aictl"}}}};
  base["labels"] = Json::array();
  base["labels"].push_back(std::move(labels));
  files.push_back(file("base/kustomization.yaml", generated.header, base));
  files.push_back(production(generated));
  files.push_back(development(generated));
  return files;
}

}  // namespace aictl::platform
