#include "core/topology/devices.hpp"

#include <doctest/doctest.h>

#include "tests/unit/core/topology/made_machine.hpp"

namespace {

using namespace aictl::topology;
using Names = std::vector<std::string>;

TEST_CASE("devices: the drivers of one address are one GPU, whatever types they have") {
  MadeMachine made(2);
  const int late = made.nvidia(made.host_bridge(1), "0000:80:00.0");
  const int early = made.nvidia(made.host_bridge(0), "0000:10:00.0");
  made.os_device(late, "opencl0d1", "coproc", "OpenCL");
  made.os_device(late, "cuda1", "coproc", "CUDA");
  made.os_device(late, "nvml1", "coproc").infos = {{"GPUModel", "Tesla T4"},
                                                   {"NVIDIAUUID", "GPU-1"}};
  made.os_device(early, "nvml0", "gpu", "NVML").infos = {{"CUDAGlobalMemorySize", "1024"}};
  join_devices(made.topology);
  REQUIRE(made.topology.gpus.size() == 2);
  const Gpu& second = made.topology.gpus[1];
  CHECK(second.index == 1);
  CHECK(second.pci->text() == "0000:80:00.0");
  CHECK(second.names == Names{"cuda1", "nvml1", "opencl0d1"});
  CHECK(second.vendor == "NVIDIA");
  CHECK(second.model == "Tesla T4");
  CHECK(second.uuid == "GPU-1");
  CHECK(second.memory_gbs == 320);
  CHECK(second.cpuset.list() == "8-15");
  CHECK(second.nodeset.list() == "1");
  CHECK(made.topology.gpus[0].memory_bytes == 1 << 20);
}

TEST_CASE("devices: consoles, integrated graphics and OpenCL on processors are no GPUs") {
  MadeMachine made(1);
  const int root = made.host_bridge(0);
  made.os_device(made.pci(root, "0000:01:00.0", 0x1a03, 0x0300), "card0", "gpu");
  made.pci(root, "0000:02:00.0", 0x8086, 0x0300);
  made.pci(root, "0000:03:00.0", 0x1002, 0x0300);
  made.os_device(0, "opencl0d0", "coproc", "OpenCL").infos = {{"OpenCLDeviceType", "CPU"}};
  join_devices(made.topology);
  CHECK(made.topology.gpus.empty());
}

TEST_CASE("devices: boards without a driver are GPUs by vendor and class") {
  MadeMachine made(1);
  const int root = made.host_bridge(0);
  made.nvidia(root, "0000:01:00.0");
  made.pci(root, "0000:02:00.0", 0x1002, 0x0380);
  made.pci(root, "0000:03:00.0", 0x1002, 0x1200);
  join_devices(made.topology);
  REQUIRE(made.topology.gpus.size() == 3);
  CHECK(made.topology.gpus[1].vendor == "AMD");
  CHECK(made.topology.gpus[0].names.empty());
}

TEST_CASE("devices: without an address the number of a name tells which belong together") {
  MadeMachine made(1);
  made.os_device(0, "nvml0", "gpu");
  made.os_device(0, "cuda0", "coproc");
  made.os_device(0, "nvml1", "gpu");
  join_devices(made.topology);
  REQUIRE(made.topology.gpus.size() == 2);
  CHECK(made.topology.gpus[0].names == Names{"cuda0", "nvml0"});
}

TEST_CASE("devices: joining twice changes nothing") {
  MadeMachine made(2);
  const int root = made.host_bridge(1);
  made.os_device(made.nvidia(root, "0000:81:00.0"), "nvml0", "gpu");
  const int nic = made.pci(root, "0000:82:00.0", 0x15b3, 0x0207);
  made.os_device(nic, "ib0", "network");
  made.os_device(nic, "mlx5_0", "openfabrics");
  made.os_device(made.pci(root, "0000:83:00.0", 0x144d, 0x0108), "nvme0n1", "block", "Disk");
  made.os_device(0, "nvml7", "gpu");
  finish(made.topology);
  const Topology once = made.topology;
  finish(made.topology);
  CHECK(once == made.topology);
}

TEST_CASE("devices: what a driver said stays, and its links follow the new order") {
  MadeMachine made(1);
  const int root = made.host_bridge(0);
  for (const char* address : {"0000:01:00.0", "0000:02:00.0", "0000:03:00.0"})
    made.nvidia(root, address);
  Topology& topology = made.topology;
  for (int i = 0; i < 2; ++i) {  // the driver knows the last two, in the other order
    Gpu gpu;
    gpu.index = i;
    gpu.pci = PciAddress{0, uint8_t(3 - i), 0, 0};
    gpu.model = "NVIDIA H100 80GB HBM3";
    topology.gpus.push_back(gpu);
  }
  topology.links.push_back(
      {"gpu0", "gpu1", Level::kNv, 4, Medium::kNvlink, 100.0, LinkSource::kDriver, ""});
  finish(topology);
  REQUIRE(topology.gpus.size() == 3);
  CHECK(topology.gpus[2].model == "NVIDIA H100 80GB HBM3");
  CHECK(topology.gpus[0].model.empty());
  CHECK(find_link(topology, "gpu1", "gpu2")->word() == "NV4");
  CHECK(find_link(topology, "gpu0", "gpu1")->level == Level::kPhb);
}

TEST_CASE("devices: NVSwitches are counted where NVIDIA GPUs are, by class or by subtype") {
  MadeMachine made(1);
  const int root = made.host_bridge(0);
  made.pci(root, "0000:05:00.0", 0x10de, 0x0680);
  join_devices(made.topology);
  CHECK(made.topology.nvswitches == 0);  // a chipset of old
  made.nvidia(root, "0000:01:00.0");
  const int hidden = made.pci(root, "0000:06:00.0", 0, 0);
  made.topology.objects[size_t(hidden)].subtype = "NVSwitch";
  join_devices(made.topology);
  CHECK(made.topology.nvswitches == 2);
}

TEST_CASE("devices: an RDMA device and its interface are one NIC") {
  MadeMachine made(2);
  const int root = made.host_bridge(1);
  const int hca = made.pci(root, "0000:82:00.0", 0x15b3, 0x0207);
  made.os_device(hca, "ib0", "network");
  made.os_device(hca, "mlx5_0", "openfabrics");
  made.os_device(made.pci(root, "0000:81:00.0", 0x8086, 0x0200), "eth0", "network");
  join_devices(made.topology);
  REQUIRE(made.topology.nics.size() == 2);
  CHECK(made.topology.nics[0].name == "eth0");
  CHECK(made.topology.nics[0].kind == "ethernet");
  CHECK(made.topology.nics[1].name == "mlx5_0");
  CHECK(made.topology.nics[1].names == Names{"ib0", "mlx5_0"});
  CHECK(made.topology.nics[1].kind == "infiniband");
  CHECK(made.topology.nics[1].nodeset.list() == "1");
}

TEST_CASE("devices: block devices are disks of a kind; what is removable is none") {
  MadeMachine made(1);
  const int root = made.host_bridge(0);
  made.os_device(made.pci(root, "0000:01:00.0", 0x144d, 0x0108), "nvme0n1", "block", "Disk");
  made.os_device(0, "sda", "block", "Disk");
  made.os_device(0, "sr0", "block", "Removable Media Device");
  made.os_device(0, "pmem0", "block", "NVM");
  made.os_device(0, "mem0", "block", "CXLMem");
  join_devices(made.topology);
  Names kinds;
  for (const Disk& disk : made.topology.disks) kinds.push_back(disk.name + " " + disk.kind);
  CHECK(kinds == Names{"nvme0n1 nvme", "sda disk", "pmem0 pmem", "mem0 cxl"});
  CHECK(made.topology.disks[0].pci->text() == "0000:01:00.0");
}

TEST_CASE(
    "devices: a device of the whole machine has no known place where there are several nodes") {
  MadeMachine made(2);
  made.nvidia(made.host_bridge(-1), "0000:01:00.0");
  join_devices(made.topology);
  CHECK(made.topology.gpus[0].nodeset.empty());
  CHECK(made.topology.gpus[0].cpuset.empty());
}

}  // namespace
