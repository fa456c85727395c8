#include "plugins/services/inference/kv/disk/store.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include <fmt/format.h>

#include "core/base/check.hpp"
#include "core/base/units.hpp"
#include "core/telemetry/log.hpp"
#include "plugins/services/inference/kv/disk/listing.hpp"

namespace aictl::inference {
namespace {

constexpr Duration kPause = std::chrono::seconds(10);  // after a write that failed
constexpr uint64_t kListEvery = 64;                    // files: other processes write here too

// The counter a failure goes to, and its word.
std::pair<uint64_t DiskCacheStats::*, std::string_view> column(ErrorCode code) {
  switch (code) {
    case ErrorCode::kDataRefused:
      return {&DiskCacheStats::damaged, "damaged"};
    case ErrorCode::kUnsupported:
    case ErrorCode::kConflict:
      return {&DiskCacheStats::foreign, "foreign"};
    case ErrorCode::kForbidden:
      return {&DiskCacheStats::unsafe, "unsafe"};
    case ErrorCode::kNotFound:
      return {&DiskCacheStats::gone, "gone"};
    default:
      return {&DiskCacheStats::unreadable, "unreadable"};
  }
}

}  // namespace

Prefix Prefix::of(Salt salt, std::span<const int32_t> tokens) {
  const auto whole = tokens.first(tokens.size() / kKvBlockTokens * kKvBlockTokens);
  return {salt, {whole.begin(), whole.end()}, chain_from(salt_hash(salt), whole)};
}

DiskStore::DiskStore(DiskCacheOptions options, const Signature& signature, const Clock& clock)
    : options_(std::move(options)), signature_(signature), clock_(clock) {
  stats_.on = true;
}

Result<std::unique_ptr<DiskStore>> DiskStore::open(DiskCacheOptions options,
                                                   const Signature& signature, const Clock& clock) {
  if (options.cap < signature.block_bytes)
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("a KV cache of {} on disk holds not one block of {}",
                             format_bytes(options.cap), format_bytes(signature.block_bytes)),
                 "a larger --kv-cache-size, or --kv-cache-dir off"};
  if (auto ok = make_private_folder(options.folder); !ok) return std::move(ok).error();
  return std::unique_ptr<DiskStore>(new DiskStore(std::move(options), signature, clock));
}

void DiskStore::scan(std::stop_token stop) {
  const int64_t now = clock_.unix_seconds();
  const uint64_t tag = signature_.tag();
  for (const ListedFile& file : list_snapshots(options_.folder)) {
    if (stop.stop_requested()) break;
    if (file.tag == 0 && file.used + kAbandonedAfter < now) {
      ::unlink((options_.folder / file.name).c_str());
      continue;
    }
    {
      std::lock_guard lock(mutex_);
      ++stats_.files;
      stats_.bytes += file.bytes;
    }
    if (file.tag != tag) continue;
    const auto opened = open_checked(file.name);
    if (opened)
      add(file.name, opened->header());
    else
      discard(file.name, opened.error());
  }
  scanned_ = true;
  const DiskCacheStats found = stats();
  log::info("KV cache on disk", {{"folder", options_.folder.string()},
                                 {"files", found.files},
                                 {"bytes", found.bytes},
                                 {"limit", options_.cap},
                                 {"blocks_of_this_model", found.blocks}});
}

// Opens a file that is called as one of ours; kConflict when it is not what its name says.
Result<SnapshotFile> DiskStore::open_checked(const std::string& name) const {
  auto file = SnapshotFile::open(options_.folder / name);
  if (!file) return file;
  const SnapshotHeader& header = file->header();
  if (header.signature != signature_)
    return Error{ErrorCode::kConflict, "it is of another model, or of another way to compute it",
                 ""};
  return file;
}

void DiskStore::add(const std::string& name, const SnapshotHeader& header) {
  std::vector<PrefixHash> chain = chain_from(header.salt, header.tokens);
  chain.erase(chain.begin(), chain.begin() + header.first_block);
  std::lock_guard lock(mutex_);
  const auto [file, fresh] = files_.try_emplace(name, std::move(chain));
  if (!fresh) return;
  for (size_t i = 0; i < file->second.size(); ++i)
    places_.try_emplace(file->second[i], Place{file, static_cast<int>(i)});
  stats_.blocks = places_.size();
}

void DiskStore::forget(std::string_view name) {
  std::lock_guard lock(mutex_);
  const auto file = files_.find(name);
  if (file == files_.end()) return;
  for (const PrefixHash& hash : file->second) {
    const auto place = places_.find(hash);
    if (place != places_.end() && place->second.file == file) places_.erase(place);
  }
  files_.erase(file);
  stats_.blocks = places_.size();
}

void DiskStore::discard(const std::string& name, const Error& why) {
  const auto [counter, word] = column(why.code);
  log::warn("a file of the KV cache is ignored",
            {{"file", (options_.folder / name).string()}, {"reason", word}, {"why", why.message}});
  forget(name);
  // Damaged ones are only in the way; those that are not ours are left alone.
  if (why.code == ErrorCode::kDataRefused) ::unlink((options_.folder / name).c_str());
  std::lock_guard lock(mutex_);
  ++(stats_.*counter);
}

bool DiskStore::lacks(const Prefix& prefix, int block) const {
  const PrefixHash& hash = prefix.chain.at(static_cast<size_t>(block));
  std::lock_guard lock(mutex_);
  return !places_.contains(hash) && !expected_.contains(hash);
}

void DiskStore::expect(const Prefix& prefix, int first, int count) {
  std::lock_guard lock(mutex_);
  for (int i = first; i < first + count; ++i)
    expected_.insert(prefix.chain.at(static_cast<size_t>(i)));
}

int DiskStore::count(const Prefix& prefix, int first) const {
  std::lock_guard lock(mutex_);
  int end = first;
  while (end < prefix.blocks() && places_.contains(prefix.chain[static_cast<size_t>(end)])) ++end;
  return end - first;
}

Result<int> DiskStore::load(const Prefix& prefix, int first, int most,
                            std::vector<std::byte>& payload) {
  std::string name;
  int index = 0, count = 0;
  {
    std::lock_guard lock(mutex_);
    const auto place = places_.find(prefix.chain.at(static_cast<size_t>(first)));
    if (place == places_.end()) return Error{ErrorCode::kNotFound, "it is not on disk", ""};
    name = place->second.file->first;
    index = place->second.index;
    // As far as the file's own blocks are the prompt's.
    const auto& hashes = place->second.file->second;
    while (count < most && static_cast<size_t>(index + count) < hashes.size() &&
           first + count < prefix.blocks() &&
           hashes[static_cast<size_t>(index + count)] ==
               prefix.chain[static_cast<size_t>(first + count)])
      ++count;
  }
  const auto read = [&]() -> Result<void> {
    auto file = open_checked(name);
    if (!file) return std::move(file).error();
    const SnapshotHeader& header = file->header();
    const auto tokens = prefix.first(first + count);
    if (header.salt != salt_hash(prefix.salt) || header.first_block + index != first ||
        header.tokens.size() < tokens.size() ||
        !std::equal(tokens.begin(), tokens.end(), header.tokens.begin()))
      return Error{ErrorCode::kConflict, "its tokens are not what its hash said", ""};
    const size_t before = payload.size();
    payload.resize(before + static_cast<size_t>(count) * signature_.block_bytes);
    return file->read(index, count, std::span(payload).subspan(before));
  };
  if (auto ok = read(); !ok) {
    payload.clear();
    discard(name, ok.error());
    return std::move(ok).error();
  }
  std::lock_guard lock(mutex_);
  stats_.read_bytes += static_cast<uint64_t>(count) * signature_.block_bytes;
  return count;
}

Result<void> DiskStore::save(const Prefix& prefix, int first, std::span<const std::byte> payload) {
  auto written = write(prefix, first, payload);
  const size_t count = payload.size() / signature_.block_bytes;
  std::lock_guard lock(mutex_);
  for (size_t i = 0; i < count; ++i) expected_.erase(prefix.chain[static_cast<size_t>(first) + i]);
  return written;
}

Result<void> DiskStore::write(const Prefix& prefix, int first, std::span<const std::byte> payload) {
  SnapshotHeader header;
  header.signature = signature_;
  header.salt = salt_hash(prefix.salt);
  header.first_block = first;
  header.hashes.resize(payload.size() / signature_.block_bytes);
  const int end = first + header.blocks();
  CHECK(header.blocks() >= 1 && header.blocks() <= kMaxRunBlocks && end <= prefix.blocks());
  const auto tokens = prefix.first(end);
  header.tokens.assign(tokens.begin(), tokens.end());
  {
    std::lock_guard lock(mutex_);
    if (clock_.now() < no_saving_until_) {
      ++stats_.unwritten;
      return Error{ErrorCode::kUnavailable, "writing failed a moment ago", ""};
    }
  }
  const std::string name =
      snapshot_name(signature_, first, prefix.chain[static_cast<size_t>(end) - 1]);
  Result<void> written;
  if (!make_room(header.file_bytes()))
    written = Error{ErrorCode::kTooLarge, "there is no room for it under the limit", ""};
  else
    written = write_snapshot(options_.folder, name, header, payload);
  if (!written) {
    log::warn("KV blocks could not be kept on disk",
              {{"folder", options_.folder.string()}, {"why", written.error().message}});
    std::lock_guard lock(mutex_);
    no_saving_until_ = clock_.now() + kPause;
    ++stats_.unwritten;
    return written;
  }
  add(name, header);
  touch(prefix, end);
  std::lock_guard lock(mutex_);
  ++stats_.files;
  stats_.bytes += header.file_bytes();
  stats_.written_bytes += header.file_bytes();
  return {};
}

// All at one time, which decides who goes first, the deepest: see sort_for_eviction.
void DiskStore::touch(const Prefix& prefix, int blocks) {
  std::set<std::string> names;
  {
    std::lock_guard lock(mutex_);
    for (int i = 0; i < blocks; ++i) {
      const auto place = places_.find(prefix.chain[static_cast<size_t>(i)]);
      if (place != places_.end()) names.insert(place->second.file->first);
    }
  }
  const timespec now{clock_.unix_seconds(), 0};
  const timespec times[2] = {now, now};
  for (const std::string& name : names)
    ::utimensat(AT_FDCWD, (options_.folder / name).c_str(), times, AT_SYMLINK_NOFOLLOW);
}

// False when `bytes` do not fit even into an empty folder, or nothing can be removed.
bool DiskStore::make_room(uint64_t bytes) {
  {
    std::lock_guard lock(mutex_);
    if (bytes > options_.cap) return false;
    if (++since_listing_ < kListEvery && stats_.bytes + bytes <= options_.cap) return true;
    since_listing_ = 0;
  }
  std::vector<ListedFile> files = list_snapshots(options_.folder);
  uint64_t total = 0, count = files.size();
  for (const ListedFile& file : files) total += file.bytes;
  sort_for_eviction(files);
  const int64_t now = clock_.unix_seconds();
  uint64_t evicted = 0;
  for (const ListedFile& file : files) {
    if (total + bytes <= options_.cap) break;
    if (file.tag == 0 && file.used + kAbandonedAfter >= now) continue;  // it has a writer
    ::unlink((options_.folder / file.name).c_str());  // gone already: another process shrinks too
    forget(file.name);
    total -= file.bytes;
    --count;
    ++evicted;
  }
  std::lock_guard lock(mutex_);
  stats_.bytes = total;
  stats_.files = count;
  stats_.evicted += evicted;
  return total + bytes <= options_.cap;
}

DiskCacheStats DiskStore::stats() const {
  std::lock_guard lock(mutex_);
  return stats_;
}

}  // namespace aictl::inference
