#include "core/cli/command.hpp"

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
      Row("output", &flags.output, "how the result is printed",
          {{"table", OutputFormat::kTable},
           {"json", OutputFormat::kJson},
           {"yaml", OutputFormat::kYaml},
           {"text", OutputFormat::kText}})
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

}  // namespace aictl::cli
