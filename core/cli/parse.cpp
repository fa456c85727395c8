// The tree becomes CLI11 apps, which split the arguments into flags with their words; nothing is
// bound to fields there, so that the layers below the flags can be applied first.
#include "core/cli/parse.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "core/base/nearest.hpp"
#include "core/cli/external.hpp"
#include "core/cli/pages/help.hpp"

namespace aictl::cli {
namespace {

// A command's app and the options added to it, in the order of the rows.
struct Node {
  Command* command;
  CLI::App* app;
  std::vector<std::pair<CLI::Option*, Row*>> flags, arguments, globals;
};

void add_flag(CLI::App& app, Row& row, std::vector<std::pair<CLI::Option*, Row*>>& out) {
  if (row.flag().empty()) return;
  std::string names = row.flag();
  if (row.letter() != 0) names = fmt::format("-{},{}", row.letter(), names);
  CLI::Option* option = nullptr;
  if (row.kind() == FieldKind::kBool) {
    if (row.is_negatable()) names += ",!--no-" + row.name();
    option = app.add_flag(names);
  } else {
    option = app.add_option(names)->type_size(1)->expected(1)->allow_extra_args(false);
  }
  option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  out.emplace_back(option, &row);
}

void add_argument(CLI::App& app, Argument& argument,
                  std::vector<std::pair<CLI::Option*, Row*>>& out) {
  constexpr int kManyWords = 1 << 20;
  const bool list = argument.row.kind() == FieldKind::kList;
  CLI::Option* option = app.add_option(argument.row.name());
  // A list asks for many rather than allowing extras: with the latter, "[a]" would lose its
  // brackets.
  option->type_size(1)->expected(list ? kManyWords : 1);
  option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  out.emplace_back(option, &argument.row);
}

void build(Command& command, CLI::App& app, Schema& globals, std::vector<Node>& nodes) {
  Node node{&command, &app, {}, {}, {}};
  app.set_help_flag();
  app.require_subcommand(0, command.commands.empty() ? 0 : 1);
  // A command's own flag hides the global one of its name, which then stands before the command.
  const auto own = [&](const Row& global) {
    return std::any_of(command.options.rows().begin(), command.options.rows().end(),
                       [&](const Row& row) { return row.flag() == global.flag(); });
  };
  for (Row& row : globals.rows())
    if (!own(row)) add_flag(app, row, node.globals);
  for (Row& row : command.options.rows()) add_flag(app, row, node.flags);
  for (Argument& argument : command.arguments) add_argument(app, argument, node.arguments);
  nodes.push_back(std::move(node));
  for (Command& below : command.commands) {
    CLI::App& inner = *app.add_subcommand(below.name);
    for (const std::string& alias : below.aliases) inner.alias(alias);
    build(below, inner, globals, nodes);
  }
}

// The commands that were named, root first.
std::vector<Node*> chosen_path(std::vector<Node>& nodes) {
  std::vector<Node*> path{&nodes.front()};
  for (;;) {
    const std::vector<CLI::App*> below = path.back()->app->get_subcommands();
    if (below.empty()) return path;
    const auto next = std::find_if(nodes.begin(), nodes.end(),
                                   [&](const Node& node) { return node.app == below.front(); });
    path.push_back(&*next);
  }
}

std::string path_name(const std::vector<Node*>& path) {
  std::string out;
  for (const Node* node : path) out += (out.empty() ? "" : " ") + node->command->name;
  return out;
}

Error unknown_flag(const std::vector<Node*>& path, const std::string& word) {
  const std::string flag = word.substr(0, word.find('='));
  const Node& node = *path.back();
  std::vector<std::string> names;
  for (const auto* options : {&node.flags, &node.globals})
    for (const auto& [option, row] : *options) {
      names.push_back(row->flag());
      if (row->is_negatable()) names.push_back("--no-" + row->name());
    }
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  std::string hint = did_you_mean(flag, candidates);
  if (!hint.empty()) hint += "  ";
  return {ErrorCode::kInvalidArgument, fmt::format("unknown flag '{}'", flag),
          hint + fmt::format("to see them all: {} --help", path_name(path))};
}

Error unknown_command(const std::string& name, std::string_view word,
                      const std::vector<std::string>& commands) {
  const std::vector<std::string_view> candidates(commands.begin(), commands.end());
  std::string hint = did_you_mean(word, candidates);
  if (!hint.empty()) hint += "  ";
  return {ErrorCode::kInvalidArgument, fmt::format("unknown command '{}'", word),
          hint + fmt::format("to see them all: {} --help", name)};
}

Error unexpected_argument(const std::string& name, const Command& command, std::string_view word) {
  return {ErrorCode::kInvalidArgument, fmt::format("unexpected argument '{}'", word),
          "usage: " + usage(name, command)};
}

// Goes down the tree as long as words name commands. A word that names none is told here: CLI11
// would look on for one that does, and blame that.
Result<void> check_commands(const Command& root, const Schema& globals,
                            const std::vector<std::string>& words, const Environment& env) {
  const Command* command = &root;
  std::string name = root.name;
  for (size_t at = 0; at < words.size() && !command->commands.empty();) {
    if (is_flag(words[at])) {
      at = after_flag(words, at, {&command->options, &globals});
      continue;
    }
    const Command* below = command->below(words[at]);
    if (!below && !command->arguments.empty()) return {};
    if (!below) {
      std::vector<std::string> known;
      for (const Command& one : command->commands) known.push_back(one.name);
      if (command == &root)
        for (const ExternalRow& row : list_externals(root, env)) known.push_back(row.command);
      return unknown_command(name, words[at], known);
    }
    command = below;
    name += " " + below->name;
    ++at;
  }
  return {};
}

// What stood after "--": fills the arguments that are still to come.
Result<void> add_rest(Parsed& parsed, const std::vector<std::string>& words) {
  Command& command = parsed.command();
  for (const std::string& word : words) {
    const auto given_to = [&](const Row& row) {
      return std::find_if(parsed.arguments.begin(), parsed.arguments.end(),
                          [&](const Given& given) { return given.row == &row; });
    };
    const auto next = std::find_if(command.arguments.begin(), command.arguments.end(),
                                   [&](const Argument& argument) {
                                     return argument.row.kind() == FieldKind::kList ||
                                            given_to(argument.row) == parsed.arguments.end();
                                   });
    if (next == command.arguments.end()) return unexpected_argument(parsed.name(), command, word);
    const auto given = given_to(next->row);
    if (given == parsed.arguments.end())
      parsed.arguments.push_back({&next->row, {word}, true});
    else
      given->words.push_back(word);
  }
  return {};
}

Error parse_error(std::vector<Node>& nodes, const CLI::ParseError& e) {
  const std::vector<Node*> path = chosen_path(nodes);
  const std::string what = e.what();
  if (dynamic_cast<const CLI::ExtrasError*>(&e)) {
    const std::vector<std::string> left = nodes.front().app->remaining(true);
    const std::string word = left.empty() ? what : left.front();
    if (is_flag(word)) return unknown_flag(path, word);
    return unexpected_argument(path_name(path), *path.back()->command, word);
  }
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&e))  // "--port: 1 required TEXT missing"
    return {ErrorCode::kInvalidArgument,
            fmt::format("flag {} needs a value", what.substr(0, what.find(':'))),
            fmt::format("see: {} --help", path_name(path))};
  return {ErrorCode::kInvalidArgument, what, fmt::format("see: {} --help", path_name(path))};
}

void take(const std::vector<std::pair<CLI::Option*, Row*>>& options, bool arguments,
          std::vector<Given>& out) {
  for (const auto& [option, row] : options)
    if (!option->empty()) out.push_back({row, option->results(), arguments});
}

}  // namespace

std::string Parsed::name() const {
  std::string out;
  for (const Command* step : path) out += (out.empty() ? "" : " ") + step->name;
  return out;
}

bool is_flag(std::string_view word) {
  return word.size() > 1 && word.front() == '-' && word != "--";
}

size_t after_flag(const std::vector<std::string>& words, size_t at,
                  const std::vector<const Schema*>& known) {
  const auto takes_value = [&](const auto& is_named) {
    for (const Schema* schema : known)
      for (const Row& row : schema->rows())
        if (is_named(row)) return row.kind() != FieldKind::kBool;
    return false;
  };
  const std::string& word = words[at];
  if (word.starts_with("--"))  // "--port=1" has its value within
    return at + 1 + takes_value([&](const Row& row) { return row.flag() == word; });
  for (size_t i = 1; i < word.size(); ++i)  // "-qo": -q and -o; "-ojson": -o with its value
    if (takes_value([&](const Row& row) { return row.letter() == word[i]; }))
      return at + 1 + (i + 1 == word.size());
  return at + 1;
}

Result<Parsed> parse(Command& root, Schema& globals, const std::vector<std::string>& arguments,
                     const Environment& env) {
  const auto mark = std::find(arguments.begin(), arguments.end(), "--");
  const std::vector<std::string> before(arguments.begin(), mark);
  if (auto ok = check_commands(root, globals, before, env); !ok) return std::move(ok).error();
  std::vector<Node> nodes;
  CLI::App app("", root.name);
  try {
    build(root, app, globals, nodes);
    app.parse(std::vector<std::string>(before.rbegin(), before.rend()));
  } catch (const CLI::ParseError& e) {
    return parse_error(nodes, e);
  } catch (const CLI::Error& e) {
    return Error{ErrorCode::kInternal, fmt::format("the command tree is wrong: {}", e.what()), ""};
  }
  Parsed parsed;
  for (const Node* node : chosen_path(nodes)) {
    parsed.path.push_back(node->command);
    take(node->globals, false, parsed.globals);
    take(node->flags, false, parsed.flags);
    take(node->arguments, true, parsed.arguments);
  }
  if (mark != arguments.end())
    if (auto ok = add_rest(parsed, {mark + 1, arguments.end()}); !ok) return std::move(ok).error();
  return parsed;
}

Result<void> require_arguments(const Parsed& parsed) {
  const Command& command = parsed.command();
  if (!command.run) {
    std::vector<std::string> names;
    for (const Command& below : command.commands)
      if (!below.hidden) names.push_back(below.name);
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("'{}' needs a command: {}", parsed.name(), fmt::join(names, ", ")),
                 fmt::format("see: {} --help", parsed.name())};
  }
  for (const Argument& argument : command.arguments) {
    const bool given = std::any_of(parsed.arguments.begin(), parsed.arguments.end(),
                                   [&](const Given& g) { return g.row == &argument.row; });
    if (argument.required && !given)
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("'{}' needs {}", parsed.name(), argument_word(argument)),
                   "usage: " + usage(parsed.name(), command)};
  }
  return {};
}

Result<void> apply_given(const std::vector<Given>& given) {
  for (const Given& one : given) {
    Row& row = *one.row;
    auto ok = row.kind() == FieldKind::kList
                  ? row.set_items(one.words, !one.is_argument, Origin::kFlag, row.flag())
                  : row.set_text(one.words.back(), Origin::kFlag, row.flag());
    if (!ok) return ok;
  }
  return {};
}

}  // namespace aictl::cli
