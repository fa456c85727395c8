// aictl model: what a model is.
#include <memory>

#include <fmt/format.h>

#include "cmd/open_model.hpp"
#include "cmd/root.hpp"
#include "core/cli/context.hpp"
#include "core/cli/terminal/table.hpp"

namespace aictl {
namespace {

Row model_argument(std::string& model) {
  return Row("MODEL", &model, "a .gguf file, a folder with one, or a name").file();
}

void print_description(const Json& description, std::ostream& out) {
  cli::Table table({});
  for (const auto& [name, value] : description.items()) {
    if (value.is_object() || value.is_array()) continue;  // -o json shows all
    table.row({name, value.is_string() ? value.get<std::string>()
                     : value.is_null() ? "-"
                                       : dump_json(value)});
  }
  table.print(out);
}

// The description of a model that can be run; of another one what its header says, and why it
// cannot. A damaged file stays an error.
Result<Json> describe(App& app, const std::string& name) {
  auto model = open_model(app, name, {});
  if (model) return (*model)->describe();
  auto path = resolve_model(app.plugins, name);
  if (!path) return std::move(path).error();
  auto inspected = own_runtime(app)->inspect(*path);
  if (!inspected) return std::move(inspected).error();
  const bool vocabulary_only = (*inspected)["tensors"].empty();
  if (!vocabulary_only && model.error().code != ErrorCode::kUnsupported)
    return std::move(model).error();
  const Json& metadata = (*inspected)["metadata"];
  const auto title = metadata.find("general.name");
  Json description = {{"name", title == metadata.end() ? Json() : *title},
                      {"runs", false},
                      {"reason", model.error().message}};
  description.update(*inspected);
  return description;
}

cli::Command show_command(App& app) {
  auto name = std::make_shared<std::string>();
  cli::Command command;
  command.name = "show";
  command.summary = "Show what is inside a model and what running it takes";
  command.description =
      "Reads the header alone: no weights are loaded. -o json has the tensors and metadata, too. "
      "Vocabularies and models of architectures that cannot be run are shown as their header has "
      "them.";
  command.examples = {{"aictl model show model.gguf", "a summary"},
                      {"aictl model show model.gguf -o json", "everything"}};
  command.arguments = {{model_argument(*name), true}};
  command.run = [&app, name](cli::Context& context) -> Result<int> {
    const auto description = describe(app, *name);
    if (!description) return description.error();
    context.print_result(*description,
                         [&](std::ostream& out) { print_description(*description, out); });
    return 0;
  };
  return command;
}

struct LogitsFlags {
  std::string model;
  std::vector<int32_t> tokens;
  EngineSettings engine;
};

cli::Command logits_command(App& app) {
  auto flags = std::make_shared<LogitsFlags>();
  cli::Command command;
  command.name = "logits";
  command.summary = "Compute the log-probabilities of the token after a prompt";
  command.examples = {{"aictl model logits model.gguf --tokens 1,2,3 -o json",
                       "{\"logprobs\":[...]}, one a token of the vocabulary"}};
  command.arguments = {{model_argument(flags->model), true}};
  std::vector<Row> rows;
  rows.push_back(Row("tokens", &flags->tokens, "the prompt as token ids"));
  for (Row& row : engine_rows(flags->engine))
    if (row.name() != "concurrency" && row.name() != "max-queue") rows.push_back(std::move(row));
  command.options = Schema("model.logits", std::move(rows));
  command.run = [&app, flags](cli::Context& context) -> Result<int> {
    if (flags->tokens.empty())
      return Error{ErrorCode::kInvalidArgument, "--tokens is missing",
                   "such as --tokens 1,2,3; `aictl tokenize` makes them"};
    auto model = open_model(app, flags->model, flags->engine);
    if (!model) return std::move(model).error();
    auto logprobs = (*model)->logprobs(flags->tokens);
    if (!logprobs) return std::move(logprobs).error();
    context.print_result({{"logprobs", *logprobs}}, [&](std::ostream& out) {
      for (size_t id = 0; id < logprobs->size(); ++id)
        out << fmt::format("{:>8} {:.5f}\n", id, (*logprobs)[id]);
    });
    return 0;
  };
  return command;
}

cli::Command builtin_command(App& app) {
  cli::Command command;
  command.name = "builtin";
  command.summary = "Make the built-in tiny random model, if need be, and print its path";
  command.description =
      "What `aictl serve` uses when no model is named. It speaks nonsense, and shows that all "
      "works.";
  command.examples = {{"aictl run $(aictl model builtin) Hello", "an answer without a download"}};
  command.run = [&app](cli::Context& context) -> Result<int> {
    auto path = own_runtime(app)->builtin_model();
    if (!path) return std::move(path).error();
    context.print_result({{"path", path->string()}},
                         [&](std::ostream& out) { out << path->string() << '\n'; });
    return 0;
  };
  return command;
}

}  // namespace

cli::Command model_command(App& app) {
  cli::Command command;
  command.name = "model";
  command.summary = "Look into models";
  command.commands = {show_command(app), logits_command(app), builtin_command(app)};
  return command;
}

}  // namespace aictl
