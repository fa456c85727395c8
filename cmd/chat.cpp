// aictl chat: a conversation with a model.
#include <csignal>
#include <istream>
#include <memory>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "cmd/generation_flags.hpp"
#include "cmd/open_model.hpp"
#include "cmd/root.hpp"
#include "core/base/signals.hpp"
#include "core/cli/context.hpp"

namespace aictl {
namespace {

constexpr std::string_view kHelp =
    "  end a line with \\ to go on in the next, or write between two lines of \"\"\"\n"
    "  /clear  forget the conversation     /history  show it\n"
    "  /help   show this                   /exit     leave (Ctrl-D does, too)\n"
    "  Ctrl-C stops an answer or drops a line, not the session";

struct ChatFlags {
  std::string model, system;
  GenerationFlags generation;
};

class Session {
 public:
  Session(LocalModel& model, const ChatFlags& flags, cli::Context& context)
      : model_(model), flags_(flags), context_(context), lines_(context.flags.output == "json") {
    clear();
  }

  Result<int> talk() {
    if (context_.streams().in_is_terminal) context_.note("/help shows what can be typed");
    while (auto text = read_message()) {
      if (text->empty()) continue;
      if (*text == "/exit" || *text == "/quit") break;
      if (text->front() == '/' && text->find_first_of(" \n") == text->npos) {
        command(*text);
        continue;
      }
      auto answered = answer(*text);
      if (!answered) {
        if (!context_.streams().in_is_terminal) return std::move(answered).error();
        context_.print_error(answered.error());  // the session goes on
      }
    }
    if (context_.streams().in_is_terminal) context_.err() << '\n';
    return 0;
  }

 private:
  void clear() {
    messages_ = Json::array();
    if (!flags_.system.empty())
      messages_.push_back({{"role", "system"}, {"content", flags_.system}});
  }

  void prompt(std::string_view mark) {
    if (context_.streams().in_is_terminal) context_.err() << mark << std::flush;
  }

  // One message: a line, lines joined by a backslash at their end, or a block between lines of """.
  std::optional<std::string> read_message() {
    std::string line, text;
    prompt("> ");
    if (!std::getline(context_.in(), line)) return std::nullopt;
    if (line == "\"\"\"") {
      for (prompt("| "); std::getline(context_.in(), line) && line != "\"\"\""; prompt("| "))
        text += line + '\n';
      if (!text.empty()) text.pop_back();  // that of the last line belongs to the closing quotes
      return text;
    }
    while (line.ends_with('\\')) {
      text += line.substr(0, line.size() - 1) + '\n';
      prompt("| ");
      if (!std::getline(context_.in(), line)) return text;
    }
    return text + line;
  }

  // One of the session's own words.
  void command(std::string_view text) {
    if (text == "/clear") return clear();
    if (text == "/help") {
      context_.err() << kHelp << '\n';
      return;
    }
    if (text != "/history") {
      context_.warn(fmt::format("no command {}; /help shows them", text));
      return;
    }
    for (const Json& message : messages_)
      context_.err() << fmt::format("{}: {}\n", message["role"].get<std::string>(),
                                    message["content"].get<std::string>());
  }

  Result<void> answer(const std::string& text) {
    messages_.push_back({{"role", "user"}, {"content", text}});
    auto made = generate();
    if (!made) {
      messages_.erase(messages_.size() - 1);  // as if it had not been asked
      return std::move(made).error();
    }
    if (lines_)
      context_.print_line(answer_tree(*made));
    else
      context_.out() << '\n' << std::flush;
    messages_.push_back({{"role", "assistant"}, {"content", made->text}});
    return {};
  }

  Result<Answer> generate() {
    auto rendered =
        model_.text().render({{"messages", messages_}, {"add_generation_prompt", true}});
    if (!rendered) return std::move(rendered).error();
    const int seen = interrupt_.count();
    const auto sink = [&](std::string_view piece) {
      if (!lines_ && !piece.empty()) context_.out() << piece << std::flush;
      return interrupt_.count() == seen;
    };
    return model_.generate(generate_request(flags_.generation, std::move(rendered->tokens)),
                           flags_.generation.stop, sink);
  }

  LocalModel& model_;
  const ChatFlags& flags_;
  cli::Context& context_;
  const bool lines_;  // of JSON, one an answer, instead of its text as it comes
  Json messages_;
  // For the whole session: at the prompt Ctrl-C drops the line that was begun, and no more.
  const Signals interrupt_{SIGINT};
};

}  // namespace

cli::Command chat_command(App& app) {
  auto flags = std::make_shared<ChatFlags>();
  cli::Command command;
  command.name = "chat";
  command.summary = "Talk with a model";
  command.description =
      "Keeps the history of the conversation. With -o json each answer is a line, as `aictl run` "
      "prints it. In a session:\n\n" +
      std::string(kHelp);
  command.examples = {
      {"aictl chat model.gguf", "a conversation"},
      {"aictl chat model.gguf --system \"Answer in one sentence.\"", "with instructions"}};
  command.arguments = {
      {Row("MODEL", &flags->model, "a .gguf file, a folder with one, or a name").file(), true}};
  std::vector<Row> rows;
  rows.push_back(Row("system", &flags->system, "a system message at the start"));
  for (Row& row : generation_rows(flags->generation)) rows.push_back(std::move(row));
  command.options = Schema("chat", std::move(rows));
  command.run = [&app, flags](cli::Context& context) -> Result<int> {
    if (context.flags.output == "yaml")
      return Error{ErrorCode::kInvalidArgument, "chat does not print yaml",
                   "-o json prints a line for each answer"};
    auto model = open_model(app, flags->model, flags->generation.engine);
    if (!model) return std::move(model).error();
    if (!(*model)->text().can_chat())
      return Error{ErrorCode::kUnsupported, fmt::format("{} has no chat template", flags->model),
                   "it only continues text: aictl run MODEL --raw \"...\""};
    auto loaded = (*model)->load();
    if (!loaded) return std::move(loaded).error();
    return Session(**model, *flags, context).talk();
  };
  return command;
}

}  // namespace aictl
