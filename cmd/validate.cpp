// aictl validate: Kubernetes manifests and our own specs, checked as strictly as an API server
// would.
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "cmd/manifest_files.hpp"
#include "cmd/root.hpp"
#include "core/cli/context.hpp"
#include "core/cli/terminal/table.hpp"
#include "core/manifest/catalog/catalog.hpp"
#include "core/manifest/validate/validate.hpp"
#include "core/platform/spec/read.hpp"

namespace aictl {
namespace {

struct ValidateFlags {
  std::vector<std::string> files;
  manifest::ValidateOptions options;
  bool strict_warnings = false, list_kinds = false, list_rules = false;
};

std::string_view word(manifest::Scope scope) {
  switch (scope) {
    case manifest::Scope::kCluster:
      return "cluster";
    case manifest::Scope::kFile:
      return "file";
    case manifest::Scope::kNamespaced:
      break;
  }
  return "namespaced";
}

int list_kinds(cli::Context& context) {
  Json list = Json::array();
  for (const manifest::Kind* kind : manifest::Catalog::builtin().kinds())
    list.push_back({{"apiVersion", kind->api_version},
                    {"kind", kind->name},
                    {"scope", word(kind->scope)},
                    {"deprecated", kind->deprecated}});
  context.print_result(list, [&list](std::ostream& out) {
    cli::Table table({"APIVERSION", "KIND", "SCOPE", ""});
    for (const Json& row : list)
      table.row({row["apiVersion"], row["kind"], row["scope"],
                 row["deprecated"].get<bool>() ? "deprecated" : ""});
    table.print(out);
  });
  return 0;
}

int list_rules(cli::Context& context) {
  Json list = Json::array();
  for (const manifest::Rule& rule : manifest::all_rules())
    list.push_back(
        {{"rule", rule.id}, {"severity", manifest::word(rule.severity)}, {"title", rule.title}});
  context.print_result(list, [&list](std::ostream& out) {
    cli::Table table({"RULE", "SEVERITY", "FINDS"});
    for (const Json& row : list) table.row({row["rule"], row["severity"], row["title"]});
    table.print(out);
  });
  return 0;
}

// A spec of ours among the manifests, or nothing when `text` is none.
std::optional<std::vector<manifest::Problem>> check_spec(std::string_view text,
                                                         const std::string& file,
                                                         const Plugins& plugins) {
  if (text.find("Platform") == text.npos) return std::nullopt;
  const auto document = parse_yaml(text);
  if (!document || !platform::is_platform(document->tree)) return std::nullopt;
  std::vector<manifest::Problem> found;
  for (const platform::Mistake& mistake : platform::check_platform(text, file, &plugins).mistakes)
    found.push_back({.file = file,
                     .line = mistake.place.line,
                     .column = mistake.place.column,
                     .object = "Platform",
                     .path = mistake.path,
                     .severity = manifest::Severity::kError,
                     .rule = mistake.rule,
                     .message = mistake.message,
                     .hint = mistake.hint});
  return found;
}

Result<int> validate(const ValidateFlags& flags, const Plugins& plugins, cli::Context& context) {
  if (flags.list_kinds) return list_kinds(context);
  if (flags.list_rules) return list_rules(context);
  if (flags.files.empty())
    return Error{ErrorCode::kInvalidArgument, "nothing to check",
                 "name files or folders, or - for stdin: aictl validate deploy/"};
  manifest::Validator validator(flags.options);
  auto ok = read_manifest_files(flags.files, context,
                                [&](std::string_view text, const std::string& file) {
                                  if (auto found = check_spec(text, file, plugins))
                                    validator.add_foreign(file, std::move(*found));
                                  else
                                    validator.add(text, file);
                                });
  if (!ok) return std::move(ok).error();
  const manifest::Outcome outcome = std::move(validator).finish();
  if (outcome.documents == 0 && outcome.problems.empty())
    return Error{ErrorCode::kInvalidArgument, "no documents found",
                 "manifests are *.yaml, *.yml and *.json"};
  if (context.flags.output == "sarif")
    context.out() << dump_json(manifest::outcome_sarif(outcome, version()), 2) << '\n';
  else
    context.print_result(manifest::outcome_json(outcome), [&outcome](std::ostream& out) {
      for (const manifest::Problem& problem : outcome.problems) out << manifest::text_line(problem);
    });
  context.note(fmt::format(
      "{} documents, {} errors, {} warnings{}", outcome.documents, outcome.errors(),
      outcome.warnings(), outcome.skipped > 0 ? fmt::format(", {} skipped", outcome.skipped) : ""));
  const bool failed = outcome.errors() > 0 || (flags.strict_warnings && outcome.warnings() > 0);
  return failed ? 1 : 0;
}

std::vector<Row> rows(ValidateFlags& flags) {
  manifest::ValidateOptions& options = flags.options;
  return {
      Row("references", &options.references, "check the documents against each other").flag_only(),
      Row("lint", &options.lint, "check them against the checklist for production").flag_only(),
      Row("external", &options.external,
          "an object that exists outside the documents; a glob, may be repeated")
          .value("KIND/NAME")
          .verbatim()
          .flag_only(),
      Row("skip", &options.skip, "documents to leave out; a glob, may be repeated")
          .value("APIVERSION/KIND")
          .verbatim()
          .flag_only(),
      Row("strict-warnings", &flags.strict_warnings, "warnings fail the check").flag_only(),
      Row("kinds", &flags.list_kinds, "list the kinds that are known, and check nothing")
          .flag_only(),
      Row("rules", &flags.list_rules, "list the rules, and check nothing").flag_only(),
  };
}

}  // namespace

cli::Command validate_command(App& app) {
  auto flags = std::make_shared<ValidateFlags>();  // shared by the rows and run, as long as both
  cli::Command command;
  command.name = "validate";
  command.summary = "Check Kubernetes manifests as strictly as an API server";
  command.description =
      "Reads files, the *.yaml, *.yml and *.json of folders, or stdin (-), as Kubernetes reads "
      "them, and checks fields, types, values and the server's own rules for the core API and the "
      "custom resources of serving stacks; also kustomizations, kubelet and scheduler "
      "configurations, Armada's job files and specs of `aictl up` that say kind: Platform. No "
      "cluster is asked.\n\n"
      "A line a problem: file, line, column, object, path, what is wrong, what to write instead, "
      "the rule. Exits with 0 when there is nothing or only warnings, with 1 for problems, with 2 "
      "or more when the check could not be made.";
  command.examples = {{"aictl validate deploy/", "every manifest below a folder"},
                      {"kubectl kustomize . | aictl validate -", "what a kustomization makes"},
                      {"aictl validate --references --external Secret/hf-token app.yaml",
                       "also what the objects name"},
                      {"aictl validate --lint --strict-warnings deploy/", "fit for production"},
                      {"aictl validate -o sarif deploy/ > problems.sarif", "for a code review"}};
  command.arguments = {
      {Row("file", &flags->files, "files, folders, or - for stdin").file(), false}};
  command.options = Schema("validate", rows(*flags));
  command.outputs = {{"text", "a line a problem"}, {"sarif", "SARIF 2.1.0, for code reviews"}};
  command.run = [flags, &app](cli::Context& context) {
    return validate(*flags, app.plugins, context);
  };
  return command;
}

}  // namespace aictl
