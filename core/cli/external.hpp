// Commands from outside: an executable aictl-foo on PATH is `aictl foo`, aictl-foo-bar is
// `aictl foo bar`. The longest name is tried first; what is built in always wins.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/cli/command.hpp"
#include "core/cli/context.hpp"

namespace aictl::cli {

struct External {
  std::string path;                    // of the executable
  std::vector<std::string> arguments;  // what follows the words that are its name
  std::vector<std::string> flags;  // what stood before it: ours; --help and --version go on to it
};

/// The executable that `arguments` name after global flags and perhaps `help`; nullopt when they
/// name none, or something built in.
std::optional<External> find_external(const Command& root, const Schema& globals,
                                      const std::vector<std::string>& arguments,
                                      const Environment& env);

/// Becomes the executable; returns an exit status only when that fails or its flags are refused.
int run_external(Command& root, const External& external, Context& context);

struct ExternalRow {
  std::string command;       // "foo bar"
  std::string path;          // of the executable
  std::string overruled_by;  // why it cannot be reached: "aictl version", or an earlier path

  /// What the names of its own variables start with: "AICTL_FOO_".
  std::string variable_prefix() const;
};

/// Every executable aictl-* on PATH, in the order of PATH and then by name.
std::vector<ExternalRow> list_externals(const Command& root, const Environment& env);

}  // namespace aictl::cli
