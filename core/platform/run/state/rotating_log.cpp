#include "core/platform/run/state/rotating_log.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include <fmt/format.h>

namespace aictl::platform {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostRead = size_t{1} << 30;

fs::path older(const fs::path& path, int n) {
  return n == 0 ? path : fs::path(fmt::format("{}.{}", path.string(), n));
}

// Where the text has to be cut to leave its last `lines` lines; 0 when it has no more than those.
// `lines` becomes what is still missing.
size_t tail_start(std::string_view text, int64_t& lines) {
  size_t at = text.size();
  while (at > 0) {
    const size_t end = at - 1;  // of the line before `at`
    const size_t before = end == 0 ? text.npos : text.rfind('\n', end - 1);
    if (lines == 0) return at;
    --lines;
    at = before == text.npos ? 0 : before + 1;
  }
  return 0;
}

}  // namespace

Result<RotatingLog> RotatingLog::open(fs::path path, uint64_t cap, int kept) {
  RotatingLog log(std::move(path), cap, kept);
  log.fd_ = Fd(::open(log.path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  struct stat info = {};
  if (!log.fd_ || ::fstat(log.fd_.get(), &info) != 0) return errno_error(log.path_.string(), errno);
  log.size_ = static_cast<uint64_t>(info.st_size);
  return log;
}

void RotatingLog::rotate() {
  std::error_code ignored;
  for (int n = kept_; n > 0; --n) fs::rename(older(path_, n - 1), older(path_, n), ignored);
  if (kept_ == 0) fs::remove(path_, ignored);
  Fd next(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!next) return;  // the old file goes on growing rather than lose lines
  fd_ = std::move(next);
  size_ = 0;
}

void RotatingLog::write(std::string_view line) {
  if (size_ > 0 && size_ + line.size() + 1 > cap_) rotate();
  std::string text(line);
  text += '\n';
  // O_APPEND and one call: a reader sees whole lines.
  const ssize_t written = ::write(fd_.get(), text.data(), text.size());
  if (written > 0) size_ += static_cast<uint64_t>(written);
}

Result<LogReader> LogReader::open(fs::path path) {
  LogReader reader(std::move(path));
  reader.fd_ = Fd(::open(reader.path_.c_str(), O_RDONLY | O_CLOEXEC));
  if (!reader.fd_) return errno_error(reader.path_.string(), errno);
  return reader;
}

Result<std::string> LogReader::tail(int64_t lines) {
  const bool all = lines < 0;
  std::string text;
  for (int n = 0; n < 100 && (n == 0 || all || lines > 0); ++n) {
    // The newest is read to where more() goes on.
    auto part = n == 0 ? read_all(fd_.get(), kMostRead) : read_file(older(path_, n), kMostRead);
    if (!part && n == 0) return std::move(part).error().within(path_.string());
    if (!part) break;
    text.insert(0, all ? *part : part->substr(tail_start(*part, lines)));
  }
  return text;
}

std::string LogReader::more() {
  std::string text;
  while (true) {
    if (fd_)
      if (auto part = read_all(fd_.get())) text += *part;
    struct stat held = {}, named = {};
    if (::stat(path_.c_str(), &named) != 0) return text;
    if (fd_ && ::fstat(fd_.get(), &held) == 0 && held.st_ino == named.st_ino) return text;
    // Another file has the name now. What was written to the old one meanwhile came above, because
    // it is renamed before the new one exists.
    Fd next(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    if (!next) return text;
    if (fd_)
      if (auto part = read_all(fd_.get())) text += *part;
    fd_ = std::move(next);
  }
}

}  // namespace aictl::platform
