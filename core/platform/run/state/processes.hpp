// The processes of this machine as /proc shows them: who descends from whom, who carries our mark,
// and signals that never hit another process that got the same number.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aictl::platform {

/// A process, for as long as the machine runs: a number is used again, number and start are not.
struct ProcessId {
  pid_t pid = 0;
  uint64_t start = 0;  // in ticks since the machine started
  bool operator==(const ProcessId&) const = default;
};

struct ProcessRow {
  ProcessId id;
  pid_t parent = 0, group = 0;
  bool zombie = false;  // has ended; its parent was not told yet
};

/// The process of that number; nullopt when there is none.
std::optional<ProcessRow> find_process(pid_t pid);
/// Whether exactly this process still runs.
bool is_running(const ProcessId& id);
std::vector<ProcessRow> all_processes();
/// The children of `pid`, their children and so on.
std::vector<ProcessRow> descendants(pid_t pid);

/// The variable by which `up` knows its processes again, whoever their parent is by then.
inline constexpr std::string_view kMark = "_AICTL_UP";
/// Its value for the process `name` of the platform whose state is in `folder`.
std::string mark_of(std::string_view name, std::string_view folder);
/// Processes that carry the mark of `folder` (and of `name`, unless that is empty), other than
/// ourselves and those we descend from. Only those whose environment we may read.
std::vector<ProcessRow> marked_processes(std::string_view folder, std::string_view name = {});

/// Sends `signal` if exactly this process still runs.
void signal_process(const ProcessId& id, int signal);
/// Asks each to end, kills what is left after `grace`, and waits until all have gone, for at most
/// two seconds more. Children of ours are not reaped, but a zombie counts as gone.
void end_processes(const std::vector<ProcessId>& ids, std::chrono::milliseconds grace);

/// Kills every process below us and reaps them, until none is left; for at most ten seconds. What
/// lost its parent is below us where we are a subreaper (prctl(2)).
void end_descendants();

/// "nginx (pid 812)", with its first words: for messages. The words are cut at 80 bytes.
std::string describe_process(pid_t pid);

/// Tells one run of the machine from another; empty when it cannot be read.
std::string boot_id();

}  // namespace aictl::platform
