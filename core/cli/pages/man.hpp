// Man pages in roff, printed from the command tree.
#pragma once

#include <string>

#include "core/cli/command.hpp"

namespace aictl::cli {

/// The page of one command. `version` stands in the footer. The root's page also has the exit
/// statuses, the environment and the files.
std::string man_page(const CommandPath& path, const Schema& globals, std::string_view version);

/// "plugin-list"; empty for the program itself.
std::string page_name(const CommandPath& path);

/// "aictl-plugin-list.1"
std::string man_file_name(const CommandPath& path);

}  // namespace aictl::cli
