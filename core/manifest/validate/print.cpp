// The outcome in the forms people and programs read.
#include <fmt/format.h>

#include "core/manifest/validate/validate.hpp"

namespace aictl::manifest {
namespace {

Json sarif_result(const Problem& problem) {
  Json location = {{"artifactLocation", {{"uri", problem.file == "-" ? "stdin" : problem.file}}}};
  if (problem.line > 0)
    location["region"] = {{"startLine", problem.line}, {"startColumn", problem.column}};
  std::string message = fmt::format("{}: {}: {}", problem.object, problem.path, problem.message);
  if (!problem.hint.empty()) message += "; " + problem.hint;
  const Json logical = {{"fullyQualifiedName", problem.object + ":" + problem.path}};
  Json places = Json::array();
  places.push_back(
      {{"physicalLocation", std::move(location)}, {"logicalLocations", Json::array({logical})}});
  return {{"ruleId", problem.rule},
          {"level", word(problem.severity)},
          {"message", {{"text", std::move(message)}}},
          {"locations", std::move(places)}};
}

}  // namespace

std::string text_line(const Problem& problem) {
  const std::string place =
      problem.line > 0 ? fmt::format("{}:{}:{}", problem.file, problem.line, problem.column)
                       : problem.file;
  return fmt::format("{}: {}: {}: {}: {}{} [{}]\n", place, problem.object, problem.path,
                     word(problem.severity), problem.message,
                     problem.hint.empty() ? "" : "; " + problem.hint, problem.rule);
}

Json outcome_json(const Outcome& outcome) {
  Json problems = Json::array();
  for (const Problem& problem : outcome.problems)
    problems.push_back({{"file", problem.file},
                        {"line", problem.line},
                        {"column", problem.column},
                        {"object", problem.object},
                        {"path", problem.path},
                        {"severity", word(problem.severity)},
                        {"rule", problem.rule},
                        {"problem", problem.message},
                        {"hint", problem.hint}});
  return {{"problems", std::move(problems)},
          {"counts",
           {{"files", outcome.files},
            {"documents", outcome.documents},
            {"skipped", outcome.skipped},
            {"errors", outcome.errors()},
            {"warnings", outcome.warnings()}}}};
}

Json outcome_sarif(const Outcome& outcome, std::string_view version) {
  Json rules = Json::array(), results = Json::array();
  for (const Rule& rule : all_rules())
    rules.push_back({{"id", rule.id},
                     {"shortDescription", {{"text", rule.title}}},
                     {"defaultConfiguration", {{"level", word(rule.severity)}}}});
  for (const Problem& problem : outcome.problems) results.push_back(sarif_result(problem));
  const Json driver = {
      {"name", "aictl validate"}, {"version", version}, {"rules", std::move(rules)}};
  Json runs = Json::array();
  runs.push_back({{"tool", {{"driver", driver}}}, {"results", std::move(results)}});
  return {{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
          {"version", "2.1.0"},
          {"runs", std::move(runs)}};
}

}  // namespace aictl::manifest
