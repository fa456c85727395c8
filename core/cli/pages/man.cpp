#include "core/cli/pages/man.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/cli/pages/help.hpp"

namespace aictl::cli {
namespace {

// Text as roff shows it: backslashes and dashes as themselves, no line taken for a request.
std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool line_start = out.empty() || out.back() == '\n';
    if (line_start && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
  }
  return out;
}

std::string upper(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

// A title of .SH or .TH is one argument.
std::string title(std::string_view text) { return "\"" + roff(text) + "\""; }

class Page {
 public:
  void section(std::string_view heading) { text_ += fmt::format(".SH {}\n", heading); }
  void paragraphs(std::string_view text) {
    while (!text.empty()) {
      const size_t gap = text.find("\n\n");
      const std::string_view paragraph = text.substr(0, gap);
      // Lines that start with two spaces stay as they are.
      const bool as_is = paragraph.starts_with("  ");
      text_ += as_is ? ".nf\n" + roff(paragraph) + "\n.fi\n" : roff(paragraph) + "\n";
      if (gap == text.npos) return;
      text_ += ".PP\n";
      text.remove_prefix(gap + 2);
    }
  }
  // A bold term and what it means, indented below it.
  void term(std::string_view term, std::string_view meaning) {
    text_ += fmt::format(".TP\n.B {}\n{}\n", roff(term), roff(meaning));
  }
  void line(std::string_view raw) { text_.append(raw).append("\n"); }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

std::string trimmed(const std::string& text) {
  return text.substr(std::min(text.find_first_not_of(' '), text.size()));
}

void flags(Page& page, std::string_view heading, const Schema& schema) {
  bool any = false;
  for (const Row& row : schema.rows()) {
    if (row.is_secret()) continue;
    if (!any) page.section(heading);
    any = true;
    std::string text = row_text(row);
    if (!row.variable().empty())
      text += fmt::format("\nVariable {}, configuration key {}.", row.variable(), row.key());
    page.term(trimmed(flag_word(row)), text);
  }
}

void secrets(Page& page, const Schema& schema) {
  bool any = false;
  for (const Row& row : schema.rows()) {
    if (!row.is_secret()) continue;
    if (!any) page.section("SECRETS");
    any = true;
    page.term(row.variable(), fmt::format("{}\nConfiguration key {}.", row.help(), row.key()));
  }
}

void program_sections(Page& page, const Command& root) {
  page.section(title("EXIT STATUS"));
  for (const ExitStatus& row : exit_statuses()) page.term(std::to_string(row.status), row.meaning);

  page.section("CONFIGURATION");
  page.paragraphs(
      "A setting is taken from the first of these that has it: its flag, its variable, the "
      "configuration file, its default. `aictl config view --origin` shows where each value came "
      "from. Keys of the file that no command knows are errors. Secrets are never flags.");
  page.section("ENVIRONMENT");
  for (const CommandPath& path : walk(root))
    for (const Row& row : path.command->options.rows())
      if (!row.variable().empty())
        page.term(row.variable(), fmt::format("{} of {}", row.is_secret() ? row.name() : row.flag(),
                                              path.text(" ")));
  for (const Variable& variable : root.variables) page.term(variable.name, variable.help);
  page.term("NO_COLOR", "when set and not empty, no colour is used; nor with TERM=dumb");
  page.section("FILES");
  page.term("$XDG_CONFIG_HOME/aictl/config.yaml, ~/.config/aictl/config.yaml",
            "the user's configuration");
  page.term("/etc/aictl/config.yaml", "the machine's, read when the user has none");
  page.section(title("COMMANDS FROM OUTSIDE"));
  page.paragraphs(
      "An executable aictl-foo on PATH is run by `aictl foo`, and aictl-foo-bar by `aictl foo "
      "bar`, "
      "the longest name first. Commands that are built in always win. Global flags before the name "
      "are not passed on, but for --help and --version. `aictl plugin list` shows them.");
}

void see_also(Page& page, const CommandPath& path) {
  std::vector<std::string> names;
  if (path.names.size() > 1) {
    CommandPath parent = path;
    parent.names.pop_back();
    names.push_back(parent.text("-"));
  }
  for (const Command& below : path.command->commands)
    if (!below.hidden) names.push_back(path.text("-") + "-" + below.name);
  if (names.empty()) return;
  page.section(title("SEE ALSO"));
  for (size_t i = 0; i < names.size(); ++i)
    page.line(fmt::format(".BR {} (1){}", roff(names[i]), i + 1 < names.size() ? "," : ""));
}

}  // namespace

std::string page_name(const CommandPath& path) {
  return fmt::format("{}", fmt::join(path.names.begin() + 1, path.names.end(), "-"));
}

std::string man_file_name(const CommandPath& path) { return path.text("-") + ".1"; }

std::string man_page(const CommandPath& path, const Schema& globals, std::string_view version) {
  const Command& command = *path.command;
  Page page;
  page.line(".\\\" Printed from the command tree by `aictl man --all`; not edited by hand.");
  page.line(fmt::format(".TH {} 1 \"\" {}", title(upper(path.text("-"))),
                        title(fmt::format("aictl {}", version))));
  page.section("NAME");
  std::string summary = command.summary;
  if (const std::string own = path.names.back() + ": "; summary.starts_with(own))
    summary.erase(0, own.size());
  page.line(fmt::format("{} \\- {}", roff(path.text("-")), roff(summary)));
  page.section("SYNOPSIS");
  page.line(fmt::format(".B {}", roff(path.text(" "))));
  page.line(roff(usage("", command)));
  if (!command.description.empty()) {
    page.section("DESCRIPTION");
    page.paragraphs(command.description);
  }
  if (!command.commands.empty()) page.section("COMMANDS");
  for (const Command& below : command.commands)
    if (!below.hidden) page.term(below.name, below.summary);
  if (!command.arguments.empty()) page.section("ARGUMENTS");
  for (const Argument& argument : command.arguments)
    page.term(argument_word(argument), argument_text(argument));
  flags(page, "OPTIONS", command.options);
  secrets(page, command.options);
  if (!command.outputs.empty()) page.section("OUTPUTS");
  for (const Output& output : command.outputs) page.term("-o " + output.word, output.help);
  Schema offered = globals;
  offer_outputs(offered, command);
  flags(page, title("GLOBAL OPTIONS"), offered);
  if (path.names.size() == 1) program_sections(page, command);
  if (!command.examples.empty()) page.section("EXAMPLES");
  for (const Example& example : command.examples)
    page.line(fmt::format(".PP\n{}:\n.PP\n.nf\n.RS\n{}\n.RE\n.fi", roff(example.what),
                          roff(example.command)));
  see_also(page, path);
  return page.take();
}

}  // namespace aictl::cli
