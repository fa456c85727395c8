// Snapshot files: written beside their name, synced and renamed; read with nothing taken on trust.
// A private folder: no one else may read what users asked, or put there what we would compute with.
#pragma once

#include <filesystem>

#include "core/base/file.hpp"
#include "plugins/services/inference/kv/disk/snapshot.hpp"

namespace aictl::inference {

/// Makes `folder`, and its parents, for us alone (0700). Errors: kForbidden when it is somebody
/// else's or open to others; kIo.
Result<void> make_private_folder(const std::filesystem::path& folder);

/// A snapshot file that is open for reading.
class SnapshotFile {
 public:
  /// Opens and reads the header. Errors: kNotFound, kIo; kForbidden for a file that is not ours, is
  /// open to others or no regular file; as decode().
  static Result<SnapshotFile> open(const std::filesystem::path& path);

  const SnapshotHeader& header() const { return header_; }
  /// Reads and checks `count` blocks from `first` on, counted in this file; `out` has room for
  /// exactly these, without gaps. Errors: kIo; kDataRefused for bytes that do not match their hash.
  Result<void> read(int first, int count, std::span<std::byte> out) const;

 private:
  Fd fd_;
  SnapshotHeader header_;
};

/// Fills in the header's hashes and writes `payload`, its blocks without gaps, to `folder`/`name`
/// (0600). Errors: kIo; nothing is left behind then.
Result<void> write_snapshot(const std::filesystem::path& folder, const std::string& name,
                            SnapshotHeader& header, std::span<const std::byte> payload);

/// What a file is called that is being written.
inline constexpr std::string_view kUnfinishedPrefix = "writing-";

}  // namespace aictl::inference
