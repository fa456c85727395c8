// Programs of a small tree, run as a user would: arguments in; stdout, stderr and status out.
#include <doctest/doctest.h>

#include "core/cli/pages/completion.hpp"
#include "core/cli/pages/help.hpp"
#include "core/cli/pages/man.hpp"
#include "tests/unit/core/cli/small_program.hpp"

using namespace aictl;
using namespace aictl::cli;

TEST_CASE("program: arguments and flags in any order reach the struct") {
  Program tool;
  const Outcome o = tool({"-o", "json", "serve", "a", "--port=9", "b", "--no-cache", "--stop",
                          "x,y", "--stop", "[z]", "--", "-c"});
  CHECK(o.err == "");
  CHECK(o.status == 0);
  CHECK(tool.serve.models == std::vector<std::string>{"a", "b", "-c"});
  CHECK(tool.serve.port == 9);
  CHECK(!tool.serve.cache);
  CHECK(tool.serve.stop == std::vector<std::string>{"x,y", "[z]"});
  CHECK(has(o.out, "\"port\": 9"));
}

TEST_CASE("program: an argument may be called like a command, or have brackets") {
  Program tool;
  CHECK(tool({"serve", "state", "serve", "[a,b]", ""}).status == 0);
  CHECK(Json(tool.serve.models) == Json({"state", "serve", "[a,b]", ""}));
}

TEST_CASE("program: a negative number is a flag's value") {
  Program tool;
  const Outcome o = tool({"serve", "m", "-p", "-1"});
  CHECK(o.status == 2);
  CHECK(has(o.err, "error: port -1 is not in 0..65535"));
}

TEST_CASE("program: the flag beats the variable") {
  Program tool;
  tool.variables = {{"AICTL_SERVE_PORT", "5"}, {"AICTL_SERVE_CACHE", "no"}};
  CHECK(tool({"serve", "m"}).out == "port 5\n");
  CHECK(!tool.serve.cache);
  Program other;
  other.variables = tool.variables;
  CHECK(other({"serve", "m", "--port", "6", "--cache"}).out == "port 6\n");
  CHECK(other.serve.cache);
}

TEST_CASE("program: a secret comes from its variable and has no flag") {
  Program tool;
  tool.variables = {{"AICTL_SERVE_API_KEY", "hush"}};
  CHECK(tool({"serve", "m"}).status == 0);
  CHECK(tool.serve.api_key == "hush");
  const Outcome o = tool({"serve", "m", "--api-key", "hush"});
  CHECK(o.status == 2);
  CHECK(has(o.err, "unknown flag '--api-key'"));
  const Outcome help = tool({"serve", "--help"});
  CHECK(has(help.out, "AICTL_SERVE_API_KEY"));
  CHECK(!has(help.out, "hush"));
}

TEST_CASE("program: wrong usage is status 2, names the word, and suggests the nearest") {
  struct Case {
    std::vector<std::string> arguments;
    std::string error, hint;
  };
  const Case kCases[] = {
      {{"srve"}, "unknown command 'srve'", "did you mean 'serve'?"},
      {{"state", "lst"}, "unknown command 'lst'", "did you mean 'list'?"},
      {{"serve", "m", "--prt", "1"}, "unknown flag '--prt'", "did you mean '--port'?"},
      {{"serve", "m", "--no-cahce"}, "unknown flag '--no-cahce'", "did you mean '--no-cache'?"},
      {{"serve", "m", "--port"}, "flag --port needs a value", "tool serve --help"},
      {{"serve"}, "'tool serve' needs MODEL...", "usage: tool serve MODEL... [flags]"},
      {{"state"}, "'tool state' needs a command: list", "tool state --help"},
      {{"state", "list", "x"}, "unexpected argument 'x'", "usage: tool state list [flags]"},
      {{"-o", "yml", "serve", "m"}, "output 'yml' is not one of", "did you mean 'yaml'?"},
      {{"--wat"}, "unknown flag '--wat'", "tool --help"},
      {{"serve", "m", "--config", "/absent.yaml"}, "", ""},
  };
  for (const Case& c : kCases) {
    Program tool;
    const Outcome o = tool(c.arguments);
    CAPTURE(o.err);
    CHECK(o.status == (c.error.empty() ? 69 : 2));
    CHECK(o.out == "");
    CHECK(has(o.err, "error: " + c.error));
    CHECK(has(o.err, c.hint));
  }
}

TEST_CASE("program: a command adds words to -o, and its first is printed without one") {
  Program tool;
  std::string chosen;
  tool.root.commands[0].outputs = {{"tree", "a drawing"}, {"svg", "a picture"}};
  tool.root.commands[0].run = [&](Context& context) -> Result<int> {
    chosen = context.flags.output;
    return 0;
  };
  CHECK(tool({"serve", "m"}).status == 0);
  CHECK(chosen == "tree");
  for (const char* word : {"svg", "json", "table"}) {
    CHECK(tool({"serve", "m", "-o", word}).status == 0);
    CHECK(chosen == word);
  }
  const Outcome wrong = tool({"serve", "m", "-o", "sgv"});
  CHECK(wrong.status == 2);
  CHECK(has(wrong.err, "did you mean 'svg'?"));
  CHECK(tool({"-o", "svg", "state", "list"}).status == 2);  // another command's word

  const std::string help = tool({"serve", "--help"}).out;
  CHECK(has(help, "  svg   a picture"));
  CHECK(has(help, "(default tree)"));
  CHECK(!has(tool({"state", "list", "--help"}).out, "svg"));
  std::istringstream in;
  std::ostringstream out, err;
  Context context({in, out, err}, tool.environment());
  const Schema globals = global_flags(context);
  CHECK(
      has(man_page({{"tool", "serve"}, &tool.root.commands[0]}, globals, "1"), "\\-o svg\na pic"));
  CHECK(has(bash_completion(tool.root, globals),
            "'tool serve':-o|'tool serve':--output) COMPREPLY=($(compgen -W 'tree svg table"));
  CHECK(has(zsh_completion(tool.root, globals), "FORMAT:(tree svg table json yaml text)"));
  CHECK(has(fish_completion(tool.root, globals), "-l output -s o -x -a svg -d 'a picture'"));
}

TEST_CASE("program: what a command returns is the exit status") {
  Program tool;
  CHECK(tool({"state", "list"}).status == 3);
  CHECK(tool.listed == 1);
  tool.root.commands[0].run = [](Context&) -> Result<int> {
    return Error{ErrorCode::kDataRefused, "bad magic", "use a GGUF file\nor convert it"};
  };
  const Outcome o = tool({"serve", "m"});
  CHECK(o.status == 65);
  CHECK(o.err == "error: bad magic\n  use a GGUF file\n  or convert it\n");
}

TEST_CASE("program: help needs no arguments and no valid configuration, and goes to stdout") {
  Program tool;
  tool.variables = {{"AICTL_SERVE_PORT", "x"}};
  for (const auto& arguments :
       {std::vector<std::string>{"serve", "--help"}, {"serve", "m", "-h"}}) {
    const Outcome o = tool(arguments);
    CHECK(o.status == 0);
    CHECK(o.err == "");
    for (const char* part :
         {"tool serve MODEL... [flags]", "-p, --port N", "(default 8000)", "--[no-]cache",
          "tool serve tiny --port 0", "AICTL_SERVE_PORT", "Second paragraph."})
      CHECK(has(o.out, part));
  }
  CHECK(tool({}).out == tool({"--help"}).out);
  CHECK(tool({"--version"}).out == "tool 1.2.3\n");
}

TEST_CASE("program: colour only on a terminal that wants it") {
  Program tool;
  CHECK(!has(tool({"srve"}).err, "\x1b"));
  CHECK(has(tool({"srve"}, true).err, "\x1b[1;31merror:"));
  CHECK(!has(tool({"--no-color", "serve"}, true).err, "\x1b"));
  tool.variables = {{"NO_COLOR", "1"}};
  CHECK(!has(tool({"srve"}, true).err, "\x1b"));
  tool.variables = {{"TERM", "dumb"}};
  CHECK(!has(tool({"srve"}, true).err, "\x1b"));
}

TEST_CASE("program: a result that cannot be written is an error") {
  Program tool;
  std::istringstream in;
  std::ostringstream out, err;
  out.setstate(std::ios::failbit);
  Context context({in, out, err}, tool.environment());
  CHECK(run_program(tool.root, {"serve", "m"}, "1", context) == 1);
  CHECK(has(err.str(), "writing the result failed"));
}
