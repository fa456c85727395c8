#include "plugins/topology/sysfs/limits/cgroup.hpp"

#include <algorithm>

namespace aictl::sysfs {
namespace {

constexpr size_t kMaxMounts = size_t{1} << 20;  // bytes of a mount table
constexpr size_t kMaxDepth = 64;                // groups inside each other
// The inode of the first cgroup namespace, the same on every kernel (linux/proc_ns.h).
constexpr std::string_view kInitialNamespace = "cgroup:[4026531835]";

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(separator, at), text.size());
    if (end > at) parts.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

/// Mount tables write blanks as \040.
std::string unescape(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 4) == "\\040") {
      plain += ' ';
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

/// "/sys/fs/cgroup" as a path below the root: "sys/fs/cgroup".
std::string relative(std::string_view path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  return std::string(path);
}

bool has(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

Cgroups::Cgroups(const Root& root) {
  read_mounts(root);
  read_memberships(root);
  if (!v2_.empty())
    v2_[0].controllers = split(root.word(v2_[0].folder + "/cgroup.controllers"), ' ');
  const std::string space = root.link("proc/self/ns/cgroup");
  if (!space.empty() && space != kInitialNamespace) outer_hidden_ = true;
  // The root of all groups has no type and no limits; a "/" that has them is somebody's child.
  if (!v2_.empty() && root.exists(v2_[0].folder + "/cgroup.type")) outer_hidden_ = true;
}

/// mountinfo: "31 23 0:28 /group /sys/fs/cgroup rw - cgroup2 cgroup2 rw"; a capture may have only
/// mounts: "cgroup2 /sys/fs/cgroup cgroup2 rw".
void Cgroups::read_mounts(const Root& root) {
  const auto add = [this](std::string_view type, std::string_view group, std::string_view folder,
                          std::string_view options) {
    Mount mount{unescape(group), relative(unescape(folder)), {}};
    if (type == "cgroup2" && v2_.empty()) v2_.push_back(std::move(mount));
    if (type != "cgroup") return;
    mount.controllers = split(options, ',');
    v1_.push_back(std::move(mount));
  };
  const auto table = root.lines("proc/self/mountinfo", kMaxMounts);
  for (const std::string& line : table) {
    const auto words = words_of(line);
    const auto dash = std::find(words.begin(), words.end(), "-");
    if (words.size() < 7 || words.end() - dash < 4) continue;
    add(dash[1], words[3], words[4], dash[3]);
  }
  if (!table.empty()) return;
  for (const std::string& line : root.lines("proc/mounts", kMaxMounts)) {
    const auto words = words_of(line);
    if (words.size() >= 4) add(words[2], "/", words[1], words[3]);
  }
}

/// "4:memory:/group" is v1, "0::/group" v2.
void Cgroups::read_memberships(const Root& root) {
  for (const std::string& line : root.lines("proc/self/cgroup", kMaxMounts)) {
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    memberships_.push_back(
        {split(std::string_view(line).substr(first + 1, second - first - 1), ','),
         line.substr(second + 1)});
  }
  cpuset_path_ = root.word("proc/self/cpuset");
}

const Cgroups::Mount* Cgroups::v1_mount(std::string_view controller) const {
  for (const Mount& mount : v1_)
    if (has(mount.controllers, controller)) return &mount;
  return nullptr;
}

std::string Cgroups::path_of(std::string_view controller, bool v2) const {
  for (const Membership& own : memberships_)
    if (v2 ? own.controllers.empty() : has(own.controllers, controller)) return own.path;
  if (!memberships_.empty()) return "";
  return v2 || controller == "cpuset" ? cpuset_path_ : "";
}

Group Cgroups::group(std::string_view controller) const {
  const Mount* v1 = v1_mount(controller);
  const bool v2 = !v2_.empty() && (has(v2_[0].controllers, controller) || v1 == nullptr);
  const Mount* mount = v2 ? &v2_[0] : v1;
  if (mount == nullptr) return {};
  Group group{v2, path_of(controller, v2), {}};
  if (group.path.empty()) return {};
  // A bind mount shows a part of the tree: our path below it is what counts.
  std::string_view below = group.path;
  if (mount->root != "/" && below.starts_with(mount->root)) below.remove_prefix(mount->root.size());
  const auto parts = split(below, '/');
  for (size_t depth = std::min(parts.size(), kMaxDepth) + 1; depth-- > 0;) {
    std::string folder = mount->folder;
    for (size_t i = 0; i < depth; ++i) folder += '/' + parts[i];
    group.folders.push_back(std::move(folder));
  }
  return group;
}

std::string Cgroups::version() const {
  if (!v2_.empty() && (!v2_[0].controllers.empty() || v1_.empty())) return "v2";
  return v1_.empty() ? "" : "v1";
}

}  // namespace aictl::sysfs
