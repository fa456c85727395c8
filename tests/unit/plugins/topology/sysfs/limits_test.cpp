#include <doctest/doctest.h>

#include "plugins/topology/sysfs/sysfs.hpp"
#include "tests/support/temporary_root.hpp"

namespace aictl {
namespace {

using test::TemporaryRoot;

Topology look_at(const TemporaryRoot& root) {
  Topology topology;
  Sight sight;
  sight.sysroot = root.path();
  REQUIRE(SysfsTopology().look(sight, topology).ok());
  return topology;
}

TemporaryRoot& with_v2(TemporaryRoot& root, const std::string& group) {
  return root
      .file("proc/self/mountinfo",
            "22 1 0:20 / / rw - ext4 /dev/vda rw\n"
            "31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n")
      .file("proc/self/cgroup", "0::" + group + "\n")
      .file("sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids\n")
      .file("sys/devices/system/cpu/online", "0-23\n")
      .file("proc/meminfo", "MemTotal: 1048576 kB\nMemAvailable: 786432 kB\n");
}

TEST_CASE("limits: of cgroup v2 the tightest of the group and its parents holds") {
  TemporaryRoot root;
  with_v2(root, "/a/b")
      .file("sys/fs/cgroup/a/b/cpuset.cpus.effective", "0-11\n")
      .file("sys/fs/cgroup/a/b/cpuset.mems.effective", "0\n")
      .file("sys/fs/cgroup/a/b/cpu.max", "max 100000\n")
      .file("sys/fs/cgroup/a/cpu.max", "650000 100000\n")
      .file("sys/fs/cgroup/a/b/cpu.stat", "nr_periods 9\nnr_throttled 3\nthrottled_usec 1500\n")
      .file("sys/fs/cgroup/a/b/memory.max", "805306368\n")
      .file("sys/fs/cgroup/a/memory.max", "536870912\n")
      .file("sys/fs/cgroup/a/b/memory.current", "134217728\n")
      .file("sys/fs/cgroup/a/b/memory.events", "low 0\noom_kill 2\n")
      .file("sys/fs/cgroup/a/b/pids.max", "max\n")
      .file("sys/fs/cgroup/a/pids.max", "512\n");
  const topology::Limits limits = look_at(root).limits;
  CHECK(limits.cgroup_version == "v2");
  CHECK(limits.cgroup_path == "/a/b");
  CHECK(limits.cpuset->list() == "0-11");
  CHECK(limits.memory_nodes->list() == "0");
  CHECK(*limits.cpu_quota == doctest::Approx(6.5));
  CHECK(limits.effective_cpus == 6);
  CHECK(limits.memory_max == 536870912u);
  CHECK(limits.memory_available == 536870912u - 134217728u);
  CHECK(limits.throttled_usec == 1500u);
  CHECK(limits.throttled_periods == 3u);
  CHECK(limits.oom_kills == 2u);
  CHECK(limits.pids_max == 512u);
  CHECK_FALSE(limits.affinity);  // of this process, and this is no machine of its own
  CHECK_FALSE(limits.outer_hidden);
}

TEST_CASE("limits: a quota under one CPU leaves one, and none means all") {
  TemporaryRoot root;
  with_v2(root, "/").file("sys/fs/cgroup/cpu.max", "50000 100000\n");
  const topology::Limits limits = look_at(root).limits;
  CHECK(*limits.cpu_quota == doctest::Approx(0.5));
  CHECK(limits.effective_cpus == 1);
  TemporaryRoot free;
  with_v2(free, "/").file("sys/fs/cgroup/cpu.max", "max 100000\n");
  CHECK(look_at(free).limits.effective_cpus == 24);
  CHECK_FALSE(look_at(free).limits.memory_max);
}

TEST_CASE("limits: a group namespace hides what is further out") {
  TemporaryRoot root;
  with_v2(root, "/").file("sys/fs/cgroup/cgroup.type", "domain\n");
  CHECK(look_at(root).limits.outer_hidden);
  TemporaryRoot inner;
  with_v2(inner, "/").link("proc/self/ns/cgroup", "cgroup:[4026532500]");
  CHECK(look_at(inner).limits.outer_hidden);
  TemporaryRoot host;
  with_v2(host, "/").link("proc/self/ns/cgroup", "cgroup:[4026531835]");
  CHECK_FALSE(look_at(host).limits.outer_hidden);
}

TEST_CASE("limits: of cgroup v1 each controller has its own path, and huge numbers mean none") {
  TemporaryRoot root;
  root.file("proc/self/mountinfo",
            "33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
            "34 31 0:31 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
            "35 31 0:32 /docker/x /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n")
      .file("proc/self/cgroup",
            "4:memory:/docker/x/y\n3:cpuset:/job\n2:cpu,cpuacct:/job\n1:name=systemd:/\n0::/\n")
      .file("sys/fs/cgroup/cpuset/job/cpuset.effective_cpus", "2-3\n")
      .file("sys/fs/cgroup/cpuset/job/cpuset.mems", "1\n")
      .file("sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "150000\n")
      .file("sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us", "100000\n")
      .file("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n")
      .file("sys/fs/cgroup/cpu,cpuacct/job/cpu.stat", "nr_throttled 1\nthrottled_time 7000000\n")
      .file("sys/fs/cgroup/memory/y/memory.limit_in_bytes", "9223372036854771712\n")
      .file("sys/fs/cgroup/memory/memory.limit_in_bytes", "1073741824\n");
  const topology::Limits limits = look_at(root).limits;
  CHECK(limits.cgroup_version == "v1");
  CHECK(limits.cpuset->list() == "2-3");
  CHECK(limits.memory_nodes->list() == "1");
  CHECK(*limits.cpu_quota == doctest::Approx(1.5));
  CHECK(limits.effective_cpus == 1);
  CHECK(limits.throttled_usec == 7000u);
  CHECK(limits.memory_max == 1073741824u);  // of the group the mount shows
}

TEST_CASE("limits: this process sees its own affinity") {
  Topology topology;
  REQUIRE(SysfsTopology().look({}, topology).ok());
  REQUIRE(topology.limits.affinity);
  CHECK(topology.limits.effective_cpus >= 1);
  CHECK(topology.limits.effective_cpus <= topology.limits.affinity->count());
}

TEST_CASE("limits: hostile files are as if absent") {
  TemporaryRoot root;
  with_v2(root, "/../../../../etc/" + std::string(200, 'x'))
      .file("sys/fs/cgroup/cpu.max", "999999999999999999999 0\n")
      .file("sys/fs/cgroup/cpuset.cpus.effective", "0-99999999999\n")
      .file("sys/fs/cgroup/memory.max", std::string(100000, '9'))
      .file("sys/fs/cgroup/cpu.stat", std::string("\0\xff throttled_usec \n", 18));
  const topology::Limits limits = look_at(root).limits;
  CHECK_FALSE(limits.cpu_quota);
  CHECK_FALSE(limits.cpuset);
  CHECK_FALSE(limits.memory_max);
  CHECK(limits.effective_cpus == 24);
}

}  // namespace
}  // namespace aictl
