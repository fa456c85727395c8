#include "plugins/services/inference/local/disk_cache.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

#include "core/base/units.hpp"
#include "core/telemetry/log.hpp"

namespace aictl::inference {
namespace {

constexpr uint64_t kMostByDefault = uint64_t{16} << 30;
constexpr uint64_t kLeastByDefault = uint64_t{64} << 20;
constexpr size_t kMostBlockBytes = size_t{1} << 30;  // what a snapshot can hold

const Clock kClock;

}  // namespace

std::filesystem::path user_cache_folder() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  const std::filesystem::path folder = cache && *cache ? std::filesystem::path(cache)
                                       : home && *home ? std::filesystem::path(home) / ".cache"
                                                       : std::filesystem::temp_directory_path();
  return folder / "aictl";
}

Result<std::optional<DiskCacheOptions>> prepare_disk_cache(const DiskCacheSettings& settings) {
  if (settings.off()) return std::optional<DiskCacheOptions>();
  DiskCacheOptions options{
      settings.chosen() ? std::filesystem::path(settings.folder) : user_cache_folder() / "kv",
      settings.limit};
  if (auto ok = make_private_folder(options.folder); !ok) {
    if (settings.chosen()) return std::move(ok).error().within("--kv-cache-dir");
    log::warn("no KV cache on disk",
              {{"folder", options.folder.string()}, {"why", ok.error().message}});
    return std::optional<DiskCacheOptions>();
  }
  if (options.cap == 0) {
    std::error_code unknown;
    const auto space = std::filesystem::space(options.folder, unknown);
    options.cap = unknown
                      ? kLeastByDefault
                      : std::clamp<uint64_t>(space.available / 10, kLeastByDefault, kMostByDefault);
  }
  return std::optional(std::move(options));
}

Result<std::unique_ptr<DiskStore>> open_disk_store(const DiskCacheOptions& options,
                                                   const Model& model, const Runner& runner,
                                                   size_t block_bytes) {
  if (block_bytes > kMostBlockBytes)
    return Error{
        ErrorCode::kUnsupported,
        fmt::format("KV blocks of {} are too large to be kept on disk", format_bytes(block_bytes)),
        "--kv-cache-dir off"};
  // The fingerprint is of samples: a file that was changed elsewhere shows by its time.
  std::string weights = model.fingerprint();
  struct stat info {};
  if (::stat(model.file().place().c_str(), &info) == 0)
    weights += fmt::format(" {} {}.{:09}", info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
  const Signature signature =
      make_signature(weights, model.spec(), runner.kv_layout(), block_bytes);
  return DiskStore::open(options, signature, kClock);
}

}  // namespace aictl::inference
