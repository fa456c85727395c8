// What `ps`, `logs` and `down` do: they look at a platform that is up through its state folder, and
// tell its supervisor to stop.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/cli/context.hpp"
#include "core/platform/run/state/journal.hpp"
#include "core/platform/run/state/state_folder.hpp"

namespace aictl::platform {

/// A state folder with what its journal says, compared with what runs.
struct Standing {
  StateFolder folder;
  Journal journal;
  bool supervised = false;  // else its `up` was killed, and what runs is left over
};

/// Every platform below `root` that has a journal, by name; none when there is no such folder.
std::vector<Standing> all_standing(const std::filesystem::path& root);
/// The one of `folder`. Errors: kNotFound when nothing is up there.
Result<Standing> standing_of(const StateFolder& folder);

/// One object a platform, with its workloads; a process that is gone has the status "gone", and one
/// without a supervisor "orphaned".
Json standing_json(const std::vector<Standing>& all);
/// `standing_json` as a table for people: `now` in seconds since the epoch.
void print_standing(const Json& all, int64_t now, std::ostream& out);

struct LogOptions {
  int64_t tail = -1;  // lines; negative: all
  bool follow = false;
};

/// Prints the log of process `name`. With `follow` until the platform has stopped, or SIGINT or
/// SIGTERM. Errors: kNotFound with the nearest name.
Result<int> print_log(const StateFolder& folder, const std::string& name, const LogOptions& options,
                      cli::Context& context);

/// Asks the supervisor to stop everything, and waits until it has; past what the processes may take
/// (or `limit`, when it is not 0), and with `at_once` at once, everything is killed. What a killed
/// `up` has left is stopped and removed. Errors: kDeadlineExceeded.
Result<int> down(StateFolder folder, std::chrono::seconds limit, bool at_once,
                 cli::Context& context);

}  // namespace aictl::platform
