// Commands from outside: which executable on PATH is meant, and what is said when none is.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include <sys/stat.h>
#include <unistd.h>

#include "core/cli/external.hpp"
#include "tests/unit/core/cli/small_program.hpp"

using namespace aictl;
using namespace aictl::cli;

namespace {

// A folder with executables, on PATH twice and beside entries that do not count.
struct Folder {
  std::filesystem::path path;
  Program tool;

  explicit Folder(const std::vector<std::string>& executables) {
    char name[] = "/tmp/aictl_external_XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    path = name;
    for (const std::string& file : executables) {
      std::ofstream(path / file) << "#!/bin/sh\n";
      chmod((path / file).c_str(), 0755);
    }
    std::ofstream(path / "aictl-data") << "not executable";
    tool.variables = {{"PATH", "relative::" + path.string() + ":" + path.string()}};
  }
  ~Folder() { std::filesystem::remove_all(path); }

  std::optional<External> find(const std::vector<std::string>& arguments) {
    std::istringstream in;
    std::ostringstream out;
    Context context({in, out, out}, tool.environment());
    return find_external(tool.root, global_flags(context), arguments, tool.environment());
  }
};

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("external: the longest executable on PATH is the command, and built-ins win") {
  Folder folder({"aictl-foo", "aictl-foo-bar", "aictl-serve"});
  const auto found = folder.find({"foo", "bar", "baz", "-x"});
  REQUIRE(found);
  CHECK(found->path == (folder.path / "aictl-foo-bar").string());
  CHECK(found->arguments == Words{"baz", "-x"});
  CHECK(folder.find({"foo", "--", "bar"})->path == (folder.path / "aictl-foo").string());
  CHECK(folder.find({"foo", "../bar"})->arguments == Words{"../bar"});
  for (const Words& none :
       {Words{"serve"}, {"data"}, {"../foo"}, {"-o", "foo"}, {"-q"}, {"-o"}, {}})
    CHECK(!folder.find(none));
  const auto rows = list_externals(folder.tool.root, folder.tool.environment());
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].command == "foo");
  CHECK(rows[0].overruled_by == "");
  CHECK(rows[0].variable_prefix() == "AICTL_FOO_");
  CHECK(rows[1].command == "foo bar");
  CHECK(rows[2].overruled_by == "tool serve");
}

TEST_CASE("external: global flags may stand before the name") {
  Folder folder({"aictl-foo"});
  for (const Words& flags : {Words{"-q"}, {"-o", "json"}, {"-qojson"}, {"--output=json", "-v"}}) {
    Words arguments = flags;
    arguments.insert(arguments.end(), {"foo", "a", "-o", "b"});
    const auto found = folder.find(arguments);
    REQUIRE(found);
    CHECK(found->arguments == Words{"a", "-o", "b"});
    CHECK(found->flags == flags);
  }
}

TEST_CASE("external: help of it is asked of it, where the tree has a command help") {
  Folder folder({"aictl-foo"});
  CHECK(!folder.find({"help", "foo"}));
  Command help;
  help.name = "help";
  folder.tool.root.commands.push_back(std::move(help));
  const auto found = folder.find({"help", "foo", "a"});
  REQUIRE(found);
  CHECK(found->flags == Words{"--help"});
  CHECK(found->arguments == Words{"a"});
  CHECK(!folder.find({"help", "serve"}));
  CHECK(!folder.find({"help"}));
}

TEST_CASE("external: a stray first word may be meant to be one of them") {
  Folder folder({"aictl-frobnicate"});
  const Outcome o = folder.tool({"frobnicat", "serve"});
  CHECK(o.status == 2);
  CHECK(has(o.err, "unknown command 'frobnicat'"));
  CHECK(has(o.err, "did you mean 'frobnicate'?"));
}

TEST_CASE("external: the variables of a command on PATH are its own") {
  Folder folder({"aictl-frobnicate"});
  folder.tool.variables["AICTL_FROBNICATE_KEY"] = "x";
  CHECK(folder.tool({"serve", "m"}).err == "");
}
