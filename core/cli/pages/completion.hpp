// Completion scripts for shells, printed from the command tree: commands, flags, the words of a
// choice, files.
#pragma once

#include <string>
#include <vector>

#include "core/cli/command.hpp"

namespace aictl::cli {

std::string bash_completion(const Command& root, const Schema& globals);
std::string zsh_completion(const Command& root, const Schema& globals);
std::string fish_completion(const Command& root, const Schema& globals);

/// The words of a command's flags: "--output", "-o", "--cache", "--no-cache".
std::vector<std::string> flag_words(const Row& row);

/// `text` in single quotes, for any of the three shells' scripts.
std::string shell_quoted(std::string_view text);

}  // namespace aictl::cli
