// Display: what `up` shows: events for people or as lines of JSON, and what the processes print,
// each line with the name of its process before it.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/cli/context.hpp"
#include "core/value/json.hpp"

namespace aictl::platform {

/// With -o json events go to stdout and the processes' lines to stderr; else "ready" and the lines
/// go to stdout, all else to stderr. Writes on a thread of its own, so that a terminal that stands
/// still stops nobody: lines that find no room are counted and left to the log.
class Display {
 public:
  /// `names` of the processes, by index. `with_lines`: whether their lines are shown at all.
  Display(cli::Context& context, std::vector<std::string> names, bool with_lines = true);
  /// Writes what is left.
  ~Display();
  Display(const Display&) = delete;
  Display& operator=(const Display&) = delete;

  // Both are callable from one thread.
  void line(size_t process, std::string_view text);
  void event(const Json& event);

 private:
  struct Entry {
    bool to_out;
    std::string text;
  };

  std::string prefix(std::string_view name, size_t colour, bool coloured) const;
  void note(std::string_view text);
  void show_ready(const Json& urls);
  void put(Entry entry, bool may_drop);
  void write();

  cli::Context& context_;
  const std::vector<std::string> names_;
  const bool json_, with_lines_;
  size_t width_ = 0;
  bool stopping_ = false;

  std::mutex mutex_;  // guards queue_, dropped_ and closed_
  std::condition_variable filled_;
  std::deque<Entry> queue_;
  size_t dropped_ = 0;
  bool closed_ = false;
  std::jthread writer_;
};

}  // namespace aictl::platform
