// Helm: the objects as templates whose images and replicas are values; all else is text. What our
// text has of Helm's own marks is written so that Helm prints it.
#include <map>

#include <fmt/format.h>

#include "core/platform/generate/layout/layout.hpp"
#include "core/platform/generate/render/comments.hpp"
#include "core/value/yaml_write.hpp"

namespace aictl::platform {
namespace {

// A word that stands for an action while YAML is written: plain, and in no manifest.
constexpr std::string_view kImage = "AICTL-HELM-IMAGE-", kReplicas = "AICTL-HELM-REPLICAS-",
                           kEnd = "-AICTL-HELM-END";

struct Values {
  Json images = Json::object(), replicas = Json::object();
  std::map<std::string, std::string> keys;  // of images
};

std::string image_key(Values& values, const std::string& image) {
  if (const auto found = values.keys.find(image); found != values.keys.end()) return found->second;
  const size_t at = image.find('@');
  std::string name = image.substr(0, at), tag;
  if (const size_t colon = name.rfind(':');
      colon != name.npos && name.find('/', colon) == name.npos) {
    tag = name.substr(colon + 1);
    name.resize(colon);
  }
  std::string key = name.substr(name.rfind('/') + 1);
  for (int n = 2; values.images.contains(key); ++n) key = fmt::format("{}-{}", key, n);
  values.images[key] = {
      {"repository", name}, {"tag", tag}, {"digest", at == image.npos ? "" : image.substr(at + 1)}};
  return values.keys[image] = key;
}

void replace_images(Json& value, Values& values) {
  if (value.is_object()) {
    for (auto& [key, item] : value.items()) {
      if ((key == "containers" || key == "initContainers") && item.is_array())
        for (Json& container : item)
          if (container.is_object() && container.contains("image") &&
              container["image"].is_string())
            container["image"] = fmt::format(
                "{}{}{}", kImage, image_key(values, container["image"].get<std::string>()), kEnd);
      replace_images(item, values);
    }
  } else if (value.is_array()) {
    for (Json& item : value) replace_images(item, values);
  }
}

void replace_replicas(Json& object, Values& values) {
  const auto kind = object.value("kind", "");
  if (kind != "Deployment" && kind != "StatefulSet") return;
  if (!object["spec"].contains("replicas")) return;
  const auto name = object["metadata"].value("name", "");
  values.replicas[name] = object["spec"]["replicas"];
  object["spec"]["replicas"] = fmt::format("{}{}{}", kReplicas, name, kEnd);
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = 0; (at = text.find(from, at)) != text.npos; at += to.size())
    text.replace(at, from.size(), to);
}

// Puts the action for each placeholder that starts with `mark`.
void put_actions(std::string& text, std::string_view mark, std::string_view before,
                 std::string_view after) {
  for (size_t at = 0; (at = text.find(mark, at)) != text.npos;) {
    const size_t end = text.find(kEnd, at);
    const std::string key = text.substr(at + mark.size(), end - at - mark.size());
    const std::string action = fmt::format("{{{{ {}\"{}\"{} }}}}", before, key, after);
    text.replace(at, end + kEnd.size() - at, action);
    at += action.size();
  }
}

std::string helm_text(const Json& object, const RenderedObject& rendered,
                      const Platform& platform) {
  std::string text = write_yaml(object, notes_of(object, rendered.comments));
  std::string& escaped = text;
  replace_all(escaped, "{{", "{{ \"{{\" }}");
  put_actions(escaped, kImage,
              fmt::format("include \"{}.image\" (index .Values.images ", platform.name), ")");
  put_actions(escaped, kReplicas, "index .Values.replicas ", "");
  return escaped;
}

Json closed(Json properties) {
  Json required = Json::array();
  for (const auto& [key, value] : properties.items()) required.push_back(key);
  return {{"type", "object"},
          {"additionalProperties", false},
          {"required", required},
          {"properties", std::move(properties)}};
}

// Closed at each level: Helm ignores unknown values otherwise.
Json schema_of(const Values& values) {
  Json images = Json::object(), replicas = Json::object();
  for (const auto& [key, value] : values.images.items())
    images[key] =
        closed({{"repository", {{"type", "string"}, {"minLength", 1}}},
                {"tag", {{"type", "string"}}},
                {"digest", {{"type", "string"}, {"pattern", "^(sha256:[0-9a-f]{64})?$"}}}});
  for (const auto& [key, value] : values.replicas.items())
    replicas[key] = {{"type", "integer"}, {"minimum", 0}};
  Json schema =
      closed({{"images", closed(std::move(images))}, {"replicas", closed(std::move(replicas))}});
  schema["properties"]["global"] = {{"type", "object"}};  // Helm adds it
  Json full = {{"$schema", "https://json-schema.org/draft-07/schema#"}};
  full.update(schema);
  return full;
}

std::string helpers(const std::string& name) {
  return fmt::format(
      "{{{{/* An image by its digest, or by its tag where it has none. */}}}}\n"
      "{{{{- define \"{}.image\" -}}}}\n"
      "{{{{- if .digest -}}}}{{{{ .repository }}}}@{{{{ .digest }}}}"
      "{{{{- else if .tag -}}}}{{{{ .repository }}}}:{{{{ .tag }}}}"
      "{{{{- else -}}}}{{{{ .repository }}}}{{{{- end -}}}}\n"
      "{{{{- end -}}}}\n",
      name);
}

}  // namespace

std::vector<RenderedFile> helm_files(const Platform& platform, const Generated& generated,
                                     const LayoutOptions& options) {
  Values values;
  std::map<int, std::string> texts;
  for (const RenderedObject& each : generated.objects) {
    Json object = each.object;
    replace_images(object, values);
    replace_replicas(object, values);
    std::string& text = texts[apply_rank(object)];
    text += (text.empty() ? "" : "---\n") + helm_text(object, each, platform);
  }
  std::string head = comment_lines(generated.header);
  std::vector<RenderedFile> files;
  for (auto& [rank, text] : texts)
    files.push_back(
        {fmt::format("templates/{:02}-{}.yaml", rank * 10, rank_name(rank)), std::move(text)});
  const Json chart = {{"apiVersion", "v2"},
                      {"name", platform.name},
                      {"description", fmt::format("The platform {}", platform.name)},
                      {"type", "application"},
                      {"version", "0.1.0"},
                      {"appVersion", options.version},
                      {"kubeVersion", ">=1.30.0-0"}};
  files.push_back({"Chart.yaml", head + write_yaml(chart)});
  files.push_back({"values.yaml",
                   head + write_yaml({{"images", values.images}, {"replicas", values.replicas}})});
  files.push_back({"values.schema.json", dump_json(schema_of(values), 2) + "\n"});
  files.push_back({"templates/_helpers.tpl", helpers(platform.name)});
  std::string notes;
  for (const std::string& note : generated.notes) notes += note + "\n";
  replace_all(notes, "{{", "{ {");
  files.push_back({"templates/NOTES.txt", notes});
  files.push_back({".helmignore", "*.orig\n*.tmp\n.git/\nNOTES.txt\n"});
  return files;
}

}  // namespace aictl::platform
