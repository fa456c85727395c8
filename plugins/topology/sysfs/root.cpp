#include "plugins/topology/sysfs/root.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <climits>
#include <memory>

#include <fmt/format.h>

#include "core/base/utf8.hpp"

namespace aictl::sysfs {

Result<Root> Root::open(const std::filesystem::path& folder) {
  Fd fd(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd) {
    if (errno == ENOTDIR)
      return Error{ErrorCode::kDataRefused, fmt::format("{} is not a folder", folder.string()),
                   "unpack the capture and name the folder that holds sys and proc"};
    return errno_error(fmt::format("opening {}", folder.string()), errno);
  }
  return Root(std::move(fd), folder == "/");
}

Fd Root::open_at(const std::string& path, int flags) const {
  flags |= O_CLOEXEC;
  if ((flags & O_PATH) == 0) flags |= O_NONBLOCK | O_NOCTTY;  // openat2 takes no more with O_PATH
  if (live_) return Fd(::openat(folder_.get(), path.c_str(), flags));
  // A capture is somebody else's data: its links, absolute or with "..", end inside it.
  open_how how{};
  how.flags = uint64_t(flags);
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  const long fd = ::syscall(SYS_openat2, folder_.get(), path.c_str(), &how, sizeof how);
  if (fd < 0 && (errno == ENOSYS || errno == EPERM))  // before Linux 5.6, or filtered
    return Fd(::openat(folder_.get(), path.c_str(), flags));
  return Fd(int(fd));
}

std::optional<std::string> Root::bytes(const std::string& path, size_t limit) const {
  const Fd fd = open_at(path, O_RDONLY);
  struct stat status {};
  if (!fd || fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  std::string content;
  char block[4096];
  for (;;) {
    const ssize_t got = ::read(fd.get(), block, std::min(sizeof block, limit - content.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;  // EINVAL and EIO are how sysfs says "not now"
    if (got == 0) return content;
    content.append(block, size_t(got));
  }
}

std::optional<std::string> Root::text(const std::string& path) const {
  const auto content = bytes(path, kMaxFile + 1);
  if (!content || content->size() > kMaxFile) return std::nullopt;
  std::string clean = utf8::sanitize(trimmed(*content));
  std::replace(clean.begin(), clean.end(), '\0', ' ');
  return clean;
}

std::vector<std::string> Root::lines(const std::string& path, size_t limit) const {
  std::vector<std::string> found;
  const std::string content = bytes(path, limit).value_or("");
  for (size_t at = 0; at < content.size();) {
    const size_t end = std::min(content.find('\n', at), content.size());
    found.push_back(utf8::sanitize(std::string_view(content).substr(at, end - at)));
    at = end + 1;
  }
  return found;
}

std::optional<int64_t> Root::number(const std::string& path) const {
  const auto content = text(path);
  return content ? parse_number(*content) : std::nullopt;
}

std::optional<topology::Bitset> Root::set(const std::string& path) const {
  const auto content = text(path);
  if (!content || *content == "(null)") return std::nullopt;
  auto set = topology::Bitset::parse_list(*content);
  if (!set) return std::nullopt;
  return std::move(set).value();
}

bool Root::exists(const std::string& path) const { return bool(open_at(path, O_PATH)); }

std::vector<std::string> Root::names(const std::string& path) const {
  std::vector<std::string> found;
  Fd fd = open_at(path, O_RDONLY | O_DIRECTORY);
  if (!fd) return found;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(fdopendir(fd.get()), closedir);
  if (!folder) return found;
  (void)fd.release();  // closedir closes it
  while (const dirent* entry = readdir(folder.get())) {
    if (entry->d_name[0] != '.') found.emplace_back(entry->d_name);
    if (found.size() == kMaxNames) break;
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string Root::link(const std::string& path) const {
  const Fd fd = open_at(path, O_PATH | O_NOFOLLOW);
  char target[PATH_MAX];
  const ssize_t length = fd ? readlinkat(fd.get(), "", target, sizeof target) : -1;
  return length < 0 ? "" : std::string(target, size_t(length));
}

std::optional<int64_t> parse_number(std::string_view text) {
  text = trimmed(text);
  const bool hexadecimal = text.starts_with("0x");
  if (hexadecimal) text.remove_prefix(2);
  int64_t value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, hexadecimal ? 16 : 10);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks{" \t\r\n\0", 5};
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (size_t at = 0; (at = text.find_first_not_of(" \t", at)) != std::string_view::npos;) {
    const size_t end = std::min(text.find_first_of(" \t", at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

}  // namespace aictl::sysfs
