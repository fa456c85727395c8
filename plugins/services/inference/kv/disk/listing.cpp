#include "plugins/services/inference/kv/disk/listing.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <tuple>

#include <fmt/format.h>

#include "plugins/services/inference/kv/disk/snapshot_file.hpp"

namespace aictl::inference {
namespace {

constexpr std::string_view kEnding = ".akv";
constexpr size_t kTagDigits = 16, kDepthDigits = 6, kHashDigits = 32;

template <typename T>
bool parse_hex(std::string_view text, T& value) {
  const auto end = text.data() + text.size();
  return std::from_chars(text.data(), end, value, 16).ptr == end;
}

// Whether it is one of ours; fills in what the name tells.
bool read_name(ListedFile& file) {
  const std::string_view name = file.name;
  if (name.starts_with(kUnfinishedPrefix)) return true;
  constexpr size_t kDepthAt = kTagDigits + 1, kHashAt = kDepthAt + kDepthDigits + 1;
  if (name.size() != kHashAt + kHashDigits + kEnding.size() || !name.ends_with(kEnding) ||
      name[kDepthAt - 1] != '-' || name[kHashAt - 1] != '-')
    return false;
  return parse_hex(name.substr(0, kTagDigits), file.tag) &&
         parse_hex(name.substr(kDepthAt, kDepthDigits), file.first_block);
}

}  // namespace

std::string snapshot_name(const Signature& signature, int first_block, const PrefixHash& last) {
  return fmt::format("{:016x}-{:06x}-{:016x}{:016x}{}", signature.tag(), first_block, last.high,
                     last.low, kEnding);
}

std::vector<ListedFile> list_snapshots(const std::filesystem::path& folder) {
  std::vector<ListedFile> files;
  const auto close = [](DIR* dir) { ::closedir(dir); };
  const std::unique_ptr<DIR, decltype(close)> dir(::opendir(folder.c_str()), close);
  if (!dir) return files;
  while (const dirent* entry = ::readdir(dir.get())) {
    ListedFile file;
    file.name = entry->d_name;
    if (!read_name(file)) continue;
    struct stat info {};
    if (::fstatat(::dirfd(dir.get()), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
    file.bytes = static_cast<uint64_t>(info.st_blocks) * 512;
    file.used = info.st_mtime;
    files.push_back(std::move(file));
  }
  return files;
}

void sort_for_eviction(std::vector<ListedFile>& files) {
  std::ranges::sort(files, [](const ListedFile& a, const ListedFile& b) {
    return std::tuple(a.used, b.first_block, a.name) < std::tuple(b.used, a.first_block, b.name);
  });
}

}  // namespace aictl::inference
