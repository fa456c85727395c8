// aictl tokenize: what a model makes of a text.
#include <iterator>
#include <memory>

#include <fmt/format.h>

#include "cmd/open_model.hpp"
#include "cmd/root.hpp"
#include "core/base/file.hpp"
#include "core/cli/context.hpp"
#include "core/cli/terminal/table.hpp"

namespace aictl {
namespace {

struct TokenizeFlags {
  std::string model, text, file;
  bool no_special = false;
};

Result<std::string> input_text(const TokenizeFlags& flags, cli::Context& context) {
  if (!flags.file.empty() && flags.file != "-") return read_file(flags.file);
  if (flags.file.empty() && !flags.text.empty()) return flags.text;
  return std::string{std::istreambuf_iterator<char>(context.in()), {}};
}

Result<int> tokenize(App& app, const TokenizeFlags& flags, cli::Context& context) {
  if (!flags.file.empty() && !flags.text.empty())
    return Error{ErrorCode::kInvalidArgument, "TEXT and --file exclude each other", "give one"};
  auto model = open_text(app, flags.model);
  if (!model) return std::move(model).error();
  auto text = input_text(flags, context);
  if (!text) return std::move(text).error();
  auto encoded = (*model)->tokenize(*text, !flags.no_special);
  if (!encoded) return std::move(encoded).error();
  const std::vector<int32_t>& tokens = *encoded;
  context.print_result({{"tokens", tokens}, {"count", tokens.size()}}, [&](std::ostream& out) {
    cli::Table table({"TOKEN", "TEXT"});
    table.right(0);
    for (const int32_t token : tokens) {
      auto piece = (*model)->detokenize({&token, 1});
      table.row({fmt::format("{}", token), dump_json(piece ? *piece : "")});
    }
    table.print(out);
  });
  return 0;
}

}  // namespace

cli::Command tokenize_command(App& app) {
  auto flags = std::make_shared<TokenizeFlags>();
  cli::Command command;
  command.name = "tokenize";
  command.summary = "Show the tokens of a text";
  command.description = "Reads TEXT, --file, or stdin. No weights are loaded.";
  command.examples = {
      {"aictl tokenize model.gguf \"Hello, world\"", "a table of ids and texts"},
      {"aictl tokenize model.gguf --no-special --file notes.txt -o json", "{\"tokens\":[...]}"}};
  command.arguments = {
      {Row("MODEL", &flags->model, "a .gguf file, a folder with one, or a name").file(), true},
      {Row("TEXT", &flags->text, "the text"), false}};
  std::vector<Row> rows;
  rows.push_back(Row("file", &flags->file, "read the text from a file; - is stdin").file());
  rows.push_back(Row("no-special", &flags->no_special,
                     "add nothing around the text, and read no special tokens out of it"));
  command.options = Schema("tokenize", std::move(rows));
  command.run = [&app, flags](cli::Context& context) { return tokenize(app, *flags, context); };
  return command;
}

}  // namespace aictl
