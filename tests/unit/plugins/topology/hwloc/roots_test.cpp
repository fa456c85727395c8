// Captured roots, unpacked, through libhwloc.
#include <cmath>
#include <cstdlib>

#include <fmt/format.h>

#include "core/plugin/topology_source.hpp"
#include "tests/support/temporary_root.hpp"
#include "tests/unit/plugins/topology/hwloc/captures.hpp"

namespace {

using namespace aictl;

/// Which machine a capture is of; counts as lstopo gives them.
struct Root {
  const char* name;
  int packages, numa, cores, pus, memory_caches;
  long long memory_gib;  // 0: not looked at
};
constexpr Root kRoots[] = {{"32amd64-4s2n4c-cgroup2", 3, 6, 6, 6, 0, 96},
                           {"nvidia-dgx-gb10", 1, 1, 20, 20, 0, 120},
                           {"20em64t-hybrid-1p6c2t+2ca4co1t", 1, 1, 14, 20, 0, 31},
                           {"2i386-2t-hugepagesizecount", 1, 1, 1, 2, 0, 0},
                           {"32em64t-2n8c+dax+nvme+mic+dimms", 2, 2, 16, 16, 0, 32},
                           {"memorysidecaches", 2, 4, 40, 80, 4, 1487}};

Result<Topology> look(const fs::path& root) {
  Sight sight;
  sight.sysroot = root;
  Topology topology;
  if (auto seen = HwlocSource().look(sight, topology); !seen) return std::move(seen).error();
  return topology;
}

TEST_CASE("hwloc: captured roots have the parts that lstopo sees in them") {
  for (const Root& want : kRoots) {
    const fs::path archive =
        fs::path(AICTL_SHARED) / "topologies/fsroot" / (std::string(want.name) + ".tar.bz2");
    CAPTURE(std::string(want.name));
    if (!fs::exists(archive)) {
      MESSAGE("skipped: the capture is not here");
      continue;
    }
    const test::TemporaryRoot root;
    const std::string command = fmt::format("tar -xjf '{}' -C '{}' --strip-components=1",
                                            archive.string(), root.path().string());
    REQUIRE(std::system(command.c_str()) == 0);
    const auto machine = look(root.path());
    REQUIRE_MESSAGE(machine.ok(), machine.error().message);
    const Json counts = topology::to_json(*machine)["counts"];
    CHECK(counts["package"] == want.packages);
    CHECK(counts["numa"] == want.numa);
    CHECK(counts["core"] == want.cores);
    CHECK(counts["pu"] == want.pus);
    CHECK(counts["memcache"] == want.memory_caches);
    if (want.memory_gib > 0)
      CHECK(std::llround(double(*topology::host_memory(*machine)) / (1 << 30)) == want.memory_gib);
  }
}

TEST_CASE(
    "hwloc: a root whose lists do not read is refused with the file; a final zero is none of "
    "them") {
  const auto message = [](std::string_view online) {
    test::TemporaryRoot root;
    root.file("sys/devices/system/cpu/online", online)
        .file("sys/devices/system/cpu/cpu0/topology/core_cpus", "1\n");
    const auto machine = look(root.path());
    if (machine.ok()) return std::string("read");
    CHECK(machine.error().code == ErrorCode::kDataRefused);
    return machine.error().message;
  };
  CHECK(message("0\n") == "read");
  CHECK(message(std::string_view("0\n\0", 3)) == "read");
  for (const std::string_view bad : {"", "x", "0-", "0-99999999", "\xff\xfe"}) {
    CAPTURE(bad);
    CHECK(message(bad).find("cpu/online holds no list") != std::string::npos);
  }
}

}  // namespace
