// aictl help: another way to say --help.
#include <memory>

#include "cmd/root.hpp"
#include "core/cli/context.hpp"
#include "core/cli/program.hpp"

namespace aictl {

cli::Command help_command(App&) {
  // Shared by the row and run, as long as both.
  auto words = std::make_shared<std::vector<std::string>>();
  cli::Command command;
  command.name = "help";
  command.summary = "Show what a command does and what it takes";
  command.examples = {{"aictl help model show", "what `aictl model show --help` prints"}};
  command.arguments = {
      {Row("COMMAND", words.get(), "a command; none is the program itself"), false}};
  command.configured = false;
  command.run = [words](cli::Context& context) -> Result<int> {
    std::vector<std::string> asked = *words;
    asked.emplace_back("--help");
    return run_program(*context.root, asked, version(), context);
  };
  return command;
}

}  // namespace aictl
