// StateFolder: the one directory where what `up` knows of a platform lives: its lock, its journal,
// logs, and the folders of its mounts.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/file.hpp"
#include "core/base/result.hpp"
#include "core/config/layers.hpp"
#include "core/platform/run/state/processes.hpp"

namespace aictl::platform {

/// Where the folders of all platforms are: $XDG_STATE_HOME/aictl, or ~/.local/state/aictl. Errors:
/// kUnavailable when neither variable is set.
Result<std::filesystem::path> state_root(const Environment& environment);

class StateFolder {
 public:
  /// Makes `path` (0700) when it is not there. Errors: kIo, kForbidden when it is not ours.
  static Result<StateFolder> make(const std::filesystem::path& path);
  /// Of something that was made before; touches nothing.
  explicit StateFolder(std::filesystem::path path) : path_(std::move(path)) {}

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path journal() const { return path_ / "journal.json"; }
  std::filesystem::path log(std::string_view name) const;
  std::filesystem::path mount(std::string_view kind, std::string_view workload,
                              std::string_view name) const;
  /// Takes the lock, which this process and its forks hold until the last of them ends. Errors:
  /// kConflict naming who has it.
  Result<void> lock();
  /// Whether somebody holds the lock now; never waits.
  bool is_locked() const;
  /// Who took the lock last; it may have ended since.
  std::optional<ProcessId> locker() const;
  /// Writes down that `who` holds the lock.
  void set_locker(const ProcessId& who) const;

  /// Removes what is of one run only: scratch folders, written configuration, files half written.
  void remove_leftovers() const;

 private:
  std::filesystem::path path_;  // canonical
  Fd lock_;
};

}  // namespace aictl::platform
