// Where the files of a model lie: file system, disk, memory node; and how much of them is in
// memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "core/base/result.hpp"

namespace aictl::placement {

struct Storage {
  uint64_t bytes = 0;       // of the file, or of the .gguf and .safetensors in the folder
  uint64_t cached = 0;      // of those, in the page cache; 0 also where the kernel does not tell
  std::string filesystem;   // "ext4", "nfs4"; empty: unknown
  std::string device;       // "nvme0n1"; empty: unknown, or no disk
  std::optional<int> node;  // NUMA node of that disk

  /// Loading reads memory, not the disk.
  bool in_memory() const { return bytes > 0 && cached >= bytes - bytes / 20; }
};

/// Looks at the file, or at the weights in the folder, without reading them. `root` has proc and
/// sys. Errors: kNotFound, kIo; kInvalidArgument for a folder without weights.
Result<Storage> find_storage(const std::filesystem::path& path,
                             const std::filesystem::path& root = "/");

/// Whether a file system is reached over the network.
bool is_network(std::string_view filesystem);

}  // namespace aictl::placement
