#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <map>

#include "core/base/file.hpp"
#include "core/manifest/compare/normal.hpp"
#include "core/platform/generate/drift.hpp"
#include "core/platform/generate/explain/explain.hpp"
#include "core/platform/generate/layout/layout.hpp"
#include "core/platform/generate/render/templates.hpp"
#include "core/platform/import/import.hpp"
#include "core/value/yaml.hpp"
#include "tests/unit/plugins/renderers/plan_fixture.hpp"
#include "tests/unit/plugins/renderers/written.hpp"

using namespace aictl;
using platform::Layout;

namespace {

using Objects = std::map<std::string, Json>;

std::vector<RenderedFile> files_of(const std::vector<std::string>& targets, Layout layout) {
  platform::LayoutOptions options;
  options.layout = layout;
  options.version = "0.1.0";
  const auto plan = test::example_plan();
  return platform::lay_out(plan.platform, test::written(plan, targets), options);
}

void read_into(const std::string& text, Objects& objects) {
  auto read = platform::read_objects(text, "the test");
  REQUIRE(read);
  for (RenderedObject& each : *read) objects[platform::object_key(each.object)] = each.object;
}

Objects plain_objects(const std::vector<std::string>& targets) {
  Objects objects;
  const auto generated = test::written(test::example_plan(), targets);
  for (const RenderedObject& each : generated.objects)
    objects[platform::object_key(each.object)] = each.object;
  return objects;
}

// Helm's answer to the subset of its language that our charts are written in.
std::string helm(const std::string& text, const Json& values) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t open = text.find("{{", at);
    out += text.substr(at, open - at);
    if (open == text.npos) break;
    const size_t close =
        text.find("}}", text.compare(open, 8, "{{ \"{{\" ") == 0 ? open + 7 : open);
    const std::string action = text.substr(open + 3, close - open - 4);
    const size_t first = action.rfind('"', action.rfind('"') - 1);
    const std::string key = action.substr(first + 1, action.rfind('"') - first - 1);
    if (action.starts_with("include")) {
      const Json& image = values["images"].at(key);
      const auto digest = image["digest"].get<std::string>();
      out += image["repository"].get<std::string>() +
             (digest.empty() ? ":" + image["tag"].get<std::string>() : "@" + digest);
    } else if (action.starts_with("index .Values.replicas")) {
      out += std::to_string(values["replicas"].at(key).get<int>());
    } else {
      CHECK(action == "\"{{\"");
      out += "{{";
    }
    at = close + 2;
  }
  return out;
}

}  // namespace

TEST_CASE("layouts: a file an object holds what the one stream holds") {
  Objects objects;
  for (const RenderedFile& file : files_of({"kubernetes", "kueue"}, Layout::kDirectory))
    if (file.path.ends_with(".yaml")) read_into(file.content, objects);
  CHECK(objects == plain_objects({"kubernetes", "kueue"}));
}

TEST_CASE("layouts: the chart, rendered with its own values, equals the one stream") {
  const auto files = files_of({"kubernetes", "monitoring"}, Layout::kHelm);
  Json values;
  for (const RenderedFile& file : files)
    if (file.path == "values.yaml") values = parse_yaml(file.content)->tree;
  REQUIRE(!values["images"].empty());
  Objects objects;
  for (const RenderedFile& file : files)
    if (file.path.starts_with("templates/") && file.path.ends_with(".yaml"))
      read_into(helm(file.content, values), objects);
  CHECK(objects == plain_objects({"kubernetes", "monitoring"}));
}

TEST_CASE("layouts: the chart's schema is closed at each level") {
  const auto check_closed = [](const auto& self, const Json& schema) -> void {
    if (schema.value("type", "") != "object" || !schema.contains("properties")) return;
    CHECK(schema["additionalProperties"] == false);
    for (const auto& [key, inner] : schema["properties"].items()) self(self, inner);
  };
  for (const RenderedFile& file : files_of({"kubernetes"}, Layout::kHelm))
    if (file.path == "values.schema.json") {
      auto schema = parse_json(file.content);
      REQUIRE(schema);
      CHECK((*schema)["properties"].size() == 3);
      check_closed(check_closed, *schema);
    }
}

TEST_CASE("layouts: kustomize lists every file of its base, and the checker passes its files") {
  const auto files = files_of({"kubernetes"}, Layout::kKustomize);
  size_t listed = 0, there = 0;
  for (const RenderedFile& file : files) {
    there += file.path.starts_with("base/") && file.path != "base/kustomization.yaml" ? 1 : 0;
    if (!file.path.ends_with("kustomization.yaml")) continue;
    if (file.path.starts_with("base/")) listed = parse_yaml(file.content)->tree["resources"].size();
    CAPTURE(file.path);
    CHECK(test::complaints(file.content, {}) == "");
  }
  CHECK(listed == there);
  CHECK(there > 20);
}

TEST_CASE("layouts: what kubectl makes of the base equals the one stream") {
  if (std::system("kubectl version --client >/dev/null 2>&1") != 0) {
    MESSAGE("skipped: no kubectl");
    return;
  }
  const test::Scratch scratch("kustomize");
  for (const RenderedFile& file : files_of({"kubernetes"}, Layout::kKustomize))
    REQUIRE(write_file_atomically(scratch.path + "/" + file.path, file.content).ok());
  const std::string made = scratch.path + "/made.yaml";
  REQUIRE(std::system(("kubectl kustomize " + scratch.path + "/base >" + made).c_str()) == 0);
  auto text = read_file(made);
  REQUIRE(text);
  Objects objects;
  read_into(*text, objects);
  const Objects plain = plain_objects({"kubernetes"});
  CHECK(objects.size() == plain.size());
  const auto& catalog = manifest::Catalog::builtin();
  for (const auto& [key, object] : plain) {
    CAPTURE(key);
    CHECK(manifest::normal_form(objects[key], catalog) == manifest::normal_form(object, catalog));
  }
}

TEST_CASE("layouts: Argo CD and Flux get what they apply, and the checker passes it") {
  for (const Layout layout : {Layout::kArgocd, Layout::kFlux}) {
    std::string own;
    size_t manifests = 0;
    for (const RenderedFile& file : files_of({"kubernetes"}, layout)) {
      manifests += file.path.starts_with("manifests/") ? 1 : 0;
      if (file.path == "application.yaml" || file.path == "flux.yaml") own = file.content;
    }
    CHECK(manifests == plain_objects({"kubernetes"}).size());
    REQUIRE(!own.empty());
    CHECK(test::complaints(own, {}) == "");
  }
}

TEST_CASE("drift: a folder as it was written has none; each change is found") {
  const test::Scratch scratch("drift");
  const auto files = files_of({"kubernetes"}, Layout::kDirectory);
  for (const RenderedFile& file : files)
    REQUIRE(write_file_atomically(scratch.path + "/" + file.path, file.content).ok());
  auto drift = platform::find_drift(scratch.path, files);
  REQUIRE(drift);
  CHECK(drift->empty());
  std::string changed = files[0].content;
  changed += "# by hand\n";
  REQUIRE(write_file_atomically(scratch.path + "/" + files[0].path, changed).ok());
  std::filesystem::remove(scratch.path + "/" + files[1].path);
  REQUIRE(write_file_atomically(scratch.path + "/old.yaml", "# Made by aictl 0.0.1\na: 1\n").ok());
  REQUIRE(write_file_atomically(scratch.path + "/theirs.yaml", "a: 1\n").ok());
  drift = platform::find_drift(scratch.path, files);
  REQUIRE(drift);
  REQUIRE(drift->size() == 3);
  CHECK(!platform::find_drift(scratch.path + "/absent", files));
}

TEST_CASE("import: the spec comes back, with what was changed in a model since") {
  auto objects = plain_objects({"kubernetes"});
  std::vector<Json> list;
  for (auto& [key, object] : objects) {
    if (object["kind"] == "Deployment" && object["metadata"]["name"] == "small") {
      object["spec"]["replicas"] = 7;
      object["spec"]["template"]["spec"]["containers"][0]["image"] = "other:1";
    }
    list.push_back(object);
  }
  const auto imported = platform::import_spec(list);
  REQUIRE(imported);
  for (const Json& model : imported->spec["models"]) {
    if (model.value("name", "") != "small") continue;
    CHECK(model["replicas"] == 7);
    CHECK(model["image"] == "other:1");
  }
  CHECK(!platform::import_spec(std::span<const Json>()));
}

TEST_CASE("explain: numbers have formulas, words of the spec their line, the rest a template") {
  const auto plan = test::example_plan();
  const auto generated = test::written(plan, {"kubernetes"});
  bool formula = false;
  for (const auto& each : platform::explain(plan, generated, "Deployment/qwen/spec"))
    formula |= each.because.find("shm 2 GiB") != std::string::npos;
  CHECK(formula);
  CHECK(!platform::explain(plan, generated, "").empty());
}
