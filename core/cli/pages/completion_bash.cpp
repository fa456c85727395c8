#include "core/cli/pages/completion.hpp"

#include <fmt/format.h>

namespace aictl::cli {
namespace {

// What to offer after a flag that takes a value; nothing for one that takes none.
std::string value_reply(const Row& row) {
  if (!row.completions().empty())
    return fmt::format("COMPREPLY=($(compgen -W '{}' -- \"$word\"))",
                       fmt::join(row.completions(), " "));
  if (row.completion() == Completion::kFile)
    return "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$word\")";
  if (row.completion() == Completion::kFolder)
    return "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- \"$word\")";
  return "COMPREPLY=()";
}

// `name` is a pattern: a command in quotes, or * for the global flags.
std::string value_cases(const std::string& name, const Schema& schema) {
  std::string out;
  for (const Row& row : schema.rows()) {
    if (row.is_secret() || row.kind() == FieldKind::kBool) continue;
    std::vector<std::string> patterns;
    for (const std::string& word : flag_words(row))
      patterns.push_back(fmt::format("{}:{}", name, word));
    out += fmt::format("    {}) {}; return ;;\n", fmt::join(patterns, "|"), value_reply(row));
  }
  return out;
}

std::string words_of(const CommandPath& path, const Schema& globals) {
  std::vector<std::string> words;
  for (const Command& below : path.command->commands)
    if (!below.hidden) words.push_back(below.name);
  for (const Schema* schema : {&path.command->options, &globals})
    for (const Row& row : schema->rows())
      for (std::string& word : flag_words(row))
        if (word.starts_with("--")) words.push_back(std::move(word));
  for (const Argument& argument : path.command->arguments)
    words.insert(words.end(), argument.row.completions().begin(), argument.row.completions().end());
  return fmt::format("{}", fmt::join(words, " "));
}

// The flags of the command itself, and of -o when it has words of its own.
std::string own_values(const CommandPath& path, const Schema& globals) {
  const std::string name = shell_quoted(path.text(" "));
  std::string out = value_cases(name, path.command->options);
  if (path.command->outputs.empty()) return out;
  Schema offered = globals;
  offer_outputs(offered, *path.command);
  std::erase_if(offered.rows(), [](const Row& row) { return row.name() != "output"; });
  return out + value_cases(name, offered);
}

bool takes_files(const Command& command) {
  for (const Argument& argument : command.arguments)
    if (argument.row.completion() != Completion::kNone) return true;
  return false;
}

}  // namespace

std::vector<std::string> flag_words(const Row& row) {
  std::vector<std::string> words;
  if (row.is_secret()) return words;
  if (row.letter() != 0) words.push_back(fmt::format("-{}", row.letter()));
  words.push_back(row.flag());
  if (row.is_negatable()) words.push_back("--no-" + row.name());
  return words;
}

std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  }
  return out + "'";
}

std::string bash_completion(const Command& root, const Schema& globals) {
  std::string steps, values, words;
  for (const CommandPath& path : walk(root)) {
    const std::string name = path.text(" ");
    for (const Command& below : path.command->commands)
      if (!below.hidden)
        steps += fmt::format("      '{0}:{1}') path='{0} {1}' ;;\n", name, below.name);
    values += own_values(path, globals);
    words += fmt::format("    '{}') words='{}'{} ;;\n", name, words_of(path, globals),
                         takes_files(*path.command) ? " files=1" : "");
  }
  values += value_cases("*", globals);
  return fmt::format(
      R"(# bash completion for {0}, printed by `{0} completion bash`; not edited by hand.
_{0}() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} path={0} words= files= i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path:${{COMP_WORDS[i]}}" in
{1}    esac
  done
  case "$path:$previous" in
{2}  esac
  case "$path" in
{3}  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  if [[ -n $files && $word != -* ]]; then
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word"; compgen -f -- "$word")
  fi
}}
complete -F _{0} {0}
)",
      root.name, steps, values, words);
}

}  // namespace aictl::cli
