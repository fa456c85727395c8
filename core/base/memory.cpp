#include "core/base/memory.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <string>

#include "core/base/file.hpp"

namespace aictl {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();

std::optional<uint64_t> leading_number(std::string_view text) {
  uint64_t number = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc()) return std::nullopt;
  return number;
}

// The number after `name` in "name   123 kB" or "name 123" lines.
std::optional<uint64_t> field(const std::string& text, std::string_view name) {
  for (size_t at = text.find(name); at != text.npos; at = text.find(name, at + 1)) {
    if (at != 0 && text[at - 1] != '\n') continue;
    const size_t digits = text.find_first_of("0123456789\n", at + name.size());
    if (digits == text.npos) return std::nullopt;
    return leading_number(std::string_view(text).substr(digits));
  }
  return std::nullopt;
}

uint64_t machine_available(const fs::path& root) {
  const auto info = read_file(root / "proc/meminfo");
  return info ? field(*info, "MemAvailable:").value_or(0) * 1024 : 0;
}

// What a cgroup's folder leaves: limit minus use, where pages of files that can be dropped do not
// count as used.
uint64_t left_in(const fs::path& folder, const char* limit_file, const char* use_file) {
  const auto limit = read_file(folder / limit_file);
  const auto used = read_file(folder / use_file);
  if (!limit || !used) return kNoLimit;
  const auto limit_bytes = leading_number(*limit);  // "max" is no number: no limit
  if (!limit_bytes) return kNoLimit;
  const auto stat = read_file(folder / "memory.stat");
  const uint64_t droppable = stat ? field(*stat, "inactive_file ").value_or(0) : 0;
  const uint64_t in_use = leading_number(*used).value_or(0);
  const uint64_t kept = in_use - std::min(in_use, droppable);
  return *limit_bytes - std::min(*limit_bytes, kept);
}

// The least that any cgroup from ours up to the root leaves.
uint64_t cgroups_leave(const fs::path& root) {
  const auto groups = read_file(root / "proc/self/cgroup");
  if (!groups) return kNoLimit;
  uint64_t least = kNoLimit;
  for (size_t start = 0; start < groups->size();) {  // lines "id:controllers:/path"
    const size_t end = std::min(groups->find('\n', start), groups->size());
    const std::string line = groups->substr(start, end - start);
    start = end + 1;
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool v2 = controllers.empty();
    if (!v2 && controllers.find("memory") == controllers.npos) continue;
    const fs::path mount = root / (v2 ? "sys/fs/cgroup" : "sys/fs/cgroup/memory");
    for (fs::path at = fs::path(line.substr(second + 1)).relative_path();; at = at.parent_path()) {
      least = std::min(least,
                       v2 ? left_in(mount / at, "memory.max", "memory.current")
                          : left_in(mount / at, "memory.limit_in_bytes", "memory.usage_in_bytes"));
      if (at.empty()) break;
    }
  }
  return least;
}

}  // namespace

uint64_t available_memory(const fs::path& root) {
  return std::min(machine_available(root), cgroups_leave(root));
}

}  // namespace aictl
