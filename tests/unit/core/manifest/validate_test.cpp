#include <doctest/doctest.h>

#include "core/manifest/validate/validate.hpp"

using namespace aictl;
using namespace aictl::manifest;

namespace {

Outcome outcome_of(std::string_view text, ValidateOptions options = {}) {
  Validator validator(std::move(options));
  validator.add(text, "f.yaml");
  return std::move(validator).finish();
}

constexpr std::string_view kBroken =
    "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  type: Public\n  ports: [{port: "
    "80}]\n"
    "---\na: [\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\ndat: {}\n";

}  // namespace

TEST_CASE("validate: problems stand in the order of the file, each with its place") {
  const Outcome outcome = outcome_of(kBroken);
  REQUIRE_EQ(outcome.problems.size(), 3);
  CHECK_EQ(outcome.errors(), 3);
  CHECK_EQ(outcome.documents, 2);
  CHECK_EQ(text_line(outcome.problems[0]),
           "f.yaml:5:3: Service/a: spec.type: error: 'Public' is not one of 'ClusterIP', "
           "'ExternalName', 'LoadBalancer', 'NodePort' [schema/enum]\n");
  CHECK_EQ(outcome.problems[1].rule, "yaml");
  CHECK_EQ(text_line(outcome.problems[2]),
           "f.yaml:13:1: ConfigMap/b: dat: error: unknown field; did you mean data? "
           "[schema/unknown-field]\n");
}

TEST_CASE("validate: every id that is reported has a row, and ids are unique") {
  std::vector<std::string_view> ids;
  for (const Rule& rule : all_rules()) {
    CHECK_MESSAGE(std::count(ids.begin(), ids.end(), rule.id) == 0, rule.id);
    ids.push_back(rule.id);
  }
  for (const Problem& problem : outcome_of(kBroken, {.references = true, .lint = true}).problems)
    CHECK_MESSAGE(std::count(ids.begin(), ids.end(), problem.rule) == 1, problem.rule);
}

TEST_CASE("validate: SARIF names rules, places and levels") {
  const Json sarif = outcome_sarif(outcome_of(kBroken), "1.0");
  CHECK_EQ(sarif["version"], "2.1.0");
  const Json& result = sarif["runs"][0]["results"][0];
  CHECK_EQ(result["ruleId"], "schema/enum");
  CHECK_EQ(result["level"], "error");
  CHECK_EQ(result["locations"][0]["physicalLocation"]["region"]["startLine"], 5);
  CHECK_GE(sarif["runs"][0]["tool"]["driver"]["rules"].size(), 15);
}

TEST_CASE("validate: kinds that are skipped are not checked") {
  const Outcome outcome = outcome_of(kBroken, {.skip = {"v1/Conf*"}});
  CHECK_EQ(outcome.skipped, 1);
  CHECK_EQ(outcome.errors(), 2);
}
