// What is written from the fields: the spec again, its JSON schema, its manual page.
#include <cstdlib>
#include <filesystem>
#include <regex>

#include <doctest/doctest.h>

#include "core/base/file.hpp"
#include "core/platform/spec/fields/platform_fields.hpp"
#include "core/platform/spec/read.hpp"
#include "core/value/yaml.hpp"

using namespace aictl;
using namespace aictl::platform;

namespace {

constexpr std::string_view kRich = R"(
name: rich
models:
- {source: hf://org/model, engine: vllm, replicas: 2, shape: llama:8b, slo: {ttft: 500ms},
   adapters: [{name: x, source: hf://org/x}]}
gateway:
  listeners: [{port: 8443, certificate: tls}]
  providers: [{name: openai, url: https://api.openai.com, secret: openai-key, models: ["gpt-*"]}]
  budget: {tokens: 1000, window: 1h}
state: {store: redis, secret: redis-auth, size: 20Gi}
events: {topics: [orders]}
queues: [{name: batch, gpus: 4}]
jobs: [{name: nightly, image: "a/b:1", queue: batch, env: {A: b, C: {secret: s, key: k}}}]
agents: [{name: helper, command: [python3, x.py], models: [model], state: true, topics: [orders]}]
placement: {selector: {nvidia.com/gpu.product: NVIDIA-H100}, pools: [{name: p, gpu: L40S}]}
targets: {kueue: {a: 1}}
)";

Platform read(std::string_view text) {
  auto platform = read_platform(text, "x");
  REQUIRE_MESSAGE(platform.ok(), (platform.ok() ? "" : platform.error().message));
  return std::move(*platform);
}

}  // namespace

TEST_CASE("tree: a platform that is written is read back as the same") {
  const Platform p = read(kRich);
  for (const bool defaults : {false, true}) {
    const Platform again = read(dump_yaml(platform_tree(p, defaults)));
    CHECK(again.digest == p.digest);
    CHECK(platform_tree(again, true) == platform_tree(p, true));
  }
  const Json small = platform_tree(read("name: a\nmodels: [b]\n"), false);
  CHECK(dump_json(small) == R"({"name":"a","namespace":"a","models":[{"source":"b","name":"b"}]})");
}

TEST_CASE(
    "schema: every field has a type, a description and its bounds, and none more is allowed") {
  const Json schema = platform_schema();
  CHECK(schema["$schema"] == "https://json-schema.org/draft/2020-12/schema");
  CHECK(schema["additionalProperties"] == false);
  CHECK(schema["required"] == Json::array({"name"}));
  const Json& model = schema["properties"]["models"]["items"]["anyOf"][0];
  CHECK(model["additionalProperties"] == false);
  CHECK(model["properties"]["replicas"]["maximum"] == 1000);
  CHECK(model["properties"]["replicas"]["default"] == 1);
  CHECK(model["properties"]["engine"]["enum"] == Json::array({"aictl", "vllm"}));
  CHECK(schema["properties"]["models"]["items"]["anyOf"][1]["type"] == "string");
  const std::function<void(const Json&)> walk = [&](const Json& node) {
    if (node.is_array())
      for (const Json& item : node) walk(item);
    if (!node.is_object()) return;
    if (node.contains("properties")) {
      CHECK(node["additionalProperties"] == false);
      for (const auto& property : node["properties"].items()) {
        INFO(property.key());
        CHECK_FALSE(property.value().value("description", "").empty());
      }
    }
    for (const auto& [key, value] : node.items()) walk(value);
  };
  walk(schema);
}

TEST_CASE("rules: a rule's function and its pattern agree") {
  const std::vector<const Rule*> rules = {
      &kLabelRule,    &kServiceLabelRule, &kSubdomainRule,   &kModelNameRule,
      &kSourceRule,   &kRevisionRule,     &kChecksumRule,    &kImageRule,
      &kUrlRule,      &kHostnameRule,     &kUrlPathRule,     &kTopicRule,
      &kVariableRule, &kSecretKeyRule,    &kSelectorKeyRule, &kSelectorValueRule,
      &kTextRule,     &kModelPatternRule};
  const std::vector<std::string> texts = {"",
                                          "a",
                                          "A",
                                          "1",
                                          "-a",
                                          "a-",
                                          "a.b",
                                          "a..b",
                                          "a_b",
                                          "a b",
                                          "a/b",
                                          "/a",
                                          "*",
                                          "a*",
                                          "*.a.b",
                                          "a:b",
                                          "hf://a/b",
                                          "s3://a/b",
                                          "http://a/b",
                                          "https://",
                                          "http:///x",
                                          "日本",
                                          "a\nb",
                                          "sha256:ab",
                                          "x@y",
                                          "1A",
                                          "_A1",
                                          "nvidia.com/gpu",
                                          "/a/b/c",
                                          "/",
                                          "a/b/c",
                                          std::string(63, 'a'),
                                          std::string(64, 'a'),
                                          std::string(128, 'a'),
                                          std::string(129, 'a'),
                                          std::string(250, 'a'),
                                          "sha256:" + std::string(64, '0'),
                                          "sha256:" + std::string(64, 'g')};
  for (const Rule* rule : rules) {
    const std::regex pattern{std::string(rule->pattern)};
    for (const std::string& text : texts) {
      INFO(rule->name, " '", text, "'");
      const bool fits = rule->longest == 0 || text.size() <= rule->longest;
      CHECK(rule->keeps(text) == (fits && std::regex_match(text, pattern)));
    }
  }
}

TEST_CASE("page: aictl-platform(5) is what the fields print") {
  const std::filesystem::path file =
      std::filesystem::path(AICTL_TEST_DATA) / "../../man/aictl-platform.5";
  if (std::getenv("UPDATE_GOLDEN")) REQUIRE(write_file_atomically(file, platform_page()).ok());
  auto page = read_file(file);
  REQUIRE(page.ok());
  // To write it anew: UPDATE_GOLDEN=1 ctest -R core_platform_spec
  CHECK(*page == platform_page());
}
