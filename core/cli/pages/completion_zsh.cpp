#include "core/cli/pages/completion.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace aictl::cli {
namespace {

// Text inside an _arguments spec: colons and brackets have a meaning there.
std::string spec_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == ':' || c == '[' || c == ']' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string action(const Row& row) {
  if (!row.completions().empty()) return fmt::format("({})", fmt::join(row.completions(), " "));
  if (row.completion() == Completion::kFile) return "_files";
  if (row.completion() == Completion::kFolder) return "_files -/";
  return " ";
}

std::string flag_specs(const Schema& schema) {
  std::string out;
  for (const Row& row : schema.rows()) {
    const bool value = row.kind() != FieldKind::kBool;
    for (const std::string& word : flag_words(row)) {
      std::string spec = fmt::format("{}{}[{}]", row.kind() == FieldKind::kList ? "*" : "", word,
                                     spec_text(row.help()));
      if (value) spec += fmt::format(":{}:{}", spec_text(row.placeholder()), action(row));
      out += fmt::format(" \\\n    {}", shell_quoted(spec));
    }
  }
  return out;
}

std::string function_name(const CommandPath& path) {
  std::string name = path.text("_");
  std::replace(name.begin(), name.end(), '-', '_');
  return "_" + name;
}

std::string leaf(const CommandPath& path, const Schema& globals) {
  std::string specs = flag_specs(path.command->options) + flag_specs(globals);
  for (const Argument& argument : path.command->arguments)
    specs += fmt::format(
        " \\\n    {}",
        shell_quoted(fmt::format("{}:{}:{}", argument.row.kind() == FieldKind::kList ? "*" : "",
                                 spec_text(argument.row.name()), action(argument.row))));
  return fmt::format("{}() {{\n  _arguments -s{}\n}}\n", function_name(path), specs);
}

std::string noun(const CommandPath& path, const Schema& globals) {
  std::string names, cases;
  for (const Command& below : path.command->commands) {
    if (below.hidden) continue;
    CommandPath child{path.names, &below};
    child.names.push_back(below.name);
    names += fmt::format("    {}\n", shell_quoted(below.name + ":" + spec_text(below.summary)));
    cases += fmt::format("        {}) {} ;;\n", below.name, function_name(child));
  }
  return fmt::format(R"({0}() {{
  local curcontext=$curcontext state line
  local -a commands=(
{1}  )
  _arguments -C -s{2} \
    '1: :->command' '*:: :->rest'
  case $state in
    command) _describe command commands ;;
    rest)
      case $line[1] in
{3}      esac ;;
  esac
}}
)",
                     function_name(path), names,
                     flag_specs(path.command->options) + flag_specs(globals), cases);
}

}  // namespace

std::string zsh_completion(const Command& root, const Schema& globals) {
  std::string out = fmt::format(
      "#compdef {0}\n# zsh completion for {0}, printed by `{0} completion zsh`; not edited by "
      "hand.\n",
      root.name);
  for (const CommandPath& path : walk(root)) {
    Schema offered = globals;
    offer_outputs(offered, *path.command);
    out += "\n" + (path.command->commands.empty() ? leaf(path, offered) : noun(path, offered));
  }
  // Autoloaded by its file's name, or sourced.
  return out + fmt::format(R"(
if [ "$funcstack[1]" = "_{0}" ]; then
  _{0} "$@"
else
  compdef _{0} {0}
fi
)",
                           root.name);
}

}  // namespace aictl::cli
