// Context: what a running command may touch: its streams, what is known of the terminal, the global
// flags and the configuration. stdout takes the result and nothing else; stderr takes the rest.
#pragma once

#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/config/layers.hpp"
#include "core/value/json.hpp"

namespace aictl::cli {

struct Command;
class Table;

/// The streams, and what is at their other end. Plain data, so that tests make their own.
struct Streams {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool in_is_terminal = false, out_is_terminal = false, err_is_terminal = false;
  int width = 80;   // columns of the terminal
  int out_fd = -1;  // of `out`, when it is the process's own

  /// The process's own: isatty decides, the terminal tells its width.
  static Streams of_process();
};

struct GlobalFlags {
  std::string output = "table";  // table, json, yaml, text, or one of the command's own words
  std::string config;
  bool quiet = false, no_color = false, help = false, version = false;
  bool verbose = false;
};

class Context {
 public:
  Context(Streams streams, Environment environment);

  std::istream& in() { return streams_.in; }
  std::ostream& out() { return streams_.out; }
  std::ostream& err() { return streams_.err; }
  const Streams& streams() const { return streams_; }
  const Environment& environment() const { return environment_; }

  GlobalFlags flags;
  /// The names of the variables AICTL_* that are set; main fills it.
  std::vector<std::string> variables;
  /// The file that was read, once the flags are parsed.
  std::optional<ConfigFile> config;
  /// The root of the tree that is running; set by run_program.
  Command* root = nullptr;

  /// Whether stdout, or stderr, takes colour: a terminal, and none of NO_COLOR, TERM=dumb,
  /// --no-color.
  bool colors_out() const { return streams_.out_is_terminal && colors_allowed(); }
  bool colors_err() const { return streams_.err_is_terminal && colors_allowed(); }

  /// Whether stdout is a pipe whose reader has left, as `| head` does.
  bool reader_gone() const;

  /// Whether -o asks for the tree of a result: json or yaml.
  bool wants_tree() const { return flags.output == "json" || flags.output == "yaml"; }
  /// Prints a command's result: `tree` for -o json|yaml, else what `as_table` writes to out().
  void print_result(const Json& tree, const std::function<void(std::ostream&)>& as_table);
  /// Prints `tree` as one line of JSON and flushes: for events, whatever -o says.
  void print_line(const Json& tree);
  /// "error: <message>" on stderr, the hint indented below.
  void print_error(const Error& error);
  /// "warning: <message>" on stderr, unless -q.
  void warn(std::string_view message);
  /// A line for people on stderr, unless -q; `detail` only with -v.
  void note(std::string_view message);
  void detail(std::string_view message);

 private:
  bool colors_allowed() const;

  Streams streams_;
  Environment environment_;
};

}  // namespace aictl::cli
