// Help, man pages and completions of small trees.
#include <doctest/doctest.h>

#include "core/cli/pages/completion.hpp"
#include "core/cli/pages/help.hpp"
#include "core/cli/pages/man.hpp"
#include "tests/unit/core/cli/small_program.hpp"

using namespace aictl;
using namespace aictl::cli;

TEST_CASE("help: every exit status of the error table is explained") {
  for (int code = 0; code <= static_cast<int>(ErrorCode::kInternal); ++code) {
    const int status = faces(static_cast<ErrorCode>(code)).exit_status;
    bool explained = false;
    for (const ExitStatus& row : exit_statuses()) explained |= row.status == status;
    CHECK_MESSAGE(explained, status);
  }
}

TEST_CASE("man: text that looks like a request of roff is text") {
  Command command;
  command.name = "odd";
  command.summary = "A back\\slash";
  command.description = ".TH at the start\n'and a quote";
  const std::string page = man_page({{"tool", "odd"}, &command}, {}, "1");
  CHECK(has(page, "A back\\eslash"));
  CHECK(has(page, "\n\\&.TH at the start\n\\&'and a quote\n"));
}

TEST_CASE("completions: quotes in help do not end a string of the script") {
  Command root;
  bool flag = false;
  root.name = "tool";
  root.options = {Row("x", &flag, "it's [odd]: yes")};
  CHECK(has(zsh_completion(root, {}), "it'\\''s \\[odd\\]\\: yes"));
  CHECK(has(fish_completion(root, {}), "it\\'s [odd]: yes"));
  CHECK(shell_quoted("a'b") == "'a'\\''b'");
}

TEST_CASE("pages: lines that start with two spaces stay as they are") {
  Command command;
  command.name = "keys";
  command.description = "Words that are\nwrapped.\n\n  /a  one      /b  two\n  .c  three";
  const std::string text = help("tool keys", command, {}, 60);
  CHECK(has(text, "\n  /a  one      /b  two\n  .c  three\n"));
  const std::string page = man_page({{"tool", "keys"}, &command}, {}, "1");
  CHECK(has(page, ".PP\n.nf\n  /a  one      /b  two\n  .c  three\n.fi\n"));
}

TEST_CASE("pages: a required argument has no default, one that may be left out has") {
  std::string first = "a", second = "b";
  Command command;
  command.name = "two";
  command.arguments = {{Row("first", &first, "must"), true},
                       {Row("second", &second, "may"), false}};
  const std::string text = help("tool two", command, {}, 80);
  CHECK(has(text, "FIRST   must\n"));
  CHECK(has(text, "SECOND  may (default b)\n"));
  CHECK(has(man_page({{"tool", "two"}, &command}, {}, "1"), ".B FIRST\nmust\n"));
}

TEST_CASE("pages: a flag that is a negation already has no other one") {
  bool no_special = false;
  Command command;
  command.name = "split";
  command.options = Schema("split", {Row("no-special", &no_special, "nothing around")});
  const std::string text = help("tool split", command, {}, 80);
  CHECK(has(text, "      --no-special  nothing"));
  CHECK(!has(text, "[no-]"));
  CHECK(flag_words(command.options.rows()[0]) == std::vector<std::string>{"--no-special"});
}

TEST_CASE("completions: words that are only suggested are offered, and others are taken") {
  std::string device, page;
  Command root;
  root.name = "tool";
  root.options = {Row("device", &device, "where").suggest({"cpu", "gpu"})};
  root.arguments = {{Row("page", &page, "which").suggest({"one", "one-two"}), false}};
  CHECK(has(bash_completion(root, {}), "--device) COMPREPLY=($(compgen -W 'cpu gpu' "));
  CHECK(has(bash_completion(root, {}), "words='--device one one-two'"));
  CHECK(has(zsh_completion(root, {}), "--device[where]:TEXT:(cpu gpu)"));
  CHECK(has(zsh_completion(root, {}), ":page:(one one-two)"));
  CHECK(has(fish_completion(root, {}), "-l device -x -a 'cpu gpu'"));
  CHECK(has(fish_completion(root, {}), "-a 'one one-two'"));
  CHECK(!has(help("tool", root, {}, 80), "gpu"));
  CHECK(root.options.rows()[0].set_text("tpu", Origin::kFlag, "--device").ok());
}

TEST_CASE("man: the program's page names the variables that are read beside the settings") {
  Command root;
  root.name = "tool";
  root.variables = {{"AICTL_MODELS", "folders with models"}};
  CHECK(has(man_page({{"tool"}, &root}, {}, "1"), ".B AICTL_MODELS\nfolders with models\n"));
}
