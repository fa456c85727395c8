// How much memory this process may still take.
#pragma once

#include <cstdint>
#include <filesystem>

namespace aictl {

/// Bytes that can be allocated without swapping: the machine's available memory, or what the
/// cgroups we are in (v2, or v1's memory controller) have left, whichever is less. 0 when nothing
/// can be read. `root` is for tests.
uint64_t available_memory(const std::filesystem::path& root = "/");

}  // namespace aictl
