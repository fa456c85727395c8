// Words as they are typed: what is a command, what a flag, what an argument, and what nobody knows.
#include <doctest/doctest.h>

#include "core/cli/parse.hpp"
#include "tests/unit/core/cli/small_program.hpp"

using namespace aictl;
using namespace aictl::cli;

namespace {

// A command that runs others: a flag, one argument, then a list.
struct ExecProgram : Program {
  std::string near, device;
  std::vector<std::string> words;

  ExecProgram() {
    Command exec;
    exec.name = "exec";
    exec.summary = "Run it there";
    exec.arguments = {{Row("device", &device, "where"), true},
                      {Row("word", &words, "what"), false}};
    exec.options = {Row("near", &near, "beside").letter('n')};
    exec.run = [](Context&) -> Result<int> { return 0; };
    root.commands.push_back(std::move(exec));
  }
};

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("words: after -- everything is an argument") {
  struct Case {
    Words arguments;
    std::string near, device;
    Words words;
  };
  const Case kCases[] = {
      {{"exec", "a", "--", "-5"}, "", "a", {"-5"}},
      {{"exec", "--near", "gpu0", "a", "--", "ls", "-l", "--", "-x"},
       "gpu0",
       "a",
       {"ls", "-l", "--", "-x"}},
      {{"exec", "--near", "gpu0", "--", "a", "--near", "b"}, "gpu0", "a", {"--near", "b"}},
      {{"exec", "-n", "gpu0", "--", "serve", "state"}, "gpu0", "serve", {"state"}},
      {{"exec", "a", "b", "--", "c"}, "", "a", {"b", "c"}},
      {{"exec", "a", "--"}, "", "a", {}},
      {{"exec", "--near=--", "--", "--help"}, "--", "--help", {}},
  };
  for (const Case& c : kCases) {
    ExecProgram tool;
    const Outcome o = tool(c.arguments);
    CAPTURE(o.err);
    CHECK(o.status == 0);
    CHECK(o.out == "");
    CHECK(tool.near == c.near);
    CHECK(tool.device == c.device);
    CHECK(tool.words == c.words);
  }
}

TEST_CASE("words: -- is nobody's value, and does not make room") {
  ExecProgram tool;
  CHECK(has(tool({"exec", "--near", "--", "a"}).err, "flag --near needs a value"));
  CHECK(has(tool({"state", "list", "--", "x"}).err, "unexpected argument 'x'"));
  CHECK(has(tool({"--", "serve"}).err, "unexpected argument 'serve'"));
}

TEST_CASE("words: a stray word is blamed on the one before it") {
  struct Case {
    Words arguments;
    std::string error, hint;
  };
  const Case kCases[] = {
      {{"wat", "serve", "m"}, "unknown command 'wat'", "  to see them all: tool --help"},
      {{"-q", "sttae", "list"}, "unknown command 'sttae'", "did you mean 'state'?"},
      {{"-o", "json", "srve", "m"}, "unknown command 'srve'", "did you mean 'serve'?"},
      {{"-qo", "json", "wat"}, "unknown command 'wat'", "tool --help"},
      {{"state", "lst", "list"}, "unknown command 'lst'", "tool state --help"},
      {{"state", "list", "serve"}, "unexpected argument 'serve'", "usage: tool state list [flags]"},
  };
  for (const Case& c : kCases) {
    Program tool;
    const Outcome o = tool(c.arguments);
    CAPTURE(o.err);
    CHECK(o.status == 2);
    CHECK(has(o.err, "error: " + c.error));
    CHECK(has(o.err, c.hint));
    CHECK(tool.listed == 0);
  }
}

TEST_CASE("words: a flag reaches as far as its value") {
  bool quiet = false;
  std::string output;
  const Schema known = {Row("quiet", &quiet, "").letter('q'),
                        Row("output", &output, "").letter('o')};
  const auto next = [&](const Words& words) { return after_flag(words, 0, {&known}); };
  CHECK(next({"-q", "x"}) == 1);
  CHECK(next({"-o", "x"}) == 2);
  CHECK(next({"-ojson", "x"}) == 1);
  CHECK(next({"-qo", "x"}) == 2);
  CHECK(next({"--output", "x"}) == 2);
  CHECK(next({"--output=x", "y"}) == 1);
  CHECK(next({"--quiet", "x"}) == 1);
  CHECK(next({"--unknown", "x"}) == 1);
}

TEST_CASE("words: a variable that nothing reads is warned of once, with the nearest name") {
  Program tool;
  tool.root.variables = {{"AICTL_MODELS", "folders"}};
  tool.variables = {{"AICTL_SERV_PORT", "5"},
                    {"AICTL_MODELS", "/m"},
                    {"AICTL_SERVE_PORT", "7"},
                    {"AICTL_ZZZ_QQQQQQ", "x"},
                    {"OTHER", "y"}};
  const Outcome o = tool({"serve", "m"});
  CHECK(o.out == "port 7\n");
  CHECK(o.err ==
        "warning: nothing reads the variable AICTL_SERV_PORT; did you mean 'AICTL_SERVE_PORT'?\n"
        "warning: nothing reads the variable AICTL_ZZZ_QQQQQQ\n");
  CHECK(tool({"-q", "serve", "m"}).err == "");
  CHECK(tool({"serve", "--help"}).err == "");
}

TEST_CASE("words: --version -o json is what the command version prints") {
  Program tool;
  CHECK(tool({"--version", "-o", "json"}).out == "tool 1.2.3\n");  // a tree without that command
  Command version;
  version.name = "version";
  version.run = [](Context& context) -> Result<int> {
    context.print_result({{"version", "1.2.3"}}, {});
    return 0;
  };
  tool.root.commands.push_back(std::move(version));
  CHECK(tool({"--version", "-o", "json"}).out == tool({"version", "-o", "json"}).out);
  CHECK(tool({"-o", "yaml", "--version"}).out == "version: \"1.2.3\"\n");
  CHECK(tool({"--version"}).out == "tool 1.2.3\n");
}

TEST_CASE("words: a command that needs no configuration runs whatever it holds") {
  Program tool;
  CHECK(tool({"state", "list", "--config", "/absent.yaml"}).status == 69);
  tool.root.commands[1].commands[0].configured = false;
  CHECK(tool({"state", "list", "--config", "/absent.yaml"}).status == 3);
}
