// The variables AICTL_*: those that no row has, because what reads them stands below the command
// line, and those that nobody reads.
#pragma once

#include <string>
#include <vector>

namespace aictl {

/// A variable that is read beside the rows.
struct Variable {
  std::string name;  // "AICTL_MODELS"
  std::string help;  // one line, no full stop
};

/// The names of the process's variables that start with AICTL_ and are not empty, sorted. Nothing
/// in the program sets any, so it is callable from any thread.
std::vector<std::string> process_variables();

/// A sentence about each of `set` that is none of `known`, with the nearest of them: a slip that
/// would otherwise do nothing without a word. What starts with one of `foreign` is somebody else's.
std::vector<std::string> unknown_variables(const std::vector<std::string>& set,
                                           const std::vector<std::string>& known,
                                           const std::vector<std::string>& foreign);

}  // namespace aictl
