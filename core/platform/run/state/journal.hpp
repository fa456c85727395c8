// Journal: what runs of a platform, on disk: one file that is replaced whole, so that a reader, and
// the next `up` after this one was killed, see one state or the next and nothing between.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.hpp"
#include "core/platform/run/state/processes.hpp"
#include "core/platform/run/state/state_folder.hpp"
#include "core/value/json.hpp"

namespace aictl::platform {

struct JournalRow {
  std::string name;    // of the process; with -N when its workload has several
  std::string status;  // a word of status_name
  ProcessId process;   // pid 0: none runs
  std::vector<std::string> argv;
  std::vector<std::pair<std::string, int>> ports;
  std::string url, log, ended;  // of the last that ended: "exit status 1"
  int restarts = 0, shutdown_seconds = 0;
  int64_t since = 0;  // it has had this status; seconds since the epoch
};

struct Journal {
  std::string platform, file, digest, boot;
  ProcessId supervisor;  // the one to signal
  int64_t since = 0;
  bool stopping = false;
  std::vector<JournalRow> rows;
};

Json journal_json(const Journal& journal);
/// Errors: kDataRefused when it is not a journal.
Result<Journal> parse_journal(std::string_view text);

/// Errors: kNotFound when nothing was ever up here; kDataRefused.
Result<Journal> read_journal(const StateFolder& folder);
Result<void> write_journal(const StateFolder& folder, const Journal& journal);

/// What an earlier `up` that was killed has left behind, stopped and removed: processes that carry
/// the folder's mark, or are those of the journal (number, start and machine run agree). Needs the
/// lock. Returns who was stopped, described.
std::vector<std::string> repair(const StateFolder& folder);

}  // namespace aictl::platform
