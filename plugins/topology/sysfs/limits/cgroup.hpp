// Where this process stands in the control groups: for each controller the mount and the folders
// from its own group up to the mount's root.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plugins/topology/sysfs/root.hpp"

namespace aictl::sysfs {

/// The groups of one controller that bind us.
struct Group {
  bool v2 = false;
  std::string path;                  // of our own group, as the kernel names it: "/user.slice/x"
  std::vector<std::string> folders;  // own group first, then its parents, relative to the root

  explicit operator bool() const { return !folders.empty(); }
};

class Cgroups {
 public:
  explicit Cgroups(const Root& root);

  /// The groups for "cpuset", "cpu", "memory", "pids". v2 where its root lists the controller, or
  /// where v1 has none of that name; false when there are none.
  Group group(std::string_view controller) const;
  /// "v2", "v1" or "".
  std::string version() const;
  /// Whether groups further out exist that cannot be seen from here.
  bool outer_hidden() const { return outer_hidden_; }

 private:
  struct Mount {
    std::string root;                      // the group that is mounted
    std::string folder;                    // where
    std::vector<std::string> controllers;  // v1: its own; v2: those of cgroup.controllers
  };
  struct Membership {
    std::vector<std::string> controllers;  // empty: v2
    std::string path;
  };

  void read_mounts(const Root& root);
  void read_memberships(const Root& root);
  const Mount* v1_mount(std::string_view controller) const;
  std::string path_of(std::string_view controller, bool v2) const;

  std::vector<Mount> v1_;
  std::vector<Mount> v2_;  // none or one
  std::vector<Membership> memberships_;
  std::string cpuset_path_;  // of /proc/self/cpuset: what old kernels and some captures have alone
  bool outer_hidden_ = false;
};

}  // namespace aictl::sysfs
