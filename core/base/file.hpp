// Files: owned descriptors, read-only maps, whole reads with a bound, and writes that appear at
// once or not at all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace aictl {

/// Owns a file descriptor; closes it at the end.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd();
  int get() const { return fd_; }
  int release();
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

/// A whole file mapped read-only. The bytes may change under us if another process writes the file;
/// a file that shrinks raises SIGBUS on access, so models are opened from folders whose files are
/// replaced, not rewritten.
class MappedFile {
 public:
  /// Errors: kNotFound, kIo; kDataRefused when `path` is not a regular file.
  static Result<MappedFile> open(const std::filesystem::path& path);

  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  /// Tells the kernel that the range will be read in order soon, or will not be needed again.
  void will_need(size_t offset, size_t length) const;
  void dont_need(size_t offset, size_t length) const;

 private:
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

inline constexpr size_t kDefaultReadLimit = size_t{64} << 20;

/// The whole file as a string. Errors: kNotFound, kIo; kTooLarge above `limit` bytes.
Result<std::string> read_file(const std::filesystem::path& path, size_t limit = kDefaultReadLimit);

/// Everything up to end of file from a descriptor (a pipe, stdin). Errors: kIo; kTooLarge above
/// `limit`.
Result<std::string> read_all(int fd, size_t limit = kDefaultReadLimit);

/// Writes to a temporary name beside `path`, syncs, renames: a reader sees the old file or the new
/// one, also after a crash. Creates missing parent folders. Errors: kIo, kNotFound.
Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view bytes);

}  // namespace aictl
