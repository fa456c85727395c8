#include "core/placement/model/storage.hpp"

#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "core/base/file.hpp"

namespace aictl::placement {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxProcFile = size_t{16} << 20;
constexpr size_t kPagesAtOnce = size_t{1} << 16;

bool is_weights(const fs::path& path) {
  return path.extension() == ".gguf" || path.extension() == ".safetensors";
}

Result<std::vector<fs::path>> weight_files(const fs::path& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return std::vector<fs::path>{path};
  std::vector<fs::path> files;
  for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error))
    if (is_weights(at->path())) files.push_back(at->path());
  if (error) return errno_error(path.string(), error.value());
  if (files.empty())
    return Error{ErrorCode::kInvalidArgument, fmt::format("{} holds no weights", path.string()),
                 "name a folder with .gguf or .safetensors files"};
  return files;
}

// Bytes of the file in the page cache. The kernel calls all pages present of a file that is
// neither ours nor writable for us, so of such a one nothing is known.
uint64_t cached_bytes(const fs::path& path, const struct stat& status) {
  if (status.st_size <= 0) return 0;
  if (status.st_uid != geteuid() && access(path.c_str(), W_OK) != 0) return 0;
  const auto file = MappedFile::open(path);
  if (!file) return 0;
  const size_t page = size_t(sysconf(_SC_PAGESIZE)), size = file->bytes().size();
  std::vector<unsigned char> present(kPagesAtOnce);
  uint64_t pages = 0;
  for (size_t at = 0; at < size; at += kPagesAtOnce * page) {
    void* start = const_cast<std::byte*>(file->bytes().data() + at);
    const size_t part = std::min(size - at, kPagesAtOnce * page);
    if (mincore(start, part, present.data()) != 0) return 0;
    pages +=
        uint64_t(std::count_if(present.begin(), present.begin() + long((part + page - 1) / page),
                               [](unsigned char bits) { return (bits & 1) != 0; }));
  }
  return std::min(uint64_t(size), pages * page);
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  for (size_t at = 0; at < line.size();) {
    const size_t end = std::min(line.find(' ', at), line.size());
    if (end > at) words.push_back(line.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

/// The file system of the device number, by mountinfo: "36 35 98:0 / /mnt rw - ext4 /dev/sda1 rw".
std::string filesystem_of(dev_t device, const fs::path& root) {
  const auto table = read_file(root / "proc/self/mountinfo", kMaxProcFile);
  if (!table) return "";
  const std::string wanted = fmt::format("{}:{}", major(device), minor(device));
  for (std::string_view rest = *table; !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const auto words = words_of(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const auto dash = std::find(words.begin(), words.end(), "-");
    if (words.size() > 3 && words[2] == wanted && words.end() - dash > 1)
      return std::string(dash[1]);
  }
  return "";
}

/// The disk behind a device number and its NUMA node, by where /sys/dev/block points.
void find_disk(dev_t device, const fs::path& root, Storage& storage) {
  std::error_code error;
  fs::path at =
      fs::canonical(root / fmt::format("sys/dev/block/{}:{}", major(device), minor(device)), error);
  if (error) return;
  if (fs::exists(at / "partition", error)) at = at.parent_path();
  storage.device = at.filename();
  for (; at.has_relative_path() && at.filename() != "devices"; at = at.parent_path()) {
    const auto text = read_file(at / "numa_node", 64);
    if (!text) continue;
    int node = -1;
    std::from_chars(text->data(), text->data() + text->size(), node);
    if (node >= 0) storage.node = node;
    return;
  }
}

}  // namespace

Result<Storage> find_storage(const fs::path& path, const fs::path& root) {
  auto files = weight_files(path);
  if (!files) return std::move(files).error();
  Storage storage;
  struct stat status = {};
  for (const fs::path& file : *files) {
    if (stat(file.c_str(), &status) != 0) return errno_error(file.string(), errno);
    storage.bytes += uint64_t(std::max<off_t>(status.st_size, 0));
    storage.cached += cached_bytes(file, status);
  }
  storage.filesystem = filesystem_of(status.st_dev, root);
  find_disk(status.st_dev, root, storage);
  return storage;
}

bool is_network(std::string_view filesystem) {
  for (const std::string_view name :
       {"nfs", "cifs", "smb", "ceph", "lustre", "gpfs", "beegfs", "glusterfs", "afs", "9p",
        "virtiofs", "fuse.sshfs", "fuse.s3fs", "fuse.gcsfuse", "fuse.juicefs", "fuse.goofys",
        "fuse.rclone"})
    if (filesystem.starts_with(name)) return true;
  return false;
}

}  // namespace aictl::placement
