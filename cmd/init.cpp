// aictl init: a spec to start from.
#include <filesystem>

#include <fmt/format.h>

#include "cmd/root.hpp"
#include "core/base/file.hpp"
#include "core/cli/context.hpp"
#include "core/cli/terminal/table.hpp"
#include "core/platform/spec/templates.hpp"

namespace aictl {
namespace {

struct InitOptions {
  std::string file = "aictl.yaml", name = "minimal";
  bool list = false, force = false;
};

Result<int> list_templates(cli::Context& context) {
  Json json = Json::array();
  for (const platform::SpecTemplate& one : platform::spec_templates())
    json.push_back({{"name", one.name}, {"summary", one.summary()}});
  context.print_result(json, [&](std::ostream& out) {
    cli::Table table({"NAME", "SUMMARY"});
    for (const platform::SpecTemplate& one : platform::spec_templates())
      table.row({std::string(one.name), one.summary()});
    table.print(out);
  });
  return 0;
}

Result<int> init(const InitOptions& options, cli::Context& context) {
  if (options.list) return list_templates(context);
  auto chosen = platform::find_spec_template(options.name);
  if (!chosen) return std::move(chosen).error();
  std::error_code ignored;  // what cannot be looked at cannot be written, and that is told
  if (!options.force && std::filesystem::exists(options.file, ignored))
    return Error{ErrorCode::kConflict, fmt::format("{} is there already", options.file),
                 "--force overwrites it"};
  if (auto ok = write_file_atomically(options.file, chosen->text); !ok)
    return std::move(ok).error();
  context.print_result({{"file", options.file}, {"template", chosen->name}},
                       [&](std::ostream& out) {
                         out << fmt::format("wrote {} ({})\n", options.file, chosen->name);
                       });
  context.note("man aictl-platform tells every field");
  return 0;
}

}  // namespace

cli::Command init_command(App&) {
  auto options = std::make_shared<InitOptions>();  // shared by the rows and run, as long as both
  cli::Command command;
  command.name = "init";
  command.summary = "Write the spec of a platform to start from";
  command.description =
      "Writes aictl.yaml, or FILE, from a template. Each template can be planned as it is: it "
      "names "
      "models of a hub, their shapes, and describes the nodes in words.";
  command.examples = {{"aictl init --list", "the templates"},
                      {"aictl init --template gpu-node", "one node with GPUs"},
                      {"aictl init --template ha prod.yaml", "to another file"}};
  std::vector<std::string> names;
  for (const platform::SpecTemplate& one : platform::spec_templates()) names.emplace_back(one.name);
  command.arguments = {{Row("FILE", &options->file, "where to write").file(), false}};
  command.options = {Row("template", &options->name, "what to start from").suggest(names),
                     Row("list", &options->list, "show the templates and write nothing"),
                     Row("force", &options->force, "overwrite a file that is there")};
  command.run = [options](cli::Context& context) { return init(*options, context); };
  return command;
}

}  // namespace aictl
