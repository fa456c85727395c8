#include "cmd/root.hpp"

#include "core/cli/pages/man.hpp"

namespace aictl {

namespace {

std::vector<std::string> backend_names(const App& app) {
  std::vector<std::string> names;
  for (const auto& row : app.plugins.backends.rows()) names.push_back(row.name);
  return names;
}

// Sets what shells offer for --backend, which the plugins decide.
void suggest_backends(cli::Command& command, const std::vector<std::string>& names) {
  for (Row& row : command.options.rows())
    if (row.name() == "backend") row = Row(row).suggest(names);
  for (cli::Command& below : command.commands) suggest_backends(below, names);
}

// Sets what shells offer for the arguments of help and man, which the whole tree decides.
void suggest_commands(cli::Command& root) {
  std::vector<std::string> names, pages;
  for (const cli::Command& command : root.commands) names.push_back(command.name);
  for (const cli::CommandPath& path : walk(root))
    if (std::string page = cli::page_name(path); !page.empty()) pages.push_back(std::move(page));
  for (cli::Command& command : root.commands) {
    if (command.name != "help" && command.name != "man") continue;
    Row& row = command.arguments.front().row;
    row = Row(row).suggest(command.name == "man" ? pages : names);
  }
}

}  // namespace

cli::Command root_command(App& app) {
  cli::Command root;
  root.name = "aictl";
  root.summary = "aictl: a platform for AI applications in one binary";
  root.description =
      "Runs language models on this machine and answers in the formats applications already speak.";
  root.examples = {{"aictl serve model.gguf", "answer the OpenAI API from a model file"},
                   {"aictl run model.gguf \"Why is the sky blue?\"", "print one answer"}};
  root.commands = {
      serve_command(app),    run_command(app),     chat_command(app),       model_command(app),
      topo_command(app),     doctor_command(app),  plan_command(app),       init_command(app),
      up_command(app),       ps_command(app),      logs_command(app),       down_command(app),
      generate_command(app), import_command(app),  validate_command(app),   diff_command(app),
      tokenize_command(app), render_command(app),  bench_command(app),      verify_command(app),
      plugin_command(app),   config_command(app),  completion_command(app), man_command(app),
      help_command(app),     version_command(app),
  };
  root.variables = app.plugins.variables;
  suggest_backends(root, backend_names(app));
  suggest_commands(root);
  return root;
}

}  // namespace aictl
