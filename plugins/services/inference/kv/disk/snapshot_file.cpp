#include "plugins/services/inference/kv/disk/snapshot_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <cerrno>

#include <fmt/format.h>

#include "core/base/check.hpp"

namespace aictl::inference {
namespace {

Result<void> check_ours(const struct stat& info) {
  if (info.st_uid != ::geteuid())
    return Error{ErrorCode::kForbidden, fmt::format("it belongs to user {}", info.st_uid), ""};
  if ((info.st_mode & 077) != 0)
    return Error{ErrorCode::kForbidden,
                 fmt::format("its mode {:03o} lets others in", info.st_mode & 0777), ""};
  return {};
}

Result<void> read_at(int fd, std::span<std::byte> out, uint64_t offset) {
  while (!out.empty()) {
    const ssize_t n = ::pread(fd, out.data(), out.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("reading", errno);
    if (n == 0) return Error{ErrorCode::kDataRefused, "the file ends too early", ""};
    out = out.subspan(static_cast<size_t>(n));
    offset += static_cast<uint64_t>(n);
  }
  return {};
}

Result<void> write_at(int fd, std::span<const std::byte> bytes, uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("writing", errno);
    bytes = bytes.subspan(static_cast<size_t>(n));
    offset += static_cast<uint64_t>(n);
  }
  return {};
}

Result<void> write_all_of(int fd, const SnapshotHeader& header,
                          std::span<const std::byte> payload) {
  const std::string head = encode(header);
  if (auto ok = write_at(fd, std::as_bytes(std::span(head)), 0); !ok) return ok;
  const size_t bytes = header.signature.block_bytes;
  for (int i = 0; i < header.blocks(); ++i)
    if (auto ok =
            write_at(fd, payload.subspan(static_cast<size_t>(i) * bytes, bytes), header.offset(i));
        !ok)
      return ok;
  if (::ftruncate(fd, static_cast<off_t>(header.file_bytes())) != 0)  // the last block's zeros
    return errno_error("writing", errno);
  if (::fsync(fd) != 0) return errno_error("syncing", errno);
  return {};
}

}  // namespace

Result<void> make_private_folder(const std::filesystem::path& folder) {
  std::error_code failed;
  if (folder.has_parent_path()) std::filesystem::create_directories(folder.parent_path(), failed);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return errno_error(folder.string(), errno);
  struct stat info {};
  if (::stat(folder.c_str(), &info) != 0) return errno_error(folder.string(), errno);
  if (!S_ISDIR(info.st_mode))
    return Error{ErrorCode::kIo, fmt::format("{}: not a folder", folder.string()),
                 "name a folder of its own"};
  if (auto ours = check_ours(info); !ours) {
    Error error = std::move(ours).error().within(folder.string());
    error.hint = "it holds what users asked: name a folder that is yours alone (chmod 700)";
    return error;
  }
  if (::access(folder.c_str(), R_OK | W_OK | X_OK) != 0) return errno_error(folder.string(), errno);
  return {};
}

Result<SnapshotFile> SnapshotFile::open(const std::filesystem::path& path) {
  SnapshotFile file;
  // Not blocking: what is no regular file must not hold us up before it is refused.
  file.fd_ = Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file.fd_) {
    if (errno == ELOOP) return Error{ErrorCode::kForbidden, "it is a symbolic link", ""};
    return errno_error("opening", errno);
  }
  struct stat info {};
  if (::fstat(file.fd_.get(), &info) != 0) return errno_error("fstat", errno);
  if (!S_ISREG(info.st_mode)) return Error{ErrorCode::kForbidden, "it is not a regular file", ""};
  if (auto ours = check_ours(info); !ours) return std::move(ours).error();
  std::vector<std::byte> bytes(kSnapshotFixedBytes);
  if (auto ok = read_at(file.fd_.get(), bytes, 0); !ok) return std::move(ok).error();
  const auto length = header_length(bytes);
  if (!length) return Error(length.error());
  if (*length > static_cast<uint64_t>(info.st_size))  // before memory is taken for it
    return Error{ErrorCode::kDataRefused,
                 fmt::format("{} bytes of a header of {}", info.st_size, *length), ""};
  bytes.resize(*length);
  if (auto ok = read_at(file.fd_.get(), bytes, 0); !ok) return std::move(ok).error();
  auto header = decode(bytes, static_cast<uint64_t>(info.st_size));
  if (!header) return std::move(header).error();
  file.header_ = std::move(*header);
  return file;
}

Result<void> SnapshotFile::read(int first, int count, std::span<std::byte> out) const {
  const size_t bytes = header_.signature.block_bytes;
  CHECK(first >= 0 && count >= 0 && first + count <= header_.blocks());
  CHECK(out.size() == static_cast<size_t>(count) * bytes);
  for (int i = 0; i < count; ++i) {
    const auto block = out.subspan(static_cast<size_t>(i) * bytes, bytes);
    if (auto ok = read_at(fd_.get(), block, header_.offset(first + i)); !ok) return ok;
    if (XXH3_64bits(block.data(), bytes) != header_.hashes[static_cast<size_t>(first + i)])
      return Error{ErrorCode::kDataRefused,
                   fmt::format("block {} does not match its hash", first + i), ""};
  }
  return {};
}

Result<void> write_snapshot(const std::filesystem::path& folder, const std::string& name,
                            SnapshotHeader& header, std::span<const std::byte> payload) {
  const size_t bytes = header.signature.block_bytes;
  CHECK(payload.size() == header.hashes.size() * bytes);
  for (size_t i = 0; i < header.hashes.size(); ++i)
    header.hashes[i] = XXH3_64bits(payload.data() + i * bytes, bytes);
  std::string unfinished = (folder / (std::string(kUnfinishedPrefix) + "XXXXXX")).string();
  Fd fd(::mkostemp(unfinished.data(), O_CLOEXEC));  // 0600
  if (!fd) return errno_error("creating", errno);
  auto written = write_all_of(fd.get(), header, payload);
  if (written && ::rename(unfinished.c_str(), (folder / name).c_str()) != 0)
    written = errno_error("renaming", errno);
  // The folder is not synced: a name that a crash of the machine takes is a file less in a cache.
  if (!written) ::unlink(unfinished.c_str());
  return written;
}

}  // namespace aictl::inference
