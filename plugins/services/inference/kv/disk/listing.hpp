// What lies in the folder of a disk cache, and what goes first when it has to shrink.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "plugins/services/inference/kv/disk/snapshot.hpp"

namespace aictl::inference {

/// "<tag>-<first block>-<hash of the last block>.akv", all in hex.
std::string snapshot_name(const Signature& signature, int first_block, const PrefixHash& last);

struct ListedFile {
  std::string name;
  uint64_t bytes = 0;        // as allocated
  int64_t used = 0;          // seconds since the epoch
  uint64_t tag = 0;          // 0: it is still being written
  uint32_t first_block = 0;  // how deep in its prompt it begins
};

/// The cache's files; what is called otherwise is none of ours.
std::vector<ListedFile> list_snapshots(const std::filesystem::path& folder);

/// Sorts: used longest ago first; of those used together the deepest, since nothing on disk is of
/// use without what it continues.
void sort_for_eviction(std::vector<ListedFile>& files);

/// Seconds after which a file that is still being written has lost its writer.
inline constexpr int64_t kAbandonedAfter = 600;

}  // namespace aictl::inference
