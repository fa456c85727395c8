// aictl diff: what two sets of manifests mean, compared.
#include <memory>

#include "cmd/manifest_files.hpp"
#include "cmd/root.hpp"
#include "core/cli/context.hpp"
#include "core/manifest/compare/diff.hpp"

namespace aictl {

cli::Command diff_command(App&) {
  auto sides = std::make_shared<std::pair<std::string, std::string>>();  // shared by rows and run
  cli::Command command;
  command.name = "diff";
  command.summary = "Compare manifests by meaning; exit with 1 when they differ";
  command.description =
      "Objects are matched by kind, namespace and name. Order, defaults, the spelling of "
      "quantities "
      "and durations, and what a server adds (status, uid, managedFields, ...) do not count, so "
      "the output of kubectl get -o yaml compares with what was applied. A side is a file, a "
      "folder, or - for stdin.";
  command.examples = {{"aictl diff old/ new/", "two folders"},
                      {"kubectl get deployment qwen -o yaml | aictl diff qwen.yaml -",
                       "what runs, with what should"},
                      {"aictl diff -o json old.yaml new.yaml", "for scripts"}};
  command.arguments = {{Row("a", &sides->first, "a file, a folder, or -").file(), true},
                       {Row("b", &sides->second, "another").file(), true}};
  command.run = [sides](cli::Context& context) -> Result<int> {
    if (sides->first == "-" && sides->second == "-")
      return Error{ErrorCode::kInvalidArgument, "stdin (-) is named twice", "name it once"};
    auto a = read_manifests({sides->first}, context);
    if (!a) return std::move(a).error();
    auto b = read_manifests({sides->second}, context);
    if (!b) return std::move(b).error();
    const auto found = manifest::diff_objects(*a, *b, manifest::Catalog::builtin());
    const Json tree = {{"equal", found.empty()}, {"differences", manifest::diff_json(found)}};
    context.print_result(tree, [&](std::ostream& out) { out << manifest::diff_text(found); });
    return found.empty() ? 0 : 1;
  };
  return command;
}

}  // namespace aictl
