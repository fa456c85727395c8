#include "cmd/root.hpp"

namespace aictl {

cli::Command root_command(App& app) {
  cli::Command root;
  root.name = "aictl";
  root.summary = "aictl: a platform for AI applications in one binary";
  root.description =
      "Runs language models on this machine and answers in the formats applications already speak.";
  root.examples = {{"aictl serve model.gguf", "answer the OpenAI API from a model file"},
                   {"aictl run model.gguf \"Why is the sky blue?\"", "print one answer"}};
  root.commands = {
      serve_command(app),    run_command(app),        chat_command(app),  model_command(app),
      tokenize_command(app), render_command(app),     bench_command(app), plugin_command(app),
      config_command(app),   completion_command(app), man_command(app),   version_command(app),
  };
  return root;
}

}  // namespace aictl
