#include "core/cli/pages/help.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/cli/terminal/table.hpp"

namespace aictl::cli {
namespace {

struct Entry {
  std::string left, right;
};

// Two columns; a left side that is too long stands on a line of its own.
std::string columns(const std::vector<Entry>& entries, size_t width) {
  constexpr size_t kWidestLeft = 28;
  size_t left_width = 0;
  for (const Entry& entry : entries)
    if (const size_t w = display_width(entry.left); w <= kWidestLeft)
      left_width = std::max(left_width, w);
  const size_t indent = left_width + 4;
  std::string out;
  for (const Entry& entry : entries) {
    out += "  " + entry.left;
    size_t column = 2 + display_width(entry.left);
    for (const std::string& line : wrap(entry.right, width > indent + 20 ? width - indent : 20)) {
      if (column > indent - 2) out += '\n', column = 0;
      out += std::string(indent - column, ' ') + line;
      column = indent + 1;
    }
    out += '\n';
  }
  return out;
}

void section(std::string& out, std::string_view title, const std::vector<Entry>& entries,
             size_t width) {
  if (!entries.empty()) out += fmt::format("\n{}:\n{}", title, columns(entries, width));
}

std::vector<Entry> flag_entries(const Schema& schema) {
  std::vector<Entry> entries;
  for (const Row& row : schema.rows())
    if (!row.is_secret()) entries.push_back({flag_word(row), row_text(row)});
  return entries;
}

std::vector<Entry> secret_entries(const Schema& schema) {
  std::vector<Entry> entries;
  for (const Row& row : schema.rows())
    if (row.is_secret())
      entries.push_back({row.variable(), fmt::format("{}; or {} in the configuration file",
                                                     row.help(), row.key())});
  return entries;
}

// Names the variable and the key of one flag, from which the others follow.
std::string layers_note(const Schema& schema) {
  for (const Row& row : schema.rows())
    if (!row.is_secret() && !row.variable().empty())
      return fmt::format(
          "A flag may also be set by its variable or in the configuration file: {} is {} and {}.",
          row.flag(), row.variable(), row.key());
  return "";
}

std::string help_and_words(const Row& row) {
  return row.words().empty() ? row.help()
                             : fmt::format("{}: {}", row.help(), fmt::join(row.words(), ", "));
}

// A default worth showing; empty for what goes without saying: off, unset, an empty list.
std::string default_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_null() || value == false) return "";
  if (!value.is_array()) return dump_json(value);
  std::string out;
  for (const Json& item : value) out += (out.empty() ? "" : ",") + default_text(item);
  return out;
}

}  // namespace

std::string argument_word(const Argument& argument) {
  std::string word = argument.row.name();
  std::transform(word.begin(), word.end(), word.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return argument.row.kind() == FieldKind::kList ? word + "..." : word;
}

std::string usage(const std::string& name, const Command& command) {
  std::string out = name;
  const auto space = [&out] { return out.empty() ? "" : " "; };
  if (!command.commands.empty())
    out += std::string(space()) + (command.run ? "[COMMAND]" : "COMMAND");
  for (const Argument& argument : command.arguments)
    out += space() +
           (argument.required ? argument_word(argument) : "[" + argument_word(argument) + "]");
  return out + space() + "[flags]";
}

std::string flag_word(const Row& row) {
  std::string out = row.letter() == 0 ? "    " : fmt::format("-{}, ", row.letter());
  out += row.is_negatable() ? "--[no-]" + row.name() : row.flag();
  const std::string value = row.placeholder();
  return value.empty() ? out : out + " " + value;
}

std::string argument_text(const Argument& argument) {
  return argument.required ? help_and_words(argument.row) : row_text(argument.row);
}

std::string row_text(const Row& row) {
  const std::string out = help_and_words(row);
  const std::string value = row.is_secret() ? "" : default_text(row.default_value());
  return value.empty() ? out : fmt::format("{} (default {})", out, value);
}

std::string help(const std::string& name, const Command& command, const Schema& globals,
                 size_t width) {
  std::string out;
  const auto paragraph = [&](const std::string& text) {
    for (const std::string& line : wrap(text, width)) out += line + "\n";
  };
  paragraph(command.summary);
  if (!command.description.empty()) out += '\n', paragraph(command.description);
  out += fmt::format("\nUsage:\n  {}\n", usage(name, command));

  std::vector<Entry> commands, arguments;
  for (const Command& below : command.commands)
    if (!below.hidden) commands.push_back({below.name, below.summary});
  for (const Argument& argument : command.arguments)
    arguments.push_back({argument_word(argument), argument_text(argument)});
  section(out, "Commands", commands, width);
  section(out, "Arguments", arguments, width);
  section(out, "Flags", flag_entries(command.options), width);
  section(out, "Variables (secrets are never flags)", secret_entries(command.options), width);
  std::vector<Entry> outputs;
  for (const Output& output : command.outputs) outputs.push_back({output.word, output.help});
  section(out, "Outputs (-o)", outputs, width);
  section(out, "Global flags", flag_entries(globals), width);
  if (const std::string note = layers_note(command.options); !note.empty())
    out += '\n', paragraph(note);
  if (!command.examples.empty()) out += "\nExamples:\n";
  for (const Example& example : command.examples)
    out += fmt::format("  # {}\n  {}\n", example.what, example.command);
  return out;
}

const std::vector<ExitStatus>& exit_statuses() {
  static const std::vector<ExitStatus> kStatuses = {
      {0, "done"},
      {1, "failed, or a check found something"},
      {2, "wrong usage"},
      {65, "the input data is refused"},
      {69, "something needed is not there"},
      {130, "interrupted"},
  };
  return kStatuses;
}

}  // namespace aictl::cli
