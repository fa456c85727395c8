// aictl render: messages to the prompt a model sees.
#include <ctime>
#include <iterator>
#include <memory>

#include <fmt/format.h>

#include "cmd/open_model.hpp"
#include "cmd/root.hpp"
#include "core/base/clock.hpp"
#include "core/base/file.hpp"
#include "core/cli/context.hpp"
#include "core/template/template.hpp"

namespace aictl {
namespace {

struct RenderFlags {
  std::string model, messages, user, system, template_file, vars, now;
  bool no_generation_prompt = false;
};

Result<std::string> read_input(const std::string& file, cli::Context& context) {
  if (file != "-") return read_file(file);
  return std::string{std::istreambuf_iterator<char>(context.in()), {}};
}

// Midnight UTC of "2026-11-22" in Unix seconds; the present for an empty text.
Result<int64_t> parse_day(const std::string& day) {
  if (day.empty()) return Clock().unix_seconds();
  std::tm time = {};
  const char* end = ::strptime(day.c_str(), "%Y-%m-%d", &time);
  if (!end || *end)
    return Error{ErrorCode::kInvalidArgument, fmt::format("--now '{}' is not a day", day),
                 "write it as 2026-11-22"};
  return int64_t{::timegm(&time)};
}

// A template by itself: its variables are given, nothing is added.
Result<Json> render_template(const RenderFlags& flags, cli::Context& context) {
  auto source = read_file(flags.template_file);
  if (!source) return std::move(source).error();
  auto text = flags.vars.empty() ? Result<std::string>("{}") : read_input(flags.vars, context);
  if (!text) return std::move(text).error();
  auto vars = parse_json(*text);
  if (!vars) return std::move(vars).error().within(flags.vars);
  if (!vars->is_object())
    return Error{ErrorCode::kDataRefused,
                 fmt::format("{}: variables must be an object", flags.vars), ""};
  auto now = parse_day(flags.now);
  if (!now) return std::move(now).error();
  auto parsed = jinja::Template::parse(*source);
  if (!parsed) return std::move(parsed).error().within(flags.template_file);
  jinja::RenderOptions options;
  options.now = *now;
  auto rendered = parsed->render(*vars, options);
  if (!rendered) {
    Error error = std::move(rendered).error().within(flags.template_file);
    // What a template raises is said of its variables, and those are data here.
    if (error.code == ErrorCode::kInvalidArgument) error.code = ErrorCode::kDataRefused;
    return error;
  }
  return Json{{"text", rendered->text}};
}

Result<Json> messages_of(const RenderFlags& flags, cli::Context& context) {
  if (flags.messages.empty()) {
    Json messages = Json::array();
    if (!flags.system.empty()) messages.push_back({{"role", "system"}, {"content", flags.system}});
    messages.push_back({{"role", "user"}, {"content", flags.user}});
    return Json{{"messages", messages}};
  }
  auto text = read_input(flags.messages, context);
  if (!text) return std::move(text).error();
  auto tree = parse_json(*text);
  if (!tree) return std::move(tree).error().within(flags.messages);
  return tree->is_array() ? Json{{"messages", *tree}} : std::move(*tree);
}

Result<Json> render_model(App& app, const RenderFlags& flags, cli::Context& context) {
  auto request = messages_of(flags, context);
  if (!request) return request;
  auto model = open_text(app, flags.model);
  if (!model) return std::move(model).error();
  if (!request->contains("add_generation_prompt"))
    (*request)["add_generation_prompt"] = !flags.no_generation_prompt;
  auto rendered = (*model)->render(*request);
  if (!rendered) return std::move(rendered).error();
  return Json{{"text", rendered->text}, {"tokens", rendered->tokens}};
}

}  // namespace

cli::Command render_command(App& app) {
  auto flags = std::make_shared<RenderFlags>();
  cli::Command command;
  command.name = "render";
  command.summary = "Show the prompt a chat template makes of messages";
  command.description =
      "With a MODEL, renders messages by its own template: --user, or --messages with a JSON list "
      "(or a whole chat "
      "request). With --template, renders any template with --vars, an object of its variables.";
  command.examples = {{"aictl render model.gguf --user Hello", "the prompt of one question"},
                      {"aictl render model.gguf --messages chat.json -o json", "text and tokens"},
                      {"aictl render --template chat.jinja --vars vars.json --now 2026-11-22",
                       "a template by itself"}};
  command.arguments = {
      {Row("MODEL", &flags->model, "a .gguf file, a folder with one, or a name").file(), false}};
  std::vector<Row> rows;
  rows.push_back(Row("messages", &flags->messages, "messages as JSON; - is stdin").file());
  rows.push_back(Row("user", &flags->user, "one message of the user"));
  rows.push_back(Row("system", &flags->system, "a system message before it"));
  rows.push_back(Row("no-generation-prompt", &flags->no_generation_prompt,
                     "leave out what asks the model to answer"));
  rows.push_back(Row("template", &flags->template_file, "a template instead of a model").file());
  rows.push_back(Row("vars", &flags->vars, "its variables, a JSON object; - is stdin").file());
  rows.push_back(
      Row("now", &flags->now, "the day that strftime_now sees, such as 2026-11-22").value("DAY"));
  command.options = Schema("render", std::move(rows));
  command.run = [&app, flags](cli::Context& context) -> Result<int> {
    if (flags->model.empty() == flags->template_file.empty())
      return Error{ErrorCode::kInvalidArgument, "name a MODEL or a --template, one of the two",
                   "see aictl render --help"};
    if (!flags->messages.empty() && !(flags->user.empty() && flags->system.empty()))
      return Error{ErrorCode::kInvalidArgument, "--messages excludes --user and --system",
                   "give one"};
    if (flags->template_file.empty() && flags->messages.empty() && flags->user.empty())
      return Error{ErrorCode::kInvalidArgument, "there are no messages",
                   "give --user or --messages"};
    auto result = flags->model.empty() ? render_template(*flags, context)
                                       : render_model(app, *flags, context);
    if (!result) return std::move(result).error();
    context.print_result(*result, [&](std::ostream& out) {
      out << (*result)["text"].get_ref<const std::string&>();
    });
    return 0;
  };
  return command;
}

}  // namespace aictl
