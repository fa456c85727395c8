#include "core/base/file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

namespace aictl {
namespace {

Result<Fd> open_for_reading(const std::filesystem::path& path, int flags = 0) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | flags));
  if (!fd) return errno_error(path.string(), errno);
  return fd;
}

Result<void> write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("write", errno);
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = other.release();
  }
  return *this;
}

Fd::~Fd() {
  if (fd_ >= 0) ::close(fd_);
}

int Fd::release() { return std::exchange(fd_, -1); }

Result<MappedFile> MappedFile::open(const std::filesystem::path& path) {
  auto fd = open_for_reading(path, O_NONBLOCK);  // a pipe is refused below, not waited for
  if (!fd) return std::move(fd).error();
  struct stat info = {};
  if (::fstat(fd->get(), &info) != 0) return errno_error(path.string(), errno);
  if (!S_ISREG(info.st_mode))
    return Error{ErrorCode::kDataRefused, fmt::format("{} is not a regular file", path.string()),
                 ""};
  MappedFile file;
  file.size_ = static_cast<size_t>(info.st_size);
  if (file.size_ == 0) return file;
  void* data = ::mmap(nullptr, file.size_, PROT_READ, MAP_SHARED, fd->get(), 0);
  if (data == MAP_FAILED) return errno_error(fmt::format("mapping {}", path.string()), errno);
  file.data_ = static_cast<const std::byte*>(data);
  return file;
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_) ::munmap(const_cast<std::byte*>(data_), size_);
}

namespace {

void advise(const std::byte* data, size_t size, size_t offset, size_t length, int advice) {
  if (!data || offset >= size) return;
  const size_t page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  const size_t start = offset / page * page;
  const size_t end = std::min(size, offset + std::min(length, size - offset));
  ::madvise(const_cast<std::byte*>(data) + start, end - start, advice);
}

}  // namespace

void MappedFile::will_need(size_t offset, size_t length) const {
  advise(data_, size_, offset, length, MADV_WILLNEED);
}

void MappedFile::dont_need(size_t offset, size_t length) const {
  advise(data_, size_, offset, length, MADV_DONTNEED);
}

Result<std::string> read_all(int fd, size_t limit) {
  std::string text;
  char buffer[65536];
  while (true) {
    const ssize_t n = ::read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("read", errno);
    if (n == 0) return text;
    if (text.size() + static_cast<size_t>(n) > limit)
      return Error{ErrorCode::kTooLarge, fmt::format("input is over {} bytes", limit), ""};
    text.append(buffer, static_cast<size_t>(n));
  }
}

Result<std::string> read_file(const std::filesystem::path& path, size_t limit) {
  auto fd = open_for_reading(path);
  if (!fd) return std::move(fd).error();
  auto text = read_all(fd->get(), limit);
  if (!text) return std::move(text).error().within(path.string());
  return text;
}

Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view bytes) {
  std::error_code ignored;  // the open below reports what matters
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), ignored);
  std::string name = path.string() + ".XXXXXX";
  Fd fd(::mkostemp(name.data(), O_CLOEXEC));
  if (!fd) return errno_error(path.string(), errno);
  auto written = write_all(fd.get(), bytes);
  if (written && ::fchmod(fd.get(), 0644) != 0) written = errno_error("fchmod", errno);
  if (written && ::fsync(fd.get()) != 0) written = errno_error("fsync", errno);
  if (written && ::rename(name.c_str(), path.c_str()) != 0) written = errno_error("rename", errno);
  if (!written) {
    ::unlink(name.c_str());
    return std::move(written).error().within(path.string());
  }
  Fd folder(::open(path.has_parent_path() ? path.parent_path().c_str() : ".",
                   O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder) ::fsync(folder.get());  // makes the rename itself durable
  return {};
}

}  // namespace aictl
