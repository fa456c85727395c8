#include <doctest/doctest.h>
#include <sys/stat.h>

#include "plugins/topology/sysfs/sysfs.hpp"
#include "tests/support/temporary_root.hpp"

namespace aictl {
namespace {

using test::TemporaryRoot;

Topology look_at(const TemporaryRoot& root, Topology topology = {}) {
  Sight sight;
  sight.sysroot = root.path();
  REQUIRE(SysfsTopology().look(sight, topology).ok());
  return topology;
}

std::string fact(const Topology& topology, const std::string& key) {
  const auto found = topology.system.settings.find(key);
  return found == topology.system.settings.end() ? "(absent)" : found->second;
}

TEST_CASE("gpus: NVIDIA's are found without NVML, their link bounded by board and slot") {
  TemporaryRoot root;
  const std::string bridge = "sys/devices/pci0000:40/0000:40:01.0/";
  const std::string gpu = bridge + "0000:41:00.0/";
  root.pci("pci0000:40", "0000:40:01.0", "0x060400\n", "0x8086\n", 1)
      .pci("pci0000:40/0000:40:01.0", "0000:41:00.0", "0x030200\n", "0x10de\n", 1)
      .file(bridge + "max_link_width", "8\n")
      .file(bridge + "max_link_speed", "16.0 GT/s PCIe\n")
      .file(gpu + "current_link_width", "4\n")
      .file(gpu + "max_link_width", "16\n")
      .file(gpu + "current_link_speed", "2.5 GT/s PCIe\n")
      .file(gpu + "max_link_speed", "32.0 GT/s PCIe\n")
      .file(gpu + "local_cpulist", "16-31\n")
      .file(gpu + "aer_dev_correctable", "RxErr 3\nTOTAL_ERR_COR 7\n")
      .file("proc/driver/nvidia/version",
            "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15\n")
      .file("proc/driver/nvidia/gpus/0000:41:00.0/information",
            "Model: \t\t NVIDIA H100 PCIe\nIRQ:   \t\t 77\nGPU UUID: \t GPU-1234\n"
            "Video BIOS: \t ??.??.??\n");
  const Topology machine = look_at(root);
  REQUIRE(machine.gpus.size() == 1);
  const topology::Gpu& found = machine.gpus[0];
  CHECK(found.vendor == "NVIDIA");
  CHECK(found.model == "NVIDIA H100 PCIe");
  CHECK(found.uuid == "GPU-1234");
  CHECK(found.vbios.empty());
  CHECK(found.driver == "535.104.05");
  CHECK(found.pcie_width == 4);
  CHECK(found.pcie_max_width == 8);
  CHECK(found.pcie_generation == 1);
  CHECK(found.pcie_max_generation == 4);
  CHECK(found.cpuset.list() == "16-31");
  CHECK(found.nodeset.list() == "1");
  CHECK(fact(machine, "aer") == "1");
  CHECK(fact(machine, "aer.0000:41:00.0.correctable") == "7");
}

TEST_CASE("gpus: AMD's have their memory from amdgpu and their XGMI links from the kfd") {
  TemporaryRoot root;
  const std::string nodes = "sys/class/kfd/kfd/topology/nodes/";
  root.file(nodes + "0/properties", "cpu_cores_count 64\nsimd_count 0\n");
  for (const auto& [node, bus, to] : {std::tuple(1, "c1", 2), {2, "c6", 1}}) {
    const std::string address = std::string("0000:") + bus + ":00.0";
    const std::string folder = "sys/devices/pci0000:c0/" + address + "/";
    const std::string own = nodes + std::to_string(node) + "/";
    root.pci("pci0000:c0", address, "0x038000\n", "0x1002\n", 3)
        .file(folder + "mem_info_vram_total", "68702699520\n")
        .file(folder + "hwmon/hwmon4/power1_cap", "500000000\n")
        .file(folder + "hwmon/hwmon4/power1_cap_default", "560000000\n")
        .file(own + "properties",
              "simd_count 440\ngfx_target_version 90010\ndomain 0\nlocation_id " +
                  std::to_string((node == 1 ? 0xc1 : 0xc6) << 8) + "\n")
        .file(own + "io_links/0/properties", "type 11\nnode_from " + std::to_string(node) +
                                                 "\nnode_to " + std::to_string(to) +
                                                 "\nmax_bandwidth 200000\n");
  }
  // The console of the board's controller bears the same vendor.
  root.pci("pci0000:00", "0000:00:02.0", "0x030000\n", "0x1002\n", 0);
  const Topology machine = look_at(root);
  REQUIRE(machine.gpus.size() == 2);
  CHECK(machine.gpus[0].architecture == "gfx90a");
  CHECK(machine.gpus[0].memory_bytes == 68702699520u);
  CHECK(machine.gpus[0].power_limit_watts == 500);
  CHECK(machine.gpus[1].power_default_watts == 560);
  REQUIRE(machine.distances.size() == 1);
  CHECK(machine.distances[0].name == "XGMIBandwidth");
  CHECK(machine.distances[0].labels[1] == "pci:0000:c6:00.0");
  CHECK(machine.distances[0].values == std::vector<uint64_t>{1000000, 200000, 200000, 1000000});
}

TEST_CASE("nics: the RDMA device and the interface of a function are one") {
  TemporaryRoot root;
  const std::string card = "pci0000:80/0000:80:02.0/0000:82:00.0";
  root.pci("pci0000:80/0000:80:02.0", "0000:82:00.0", "0x020700\n", "0x15b3\n", 1)
      .file("sys/devices/" + card + "/infiniband/mlx5_0/ports/1/state", "4: ACTIVE\n")
      .file("sys/devices/" + card + "/infiniband/mlx5_0/ports/1/rate", "200 Gb/sec (4X HDR)\n")
      .file("sys/devices/" + card + "/infiniband/mlx5_0/ports/1/link_layer", "InfiniBand\n")
      .file("sys/devices/" + card + "/net/ib0/type", "32\n")
      .file("sys/devices/" + card + "/net/ib0/operstate", "down\n")
      .file("sys/devices/" + card + "/net/ib0/speed", "-1\n")
      .link("sys/class/infiniband/mlx5_0", "../../devices/" + card + "/infiniband/mlx5_0")
      .link("sys/class/net/ib0", "../../devices/" + card + "/net/ib0")
      .link("sys/class/net/lo", "../../devices/virtual/net/lo");
  const Topology machine = look_at(root);
  REQUIRE(machine.nics.size() == 1);
  const topology::Nic& nic = machine.nics[0];
  CHECK(nic.name == "mlx5_0");
  CHECK(nic.names == std::vector<std::string>{"mlx5_0", "ib0"});
  CHECK(nic.kind == "infiniband");
  CHECK(nic.state == "up");
  CHECK(nic.gbs == 25);
  CHECK(nic.nodeset.list() == "1");
}

TEST_CASE("disks: kinds by name, transport and rotation; the made-up ones are left out") {
  TemporaryRoot root;
  root.file("sys/devices/pci0000:00/0000:01:00.0/nvme/nvme0/nvme0n1/size", "2048\n")
      .link("sys/class/block/nvme0n1", "../../devices/pci0000:00/0000:01:00.0/nvme/nvme0/nvme0n1")
      .file("sys/devices/virtual/nvme-fabrics/ctl/nvme1/nvme1n1/size", "4096\n")
      .link("sys/class/block/nvme1n1", "../../devices/virtual/nvme-fabrics/ctl/nvme1/nvme1n1")
      .file("sys/class/nvme/nvme1/transport", "tcp\n")
      .file("sys/class/block/sda/size", "100\n")
      .file("sys/class/block/sda/queue/rotational", "1\n")
      .file("sys/class/block/sdb/size", "0\n")
      .file("sys/class/block/loop0/size", "100\n")
      .file("sys/devices/pci0000:00/0000:01:00.0/nvme/nvme0/nvme0n1/nvme0n1p1/size", "1024\n")
      .link("sys/class/block/nvme0n1p1",
            "../../devices/pci0000:00/0000:01:00.0/nvme/nvme0/nvme0n1/nvme0n1p1");
  const Topology machine = look_at(root);
  REQUIRE(machine.disks.size() == 3);
  CHECK(machine.disks[0].kind == "nvme");
  CHECK(machine.disks[0].pci->text() == "0000:01:00.0");
  CHECK(machine.disks[0].bytes == 1048576u);
  CHECK(machine.disks[1].kind == "network");
  CHECK(machine.disks[2].kind == "rotating");
}

TEST_CASE("system: settings, firmware and the hypervisor") {
  TemporaryRoot root;
  root.file("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n")
      .file("sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "512\n")
      .file("proc/sys/kernel/numa_balancing", "1\n")
      .file("proc/sys/kernel/osrelease", "6.1.0-18-amd64\n")
      .file("proc/cmdline", "root=/dev/sda secret=x iommu=pt isolcpus=2-3 quiet\n")
      .file("proc/cpuinfo", "processor : 0\nmodel name : Fast CPU\nflags : fpu hypervisor\n")
      .file("sys/class/dmi/id/sys_vendor", "QEMU\n")
      .file("sys/devices/system/cpu/online", "0-3\n")
      .file("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n")
      .file("sys/devices/system/cpu/cpu2/cpufreq/scaling_governor", "performance\n")
      .file("sys/devices/cpu_core/cpus", "0-1\n")
      .file("sys/devices/cpu_atom/cpus", "2-3\n");
  const Topology machine = look_at(root);
  CHECK(machine.system.kernel == "6.1.0-18-amd64");
  CHECK(machine.system.hypervisor == "QEMU");
  CHECK(fact(machine, "transparent_hugepage") == "madvise");
  CHECK(fact(machine, "hugepages_2048kB") == "512");
  CHECK(fact(machine, "numa_balancing") == "1");
  CHECK(fact(machine, "boot.iommu") == "pt");
  CHECK(fact(machine, "boot.isolcpus") == "2-3");
  CHECK(fact(machine, "boot.secret") == "(absent)");
  CHECK(fact(machine, "governor") == "performance 2, powersave 0");
  REQUIRE(machine.cpu_kinds.size() == 2);
  CHECK(machine.cpu_kinds[0].cpuset.list() == "2-3");
  CHECK(machine.cpu_kinds[1].infos[0].second == "IntelCore");
}

TEST_CASE("sysfs: a captured root cannot point outside itself, and pipes do not block") {
  TemporaryRoot root;
  TemporaryRoot outside;
  outside.file("secret", "outside");
  root.link("sys/class/dmi/id/sys_vendor", (outside.path() / "secret").string())
      .link("sys/class/dmi/id/product_name",
            "../../../../../../../../.." + (outside.path() / "secret").string())
      .file("proc/self/x", "");
  REQUIRE(mkfifo((root.path() / "proc/cmdline").c_str(), 0600) == 0);
  const Topology machine = look_at(root);
  CHECK(machine.system.vendor.empty());
  CHECK(machine.system.product.empty());
}

TEST_CASE("sysfs: a root that is a file is refused") {
  TemporaryRoot root;
  root.file("x", "");
  Topology topology;
  Sight sight;
  sight.sysroot = root.path() / "x";
  const auto looked = SysfsTopology().look(sight, topology);
  REQUIRE_FALSE(looked.ok());
  CHECK(looked.error().code == ErrorCode::kDataRefused);
}

}  // namespace
}  // namespace aictl
