// Command: the tree of what can be typed, as data. Parsing, help, man pages and completions are all
// printed from it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/config/schema.hpp"

namespace aictl::cli {

class Context;

struct Example {
  std::string command;  // as typed: "aictl serve model.gguf"
  std::string what;     // what it does, in a few words
};

/// A positional argument. A row that binds a list takes all that is left; there is at most one, the
/// last.
struct Argument {
  Row row;
  bool required = true;
};

/// A command, or a noun that groups commands. The structs its rows bind live as long as the tree:
/// `run` keeps them alive by a shared_ptr it captures.
struct Command {
  std::string name;         // one word
  std::string summary;      // one line, no full stop
  std::string description;  // paragraphs, separated by empty lines; may be empty
  std::vector<Example> examples;
  std::vector<Argument> arguments;
  Schema options;
  std::vector<Command> commands;
  /// Does it; returns the exit status. The rows are set by then. Absent for a noun.
  std::function<Result<int>(Context&)> run;
  bool hidden = false;  // not listed in help
};

/// The names from the root down, and the commands: {"aictl", "plugin", "list"}.
struct CommandPath {
  std::vector<std::string> names;
  const Command* command;

  /// The names with `separator` between them.
  std::string text(std::string_view separator) const;
};

/// Every command below `root`, itself first, parents before children, without the hidden ones.
std::vector<CommandPath> walk(const Command& root);

/// The global flags as rows, for help and completions; parsing binds them to a Context.
Schema global_flags(Context& context);

}  // namespace aictl::cli
