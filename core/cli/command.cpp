#include "core/cli/command.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/cli/context.hpp"

namespace aictl::cli {
namespace {

void walk_into(const Command& command, std::vector<std::string> names,
               std::vector<CommandPath>& out) {
  if (command.hidden) return;
  names.push_back(command.name);
  out.push_back({names, &command});
  for (const Command& below : command.commands) walk_into(below, names, out);
}

}  // namespace

const Command* Command::below(std::string_view name) const {
  for (const Command& command : commands)
    if (command.name == name ||
        std::find(command.aliases.begin(), command.aliases.end(), name) != command.aliases.end())
      return &command;
  return nullptr;
}

std::string CommandPath::text(std::string_view separator) const {
  return fmt::format("{}", fmt::join(names, separator));
}

std::vector<CommandPath> walk(const Command& root) {
  std::vector<CommandPath> out;
  walk_into(root, {}, out);
  return out;
}

Schema global_flags(Context& context) {
  GlobalFlags& flags = context.flags;
  return {
      Row("output", &flags.output, "how the result is printed")
          .choices({"table", "json", "yaml", "text"})
          .letter('o')
          .value("FORMAT"),
      Row("config", &flags.config,
          "configuration file, instead of ~/.config/aictl/config.yaml or /etc/aictl/config.yaml")
          .file(),
      Row("quiet", &flags.quiet, "print only the result and errors").letter('q'),
      Row("verbose", &flags.verbose, "print more about what is done").letter('v'),
      Row("no-color", &flags.no_color, "never use colour; NO_COLOR does the same"),
      Row("help", &flags.help, "show help").letter('h'),
      Row("version", &flags.version, "show the version")};
}

void offer_outputs(Schema& globals, const Command& command) {
  if (command.outputs.empty()) return;
  for (Row& row : globals.rows()) {
    if (row.name() != "output") continue;
    std::vector<std::string> words;
    for (const Output& output : command.outputs) words.push_back(output.word);
    for (const std::string& word : row.words())
      if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
    row = std::move(row).choices(words).initially(command.outputs.front().word);
    if (!command.output_place.empty())
      row = std::move(row).choices({}).suggest(words).value(command.output_place);
  }
}

}  // namespace aictl::cli
