// A small program with a command, a noun with a verb, and everything a row can be, run as a user
// would: arguments in; stdout, stderr and status out.
#pragma once

#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "core/cli/context.hpp"
#include "core/cli/program.hpp"

namespace aictl::cli {

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
    for (const auto& [name, value] : variables)
      if (name.starts_with("AICTL_")) context.variables.push_back(name);
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

inline bool has(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

}  // namespace aictl::cli
