// aictl serve: the inference server.
#include <fmt/format.h>

#include "cmd/root.hpp"
#include "core/base/check.hpp"
#include "core/cli/context.hpp"
#include "core/cli/terminal/table.hpp"
#include "core/plugin/service.hpp"

namespace aictl {
namespace {

// The plan as rows of name and value, in the order it was made.
void print_plan(const Json& plan, std::ostream& out) {
  cli::Table table({});
  for (const auto& [name, value] : plan.items())
    table.row({name, value.is_string() ? value.get<std::string>() : dump_json(value)});
  table.print(out);
}

ServiceEvents events_for(cli::Context& context) {
  const bool json = context.flags.output == "json";
  ServiceEvents events;
  events.planned = [&context, json](const Json& plan) {
    if (!json && !context.flags.quiet) print_plan(plan, context.out());
    context.out().flush();
  };
  events.ready = [&context, json](const Json& ready) {
    if (json) return context.print_line(ready);
    const std::string url = ready["url"];
    context.out() << fmt::format("ready  {}\n", url) << std::flush;
    if (url.starts_with("http"))
      context.note(fmt::format(
          "try:   curl {}/v1/chat/completions -H 'content-type: application/json' -d "
          "'{{\"model\": \"{}\", \"messages\": [{{\"role\": \"user\", \"content\": \"Hello\"}}]}}'",
          url, ready["models"][0].get<std::string>()));
  };
  events.progress = [&context](std::string_view line) { context.note(line); };
  return events;
}

}  // namespace

cli::Command serve_command(App& app) {
  auto row = app.plugins.services.find("inference");
  CHECK(row.ok());  // plugins/builtin.cpp compiles it in
  // Shared by the tree's `run` and nothing else: the rows bind the service's settings.
  std::shared_ptr<Service> service = (*row)->make(app.plugins);
  cli::Command command;
  command.name = "serve";
  command.summary = "Answer the OpenAI API from local models";
  command.description =
      "Loads each MODEL (a .gguf file, a folder with one, or a name in the model folders) and "
      "serves "
      "it until SIGTERM or Ctrl-C, which lets running answers finish; a second one stops at once. "
      "Without a MODEL a tiny random one is made: it speaks nonsense, and shows that all works.\n\n"
      "With -o json one line {\"event\":\"ready\",\"url\":...} is printed once requests are "
      "answered.";
  command.examples = {
      {"aictl serve model.gguf", "http://127.0.0.1:8000/v1 answers"},
      {"aictl serve --address 127.0.0.1:0 -o json model.gguf", "on a free port, for scripts"},
      {"aictl serve --address 0.0.0.0:8000 --api-key-file keys.txt model.gguf",
       "for others, with keys"}};
  for (Row& argument : service->arguments())
    command.arguments.push_back({std::move(argument), false});
  command.options = Schema("serve", service->rows());
  command.run = [service](cli::Context& context) -> Result<int> {
    auto ended = service->run(events_for(context));
    if (!ended) return std::move(ended).error();
    return 0;
  };
  return command;
}

}  // namespace aictl
