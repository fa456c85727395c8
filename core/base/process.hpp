// Process: another program as a child: its words, its environment, its output through pipes, and
// the group of processes it leads.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/file.hpp"
#include "core/base/result.hpp"

namespace aictl {

struct ProcessOptions {
  std::string program;                   // the path of the file that runs
  std::vector<std::string> argv;         // its words, its own name first
  std::vector<std::string> environment;  // "NAME=value", all there is
  std::string folder;                    // it starts in; empty: ours
  int death_signal = SIGKILL;            // what it gets when the thread that spawned it ends
};

/// How a process ended: an exit code, or the signal that killed it.
struct ExitStatus {
  int code = 0, signal = 0;
  bool ok() const { return code == 0 && signal == 0; }
  /// "exit status 1", "killed by signal 9 (Killed)".
  std::string text() const;
  /// From what waitpid filled in.
  static ExitStatus of_wait(int status);
};

/// A child that leads a process group of its own. stdin is /dev/null; what it writes comes through
/// two pipes; it has no other descriptor of ours, no blocked and no ignored signal. The object owns
/// the pipes, not the life of the process: who spawned it reaps it.
struct Process {
  pid_t pid = 0;      // and of its group
  Fd output, errors;  // the reading ends, non-blocking

  /// Returns once the program runs. Errors: kNotFound, kForbidden or kIo naming the program (or the
  /// folder) when it cannot be started. The child gets `death_signal` even if the parent ends
  /// before it could ask for that.
  static Result<Process> spawn(const ProcessOptions& options);
};

/// The absolute path of the program called `name`: itself if it has a slash (against `folder` when relative),
/// else the first executable of that name in `path` ("/usr/bin:/bin"). Empty when there is none.
std::string find_program(std::string_view name, std::string_view path, std::string_view folder);

/// Cuts what comes from a pipe into lines. A longer line than `limit` bytes comes in pieces.
class LineCutter {
 public:
  using OnLine = std::function<void(std::string_view line)>;
  explicit LineCutter(size_t limit = 16384) : limit_(limit) {}

  /// Calls `on_line` for each line that is complete, without its end ("\n" or "\r\n").
  void feed(std::string_view bytes, const OnLine& on_line);
  /// Calls it for what is left after the last end of line, if anything.
  void finish(const OnLine& on_line);

 private:
  size_t limit_;
  std::string partial_;
};

}  // namespace aictl
