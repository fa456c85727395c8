// Parsing: arguments against the command tree. The words of flags are set later, when file and
// environment have been applied.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/cli/command.hpp"
#include "core/config/layers.hpp"

namespace aictl::cli {

/// A flag or argument that was given, and its words in the order they came.
struct Given {
  Row* row;
  std::vector<std::string> words;
  bool is_argument;  // positional: its words are taken as they are
};

struct Parsed {
  std::vector<Command*> path;  // root first; the last one is to run
  std::vector<Given> flags, arguments, globals;

  Command& command() const { return *path.back(); }
  /// "aictl plugin list"
  std::string name() const;
};

/// What stands after a word "--" is an argument, whatever it looks like. Errors: kInvalidArgument
/// for an unknown command or flag, with the nearest one (also of the executables on `env`'s PATH);
/// for a flag without its value; for too many arguments. Missing arguments are left to
/// require_arguments, since --help needs none.
Result<Parsed> parse(Command& root, Schema& globals, const std::vector<std::string>& arguments,
                     const Environment& env);

/// Whether `word` has the shape of a flag: "-q", "--quiet"; "-" and "--" have not.
bool is_flag(std::string_view word);

/// The index of the word after the flag at `at` and its value, if it is one of `known` that takes
/// one.
size_t after_flag(const std::vector<std::string>& words, size_t at,
                  const std::vector<const Schema*>& known);

/// Errors: kInvalidArgument when a required argument is missing or the command is a noun.
Result<void> require_arguments(const Parsed& parsed);

/// Sets the rows of `given` to their words. Errors: kInvalidArgument.
Result<void> apply_given(const std::vector<Given>& given);

}  // namespace aictl::cli
