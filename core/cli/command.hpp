// Command: the tree of what can be typed, as data. Parsing, help, man pages and completions are all
// printed from it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/config/schema.hpp"
#include "core/config/variables.hpp"

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

/// A word of -o that one command understands beside table, json, yaml and text.
struct Output {
  std::string word;  // "svg"
  std::string help;  // one line, no full stop
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
  std::vector<Output> outputs;    // its own words of -o; the first is what no -o prints
  std::string output_place = {};  // not empty: -o also takes a file or folder, called this in help
  std::vector<Command> commands;
  std::vector<Variable> variables;  // of the root: what the program reads beside the rows
  /// Does it; returns the exit status. The rows are set by then. Absent for a noun.
  std::function<Result<int>(Context&)> run;
  bool hidden = false;                    // not listed in help
  std::vector<std::string> aliases = {};  // other names by which it is found
  bool configured = true;  // reads file and variables first; without, it works whatever they hold

  /// The command of this name one step down; nullptr without one.
  const Command* below(std::string_view name) const;
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

/// Makes the row of -o in `globals` take the words of `command`, too, and sets it to their first.
void offer_outputs(Schema& globals, const Command& command);

}  // namespace aictl::cli
