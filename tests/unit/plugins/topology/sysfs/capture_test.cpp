#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "plugins/topology/sysfs/sysfs.hpp"
#include "tests/support/temporary_root.hpp"

namespace aictl {
namespace {

namespace fs = std::filesystem;

/// A captured root, unpacked; empty when the captures are not here.
class Capture {
 public:
  explicit Capture(const std::string& name) {
    const fs::path archive = fs::path(AICTL_SHARED) / "topologies/fsroot" / (name + ".tar.bz2");
    if (!fs::exists(archive)) return;
    const std::string command = fmt::format("tar -xjf '{}' -C '{}' --strip-components=1",
                                            archive.string(), folder_.path().string());
    here_ = std::system(command.c_str()) == 0;
  }
  explicit operator bool() const {
    if (!here_) MESSAGE("skipped: the capture is not here");
    return here_;
  }
  Topology look() const {
    Topology topology;
    Sight sight;
    sight.sysroot = folder_.path();
    REQUIRE(SysfsTopology().look(sight, topology).ok());
    return topology;
  }

 private:
  test::TemporaryRoot folder_;
  bool here_ = false;
};

TEST_CASE("sysfs: a job step of cgroup v2 has six CPUs, found without mountinfo") {
  const Capture capture("32amd64-4s2n4c-cgroup2");
  if (!capture) return;
  const Topology machine = capture.look();
  CHECK(machine.limits.cgroup_version == "v2");
  CHECK(machine.limits.cgroup_path == "/uid_2008/job_15389/step_0");
  CHECK(machine.limits.cpuset->list() == "0-5");
  CHECK(machine.limits.memory_nodes->list() == "0-5");
  CHECK(machine.limits.effective_cpus == 6);
}

TEST_CASE("sysfs: the DGX Spark's names, kernel and two kinds of cores") {
  const Capture capture("nvidia-dgx-gb10");
  if (!capture) return;
  const Topology machine = capture.look();
  CHECK(machine.system.vendor == "NVIDIA");
  CHECK(machine.system.product == "NVIDIA_DGX_Spark");
  CHECK(machine.system.hypervisor.empty());
  CHECK(machine.system.settings.at("governor") == "performance");
  CHECK(machine.system.settings.at("boot.iommu.passthrough") == "0");
  CHECK(machine.cpu_kinds.size() >= 2);
}

TEST_CASE("sysfs: slots, persistent memory, InfiniBand and NVMe of a server") {
  const Capture capture("32em64t-2n8c+dax+nvme+mic+dimms");
  if (!capture) return;
  const Topology machine = capture.look();
  CHECK(machine.system.settings.at("dimm.0") == "DIMM_A1; ; 4294967296 B; 1600 MT/s");
  CHECK(machine.system.settings.at("dax.dax0.0") == "107808292864 B; node 4; NVM");
  CHECK(machine.system.settings.at("dax.dax1.4").ends_with("NVM as system memory"));
  const auto named = [](const auto& devices, std::string_view name) {
    const auto found = std::find_if(devices.begin(), devices.end(),
                                    [&](const auto& device) { return device.name == name; });
    REQUIRE(found != devices.end());
    return *found;
  };
  const topology::Nic mlx4 = named(machine.nics, "mlx4_0");
  CHECK(mlx4.gbs == 7);  // 56 Gbit/s
  CHECK(mlx4.nodeset.list() == "1");
  CHECK(named(machine.disks, "nvme0n1").kind == "nvme");
  CHECK(named(machine.disks, "pmem1").kind == "pmem");
  CHECK(machine.gpus.empty());
}

TEST_CASE("sysfs: huge pages of each size are counted") {
  const Capture capture("2i386-2t-hugepagesizecount");
  if (!capture) return;
  const Topology machine = capture.look();
  CHECK(std::any_of(machine.system.settings.begin(), machine.system.settings.end(),
                    [](const auto& row) { return row.first.starts_with("hugepages_"); }));
}

}  // namespace
}  // namespace aictl
