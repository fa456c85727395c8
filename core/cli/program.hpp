// The program: arguments in, exit status out. Parses, layers the configuration, runs the command.
#pragma once

#include <string>
#include <vector>

#include "core/cli/command.hpp"
#include "core/cli/context.hpp"

namespace aictl::cli {

/// Runs the command that `arguments` (without the program's name) choose in the tree. Prints errors
/// and help itself. `version` is what --version prints, if not -o json|yaml and the tree has a
/// command `version`: then what that prints. Returns the exit status.
int run_program(Command& root, const std::vector<std::string>& arguments, std::string_view version,
                Context& context);

/// Applies file and environment, in this order, to every command's rows below `root`: for a command
/// that shows the configuration. Errors: as apply_file and apply_environment.
Result<void> apply_layers(Command& root, const Context& context);

/// The schemas of every command below `root`.
std::vector<const Schema*> all_schemas(const Command& root);

}  // namespace aictl::cli
