#include "core/cli/pages/completion.hpp"

#include <fmt/format.h>

namespace aictl::cli {
namespace {

std::string fish_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string values_of(const Row& row) {
  if (row.kind() == FieldKind::kBool) return "";
  if (!row.completions().empty())
    return fmt::format(" -x -a {}",
                       fish_quoted(fmt::format("{}", fmt::join(row.completions(), " "))));
  if (row.completion() == Completion::kFile) return " -r -F";
  if (row.completion() == Completion::kFolder) return " -x -a '(__fish_complete_directories)'";
  return " -x";
}

std::string flag_line(const std::string& start, const Row& row) {
  std::string out = start + " -l " + row.name();
  if (row.letter() != 0) out += fmt::format(" -s {}", row.letter());
  out += values_of(row) + " -d " + fish_quoted(row.help()) + "\n";
  if (row.is_negatable())
    out += fmt::format("{} -l no-{} -d {}\n", start, row.name(), fish_quoted("not: " + row.help()));
  return out;
}

}  // namespace

std::string fish_completion(const Command& root, const Schema& globals) {
  std::string steps, lines;
  for (const Row& row : globals.rows())
    lines += flag_line(fmt::format("complete -c {}", root.name), row);
  for (const CommandPath& path : walk(root)) {
    const std::string name = path.text(" ");
    const std::string start = fmt::format("complete -c {0} -n '__{0}_at \"{1}\"'", root.name, name);
    for (const Command& below : path.command->commands) {
      if (below.hidden) continue;
      steps += fmt::format("      case '{0}:{1}'\n        set path '{0} {1}'\n", name, below.name);
      lines += fmt::format("{} -a {} -d {}\n", start, below.name, fish_quoted(below.summary));
    }
    for (const Row& row : path.command->options.rows())
      if (!row.is_secret()) lines += flag_line(start, row);
    for (const Output& output : path.command->outputs)
      lines += fmt::format("{} -l output -s o -x -a {} -d {}\n", start, output.word,
                           fish_quoted(output.help));
    for (const Argument& argument : path.command->arguments) {
      if (argument.row.completion() != Completion::kNone) lines += start + " -F\n";
      if (!argument.row.completions().empty())
        lines += fmt::format("{} -a '{}'\n", start, fmt::join(argument.row.completions(), " "));
    }
  }
  return fmt::format(
      R"(# fish completion for {0}, printed by `{0} completion fish`; not edited by hand.
function __{0}_path
  set -l path {0}
  for word in (commandline -opc)[2..-1]
    switch "$path:$word"
{1}    end
  end
  echo $path
end

function __{0}_at
  test (__{0}_path) = $argv[1]
end

complete -c {0} -f
{2})",
      root.name, steps, lines);
}

}  // namespace aictl::cli
