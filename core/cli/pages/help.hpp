// Help: what --help prints, and the pieces of it that errors and man pages share.
#pragma once

#include <string>
#include <vector>

#include "core/cli/command.hpp"

namespace aictl::cli {

/// "MODEL", or "PROMPT..." for a list.
std::string argument_word(const Argument& argument);

/// "aictl run MODEL [PROMPT...] [flags]"; `name` is the command with its parents.
std::string usage(const std::string& name, const Command& command);

/// "-o, --output FORMAT", "    --[no-]cache".
std::string flag_word(const Row& row);

/// The argument's help and its words; its default only when it may be left out.
std::string argument_text(const Argument& argument);

/// The row's help, its words and its default: "TCP port (default 8000)".
std::string row_text(const Row& row);

/// "aictl: ..." as --help prints it, in at most `width` columns. `globals` has the command's
/// outputs.
std::string help(const std::string& name, const Command& command, const Schema& globals,
                 size_t width);

/// What the exit statuses of core/base's error table mean to the person at the terminal.
struct ExitStatus {
  int status;
  std::string meaning;
};
const std::vector<ExitStatus>& exit_statuses();

}  // namespace aictl::cli
