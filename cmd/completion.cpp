// aictl completion: scripts by which shells complete this program's commands.
#include <ostream>

#include "cmd/root.hpp"
#include "core/cli/context.hpp"
#include "core/cli/pages/completion.hpp"

namespace aictl {
namespace {

enum class Shell { kBash, kZsh, kFish };

}  // namespace

cli::Command completion_command(App&) {
  auto shell = std::make_shared<Shell>(Shell::kBash);  // shared by the row and run, as long as both
  cli::Command command;
  command.name = "completion";
  command.summary = "Print a completion script for a shell";
  command.examples = {
      {"aictl completion bash > ~/.local/share/bash-completion/completions/aictl", "for bash"},
      {"aictl completion zsh > \"${fpath[1]}/_aictl\"", "for zsh"},
      {"aictl completion fish > ~/.config/fish/completions/aictl.fish", "for fish"}};
  command.arguments = {
      {Row("shell", shell.get(), "the shell",
           {{"bash", Shell::kBash}, {"zsh", Shell::kZsh}, {"fish", Shell::kFish}})}};
  command.run = [shell](cli::Context& context) -> Result<int> {
    context.flags = {};  // the script shows the defaults
    const Schema globals = global_flags(context);
    const auto print = *shell == Shell::kBash  ? cli::bash_completion
                       : *shell == Shell::kZsh ? cli::zsh_completion
                                               : cli::fish_completion;
    context.out() << print(*context.root, globals);
    return 0;
  };
  return command;
}

}  // namespace aictl
