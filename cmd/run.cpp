// aictl run: one answer.
#include <csignal>
#include <iterator>
#include <memory>

#include <fmt/format.h>

#include "cmd/generation_flags.hpp"
#include "cmd/open_model.hpp"
#include "cmd/root.hpp"
#include "core/base/signals.hpp"
#include "core/cli/context.hpp"

namespace aictl {
namespace {

struct RunFlags {
  std::string model, prompt, system;
  std::vector<int32_t> tokens;
  bool raw = false;
  GenerationFlags generation;
};

// The prompt as given, with what stdin has after it.
Result<std::string> whole_prompt(const RunFlags& flags, cli::Context& context) {
  std::string prompt = flags.prompt;
  if (context.streams().in_is_terminal) return prompt;
  const std::string piped{std::istreambuf_iterator<char>(context.in()), {}};
  if (!prompt.empty() && !piped.empty()) prompt += "\n\n";
  return prompt + piped;
}

Result<std::vector<int32_t>> prompt_tokens(const RunFlags& flags, const LocalText& model,
                                           cli::Context& context) {
  if (!flags.tokens.empty()) return flags.tokens;
  auto prompt = whole_prompt(flags, context);
  if (!prompt) return std::move(prompt).error();
  const bool chat = !flags.raw && model.can_chat();
  if (!chat) return model.tokenize(*prompt, true);
  if (prompt->empty())
    return Error{ErrorCode::kInvalidArgument, "there is no prompt",
                 "aictl run MODEL \"...\", or pipe one in"};
  Json messages = Json::array();
  if (!flags.system.empty()) messages.push_back({{"role", "system"}, {"content", flags.system}});
  messages.push_back({{"role", "user"}, {"content", *prompt}});
  auto rendered = model.render({{"messages", messages}, {"add_generation_prompt", true}});
  if (!rendered) return std::move(rendered).error();
  return std::move(rendered->tokens);
}

Result<int> run(App& app, const RunFlags& flags, cli::Context& context) {
  if (!flags.tokens.empty() && !(flags.prompt.empty() && flags.system.empty()))
    return Error{ErrorCode::kInvalidArgument, "--tokens and a text exclude each other", "give one"};
  if (flags.raw && !flags.system.empty())
    return Error{ErrorCode::kInvalidArgument, "--raw and --system exclude each other",
                 "a system message needs the chat template"};
  auto model = open_model(app, flags.model, flags.generation.engine);
  if (!model) return std::move(model).error();
  auto prompt = prompt_tokens(flags, (*model)->text(), context);
  if (!prompt) return std::move(prompt).error();
  const Signals interrupt{SIGINT};
  const bool structured = context.wants_tree();
  const auto sink = [&](std::string_view text) {
    if (!structured && !text.empty()) context.out() << text << std::flush;
    return interrupt.count() == 0;
  };
  auto answer = (*model)->generate(generate_request(flags.generation, std::move(*prompt)),
                                   flags.generation.stop, sink);
  if (!answer) return std::move(answer).error();
  if (structured)
    context.print_result(answer_tree(*answer), {});
  else
    context.out() << '\n';
  return interrupt.count() ? 130 : 0;
}

}  // namespace

cli::Command run_command(App& app) {
  auto flags = std::make_shared<RunFlags>();
  cli::Command command;
  command.name = "run";
  command.summary = "Print one answer of a model";
  command.description =
      "Renders PROMPT with the model's chat template, if it has one, and streams the answer to "
      "stdout. "
      "What comes on stdin is appended to the prompt. Ctrl-C ends the answer.";
  command.examples = {
      {"aictl run model.gguf \"Why is the sky blue?\"", "a question"},
      {"aictl run model.gguf \"Summarise:\" < notes.txt", "with a file behind it"},
      {"aictl run model.gguf --raw \"Once upon a time\" -n 64 --temperature 0",
       "plain continuation"},
      {"aictl run model.gguf --tokens 1,2,3 --max-tokens 64 --temperature 0 -o json",
       "token ids in and out"}};
  command.arguments = {
      {Row("MODEL", &flags->model, "a .gguf file, a folder with one, or a name").file(), true},
      {Row("PROMPT", &flags->prompt, "what to answer"), false}};
  std::vector<Row> rows;
  rows.push_back(Row("tokens", &flags->tokens, "the prompt as token ids, taken as they are"));
  rows.push_back(Row("system", &flags->system, "a system message before the prompt"));
  rows.push_back(Row("raw", &flags->raw, "continue the text itself, without the chat template"));
  for (Row& row : generation_rows(flags->generation)) rows.push_back(std::move(row));
  command.options = Schema("run", std::move(rows));
  command.run = [&app, flags](cli::Context& context) { return run(app, *flags, context); };
  return command;
}

}  // namespace aictl
