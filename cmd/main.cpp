// aictl: the one place that knows both floors, the commands and the plugins.
#include <csignal>
#include <string>
#include <vector>

#include "cmd/root.hpp"
#include "core/cli/context.hpp"
#include "core/cli/external.hpp"
#include "core/cli/program.hpp"
#include "plugins/builtin.hpp"

int main(int argc, char** argv) {
  using namespace aictl;
  std::signal(SIGPIPE, SIG_IGN);  // a reader that went away is a failed write, not our end
  App app;
  add_builtin(app.plugins);
  cli::Command root = root_command(app);
  cli::Context context(cli::Streams::of_process(), process_environment());
  context.variables = process_variables();
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const Schema globals = global_flags(context);
  if (auto external = cli::find_external(root, globals, arguments, context.environment()))
    return cli::run_external(root, *external, context);
  return cli::run_program(root, arguments, version(), context);
}
