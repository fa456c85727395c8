// Where KV blocks outlive the process: the folder and the limit, from what is set.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "core/plugin/backend.hpp"
#include "plugins/services/inference/kv/disk/store.hpp"
#include "plugins/services/inference/load/model.hpp"

namespace aictl::inference {

/// $XDG_CACHE_HOME/aictl, or ~/.cache/aictl: what may be deleted at any time.
std::filesystem::path user_cache_folder();

struct DiskCacheSettings {
  std::string folder;  // "off": none; empty: kv in user_cache_folder()
  uint64_t limit = 0;  // bytes; 0: as the file system allows

  bool off() const { return folder == "off"; }
  /// Somebody named the folder: then that it cannot be used is an error.
  bool chosen() const { return !folder.empty() && !off(); }
};

/// Makes the folder and finds the limit: a tenth of what is free there, at most 16 GiB. nullopt
/// when it is off, and, with a line in the log, when a folder that nobody chose cannot be used.
/// Errors: as make_private_folder, for one that was chosen.
Result<std::optional<DiskCacheOptions>> prepare_disk_cache(const DiskCacheSettings& settings);

/// The store of a model on a runner. Errors: as DiskStore::open.
Result<std::unique_ptr<DiskStore>> open_disk_store(const DiskCacheOptions& options,
                                                   const Model& model, const Runner& runner,
                                                   size_t block_bytes);

}  // namespace aictl::inference
