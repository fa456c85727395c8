// Programs of a small tree, run as a user would: arguments in; stdout, stderr and status out.
#include <doctest/doctest.h>

#include <fstream>
#include <map>
#include <sstream>

#include <sys/stat.h>
#include <unistd.h>

#include "core/cli/context.hpp"
#include "core/cli/external.hpp"
#include "core/cli/pages/completion.hpp"
#include "core/cli/pages/help.hpp"
#include "core/cli/pages/man.hpp"
#include "core/cli/program.hpp"

using namespace aictl;
using namespace aictl::cli;

namespace {

struct ServeOptions {
  std::vector<std::string> models;
  int64_t port = 8000;
  bool cache = true;
  std::string api_key;
  std::vector<std::string> stop;
};

struct Outcome {
  int status;
  std::string out, err;
};

// A tree with a command, a noun with a verb, and everything a row can be.
struct Program {
  ServeOptions serve;
  int listed = 0;
  std::map<std::string, std::string> variables;
  Command root;

  Program() {
    Command run;
    run.name = "serve";
    run.summary = "Answer requests";
    run.description = "First paragraph.\n\nSecond paragraph.";
    run.examples = {{"tool serve tiny --port 0", "on a free port"}};
    run.arguments = {{Row("model", &serve.models, "what to serve").file(), true}};
    run.options = Schema("serve", {Row("port", &serve.port, "TCP port").range(0, 65535).letter('p'),
                                   Row("cache", &serve.cache, "keep prefixes"),
                                   Row("api-key", &serve.api_key, "the key").secret(),
                                   Row("stop", &serve.stop, "ends").verbatim().flag_only()});
    run.run = [this](Context& context) -> Result<int> {
      const Json result = {{"port", serve.port}, {"models", serve.models}};
      context.print_result(result,
                           [&](std::ostream& out) { out << "port " << serve.port << '\n'; });
      return 0;
    };
    Command list;
    list.name = "list";
    list.summary = "List them";
    list.run = [this](Context&) -> Result<int> { return listed++, 3; };
    Command noun;
    noun.name = "state";
    noun.summary = "Keep things";
    noun.commands = {std::move(list)};
    root.name = "tool";
    root.summary = "tool: a small program";
    root.commands = {std::move(run), std::move(noun)};
  }

  Outcome operator()(const std::vector<std::string>& arguments, bool terminal = false) {
    std::istringstream in;
    std::ostringstream out, err;
    Context context({in, out, err, terminal, terminal, terminal, 80}, environment());
    const int status = run_program(root, arguments, "1.2.3", context);
    return {status, out.str(), err.str()};
  }

  Environment environment() {
    return [this](const std::string& name) -> std::optional<std::string> {
      const auto found = variables.find(name);
      if (found == variables.end()) return std::nullopt;
      return found->second;
    };
  }
};

bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace

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
  CHECK(has(man_page({{"tool", "serve"}, &tool.root.commands[0]}, globals, "1"), "\\-o svg\na pic"));
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

TEST_CASE("external: the longest executable on PATH is the command, and built-ins win") {
  char name[] = "/tmp/aictl_external_XXXXXX";
  REQUIRE(mkdtemp(name) != nullptr);
  const std::filesystem::path folder = name;
  const auto executable = [&](const std::string& file) {
    std::ofstream(folder / file) << "#!/bin/sh\n";
    chmod((folder / file).c_str(), 0755);
  };
  for (const char* file : {"aictl-foo", "aictl-foo-bar", "aictl-serve"}) executable(file);
  std::ofstream(folder / "aictl-data") << "not executable";
  Program tool;
  tool.variables = {{"PATH", "relative::" + folder.string() + ":" + folder.string()}};
  const auto find = [&](const std::vector<std::string>& arguments) {
    return find_external(tool.root, arguments, tool.environment());
  };
  REQUIRE(find({"foo", "bar", "baz", "-x"}));
  CHECK(find({"foo", "bar", "baz", "-x"})->path == (folder / "aictl-foo-bar").string());
  CHECK(find({"foo", "bar", "baz", "-x"})->arguments == std::vector<std::string>{"baz", "-x"});
  CHECK(find({"foo", "--", "bar"})->path == (folder / "aictl-foo").string());
  CHECK(find({"foo", "../bar"})->arguments == std::vector<std::string>{"../bar"});
  CHECK(!find({"serve"}));
  CHECK(!find({"data"}));
  CHECK(!find({"../foo"}));
  CHECK(!find({"-o", "foo"}));
  CHECK(!find({}));
  const auto rows = list_externals(tool.root, tool.environment());
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].command == "foo");
  CHECK(rows[0].overruled_by == "");
  CHECK(rows[1].command == "foo bar");
  CHECK(rows[2].overruled_by == "tool serve");
  std::filesystem::remove_all(folder);
}
