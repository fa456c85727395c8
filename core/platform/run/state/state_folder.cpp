#include "core/platform/run/state/state_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <sstream>
#include <thread>

#include <fmt/format.h>

namespace aictl::platform {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::seconds kCleaningUp{15};

// A lock of the open file, not of the process: forks share it, and asking for it does not take it.
struct flock whole_file() {
  struct flock range = {};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  return range;
}

}  // namespace

Result<fs::path> state_root(const Environment& environment) {
  if (auto state = environment("XDG_STATE_HOME"); state && state->starts_with('/'))
    return fs::path(*state) / "aictl";
  if (auto home = environment("HOME"); home && !home->empty())
    return fs::path(*home) / ".local/state/aictl";
  return Error{ErrorCode::kUnavailable, "there is no place for state: HOME is not set",
               "name one: --state DIR"};
}

Result<StateFolder> StateFolder::make(const fs::path& path) {
  std::error_code error;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), error);
  // Logs and configuration may tell what is nobody else's business.
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return errno_error(fmt::format("state folder {}", path.string()), errno);
  struct stat info = {};
  if (::stat(path.c_str(), &info) != 0)
    return errno_error(fmt::format("state folder {}", path.string()), errno);
  if (!S_ISDIR(info.st_mode))
    return Error{ErrorCode::kInvalidArgument, fmt::format("{} is not a folder", path.string()),
                 "name another: --state DIR"};
  if (info.st_uid != ::geteuid())
    return Error{ErrorCode::kForbidden,
                 fmt::format("state folder {} belongs to user {}", path.string(), info.st_uid),
                 "name one of your own: --state DIR"};
  StateFolder folder(fs::canonical(path, error));
  if (error) return errno_error(fmt::format("state folder {}", path.string()), error.value());
  for (const char* part : {"logs", "state"}) fs::create_directories(folder.path_ / part, error);
  if (error) return errno_error(fmt::format("state folder {}", path.string()), error.value());
  return folder;
}

fs::path StateFolder::log(std::string_view name) const {
  return path_ / "logs" / fmt::format("{}.log", name);
}

fs::path StateFolder::mount(std::string_view kind, std::string_view workload,
                            std::string_view name) const {
  return path_ / kind / workload / name;
}

Result<void> StateFolder::lock() {
  const fs::path file = path_ / "lock";
  Fd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) return errno_error(file.string(), errno);
  // Whose keeper was killed holds the lock a little longer, until it has ended what it started.
  const auto end = std::chrono::steady_clock::now() + kCleaningUp;
  for (struct flock range = whole_file(); ::fcntl(fd.get(), F_OFD_SETLK, &range) != 0;) {
    if (errno != EAGAIN && errno != EACCES)
      return errno_error(fmt::format("locking {}", file.string()), errno);
    const auto who = locker();
    if (who && !is_running(*who) && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      continue;
    }
    return Error{
        ErrorCode::kConflict,
        fmt::format("this platform is up already: {}",
                    who ? describe_process(who->pid) : "by a process that just started"),
        fmt::format("see it: aictl ps; stop it: aictl down; a second one beside it: --state "
                    "DIR (now {})",
                    path_.string())};
  }
  lock_ = std::move(fd);
  return {};
}

bool StateFolder::is_locked() const {
  Fd fd(::open((path_ / "lock").c_str(), O_RDWR | O_CLOEXEC));
  struct flock range = whole_file();
  return fd && ::fcntl(fd.get(), F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK;
}

std::optional<ProcessId> StateFolder::locker() const {
  auto text = read_file(path_ / "lock", 256);
  if (!text) return std::nullopt;
  std::istringstream words(*text);
  ProcessId id;
  if (!(words >> id.pid >> id.start) || id.pid <= 0) return std::nullopt;
  return id;
}

void StateFolder::set_locker(const ProcessId& who) const {
  const std::string text = fmt::format("{} {}\n", who.pid, who.start);
  // In place: the lock is on this file. A reader that sees half of it takes it for none.
  if (::ftruncate(lock_.get(), 0) == 0) [[maybe_unused]]
    const ssize_t n = ::pwrite(lock_.get(), text.data(), text.size(), 0);
}

void StateFolder::remove_leftovers() const {
  std::error_code ignored;
  fs::remove_all(path_ / "scratch", ignored);
  fs::remove_all(path_ / "config", ignored);
  fs::remove_all(path_ / "models", ignored);
  std::vector<fs::path> half_written;
  for (const auto& entry : fs::directory_iterator(path_, ignored))
    if (entry.path().filename().string().starts_with("journal.json."))
      half_written.push_back(entry.path());
  for (const fs::path& file : half_written) fs::remove(file, ignored);
}

}  // namespace aictl::platform
