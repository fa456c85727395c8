// generate(import(x)) = x: every template for every target, without the ConfigMap that carries the
// spec.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

#include "core/manifest/compare/diff.hpp"
#include "core/manifest/document.hpp"
#include "core/platform/import/import.hpp"
#include "core/platform/plan/inspect.hpp"
#include "core/platform/plan/planner.hpp"
#include "core/platform/spec/read.hpp"
#include "core/platform/spec/templates.hpp"
#include "core/value/yaml_write.hpp"
#include "tests/unit/plugins/renderers/written.hpp"

using namespace aictl;
using manifest::Document;

namespace {

// A difference that has to be: what the objects of the target do not tell.
struct Unknowable {
  std::string_view spec, target;  // empty: any
  std::string_view object, path;  // the beginning of each
  std::string_view reason;
};

constexpr std::string_view kVersion = "metadata.labels.app.kubernetes.io/version";
constexpr std::string_view kImage =
    "a label has the version of the job's image, and Ray's stands there";

constexpr Unknowable kUnknowable[] = {
    {"", "kuberay", "RayJob/", "", kImage},
    {"", "kuberay", "ServiceAccount/", kVersion, kImage},
    {"", "kuberay", "NetworkPolicy/", kVersion, kImage},
    {"batch", "armada", "", "",
     "models that jobs ask are no jobs: they stay variables, in another order"},
};

// Targets of which some platforms give nothing that runs, and so no spec.
constexpr std::string_view kNothingToRun[] = {
    "rook",    // storage alone
    "armada",  // a queue without jobs
};

bool is_unknowable(const std::string& spec, const std::string& target,
                   const manifest::Difference& each) {
  for (const Unknowable& known : kUnknowable)
    if ((known.spec.empty() || known.spec == spec) &&
        (known.target.empty() || known.target == target) && each.object.starts_with(known.object) &&
        each.path.starts_with(known.path))
      return true;
  return false;
}

std::vector<Document> documents_of(const platform::PlatformPlan& plan,
                                   const std::vector<std::string>& targets) {
  auto read = manifest::read_documents(test::stream_of(test::written(plan, targets)), "generated");
  REQUIRE(read);
  std::erase_if(*read, [](const Document& each) {
    const Json& meta = each.object.value("metadata", Json::object());
    return each.kind() == "ConfigMap" &&
           meta.value("labels", Json::object()).contains("aictl.dev/spec");
  });
  return *std::move(read);
}

platform::PlatformPlan plan_of(std::string_view text, const std::string& file,
                               const std::vector<platform::PlannedPool>& pools) {
  auto platform = platform::read_platform(text, file, &test::renderers());
  if (!platform) FAIL(platform.error().message);
  platform::PlanInputs inputs;
  inputs.inspect = [](const platform::ModelEntry& m) {
    return platform::inspect_entry(test::renderers(), m, "");
  };
  inputs.pools = pools;
  if (!platform->placement.pools.empty() || pools.empty())
    inputs.pools = platform::platform_pools(*platform, test::renderers()).value();
  auto plan = platform::plan_platform(*std::move(platform), inputs);
  if (!plan) FAIL(plan.error().message << "\n" << text);
  return *std::move(plan);
}

// The differences after a way there and back.
std::vector<manifest::Difference> there_and_back(const platform::SpecTemplate& spec,
                                                 const std::vector<std::string>& targets) {
  const auto plan = plan_of(spec.text, "aictl.yaml", {});
  const std::vector<Document> before = documents_of(plan, targets);
  std::vector<Json> objects;
  for (const Document& each : before) objects.push_back(each.object);
  const auto imported = platform::import_spec(objects, &test::renderers());
  if (!imported) {
    const bool nothing =
        std::ranges::find(kNothingToRun, targets.front()) != std::end(kNothingToRun);
    CHECK_MESSAGE(nothing, imported.error().message);
    CHECK(imported.error().code == ErrorCode::kDataRefused);
    return {};
  }
  for (const std::string& line : platform::untaken_lines(imported->untaken)) INFO(line);
  const std::string text = write_yaml(imported->spec);
  INFO(text);
  const auto again = plan_of(text, "aictl.yaml", plan.pools);
  const std::vector<Document> after = documents_of(again, targets);
  return manifest::diff_objects(before, after, manifest::Catalog::builtin());
}

void check_target(const std::string& name, const std::vector<std::string>& targets) {
  for (const platform::SpecTemplate& spec : platform::spec_templates()) {
    CAPTURE(spec.name);
    CAPTURE(name);
    auto differences = there_and_back(spec, targets);
    std::erase_if(differences, [&](const manifest::Difference& each) {
      return is_unknowable(std::string(spec.name), name, each);
    });
    if (differences.size() > 12) differences.resize(12);
    CHECK_MESSAGE(differences.empty(), manifest::diff_text(differences));
  }
}

}  // namespace

TEST_CASE("import: what a target's manifests say gives them again") {
  const std::string only = std::getenv("AICTL_TARGET") ? std::getenv("AICTL_TARGET") : "";
  for (const auto& row : test::renderers().renderers.rows()) {
    if (row.name == "compose" || row.name == "quadlet" || row.name == "systemd") continue;
    if (!only.empty() && only != row.name) continue;
    check_target(row.name, {row.name});
  }
}

TEST_CASE("import: manifests of all targets that go together give them again") {
  check_target("all", {"kubernetes", "kserve", "kueue", "monitoring", "opentelemetry",
                       "envoy-ai-gateway", "inference-extension", "dapr", "strimzi", "rook"});
  check_target("all",
               {"kubernetes", "knative", "volcano", "topology", "leaderworkerset", "vitess"});
}

TEST_CASE("import: of our own manifests nothing is left untaken, and the spec is always the same") {
  for (const platform::SpecTemplate& spec : platform::spec_templates()) {
    const auto documents = documents_of(plan_of(spec.text, "aictl.yaml", {}), {"kubernetes"});
    std::vector<Json> objects;
    for (const Document& each : documents) objects.push_back(each.object);
    const auto one = platform::import_spec(objects, &test::renderers());
    REQUIRE(one);
    CHECK(platform::untaken_lines(one->untaken).empty());
    const auto again = platform::import_spec(objects, &test::renderers());
    CHECK(write_yaml(one->spec) == write_yaml(again->spec));
  }
}
