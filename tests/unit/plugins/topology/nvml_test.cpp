#include "plugins/topology/nvml/nvml.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "core/topology/devices.hpp"

namespace {

using namespace aictl;
namespace fs = std::filesystem;
using topology::Gpu;
using topology::Level;
using topology::Link;
using topology::LinkSource;
using topology::Object;
using topology::ObjectType;
using topology::PciAddress;

Topology look(const char* scenario, Topology topology = {},
              const std::string& library = FAKE_NVML_NEW) {
  setenv("AICTL_FAKE_NVML", scenario, 1);
  Sight sight;
  sight.nvml = library;
  REQUIRE(NvmlSource().look(sight, topology).ok());
  topology::finish(topology);
  return topology;
}

const Link& link(const Topology& topology, std::string_view a, std::string_view b) {
  const Link* found = find_link(topology, a, b);
  REQUIRE(found != nullptr);
  return *found;
}

bool warned(const Topology& topology, std::string_view code) {
  for (const topology::Warning& warning : topology.warnings)
    if (warning.code == code) return true;
  return false;
}

/// A machine whose kernel shows GPUs at bus 10, 20, ...: two memory nodes, a host bridge each.
Topology machine(int gpus) {
  Topology made;
  made.objects.resize(1);
  made.objects[0].nodeset = *topology::Bitset::parse_list("0-1");
  made.objects[0].cpuset = *topology::Bitset::parse_list("0-31");
  for (int node = 0; node < 2; ++node) {
    Object memory;
    memory.type = ObjectType::kNuma;
    memory.parent = 0;
    memory.os_index = node;
    memory.bytes = uint64_t{64} << 30;
    memory.cpuset = *topology::Bitset::parse_list(node == 0 ? "0-15" : "16-31");
    memory.nodeset.set(node);
    Object group = memory;
    group.type = ObjectType::kGroup;
    made.objects.push_back(memory);
    made.objects.push_back(group);
  }
  for (int i = 0; i < gpus; ++i) {
    Object bridge;
    bridge.type = ObjectType::kBridge;
    bridge.host_bridge = true;
    bridge.parent = i < (gpus + 1) / 2 ? 2 : 4;
    made.objects.push_back(bridge);
    Object function;
    function.type = ObjectType::kPci;
    function.parent = int(made.objects.size()) - 1;
    function.pci.address = {0, uint8_t(0x10 + 0x10 * i), 0, 0};
    function.pci.vendor = 0x10de;
    function.pci.class_id = 0x0302;
    function.pci.link_gbs = 4;
    made.objects.push_back(function);
  }
  return made;
}

TEST_CASE("nvml: eight GPUs on switches are one fabric of 18 links") {
  const Topology box = look("nvswitch", machine(8));
  REQUIRE(box.gpus.size() == 8);
  CHECK(box.system.nvidia_driver == "580.95.05");
  CHECK(box.system.cuda_driver == "13.0");
  const Gpu& gpu = box.gpus[5];
  CHECK(gpu.pci->text() == "0000:60:00.0");
  CHECK(gpu.model == "NVIDIA H100 80GB HBM3");
  CHECK(gpu.uuid == "GPU-5");
  CHECK(gpu.names == std::vector<std::string>{"nvml5"});
  CHECK(gpu.architecture == "Hopper");
  CHECK(gpu.compute_capability == "9.0");
  CHECK(gpu.memory_bytes == 85520809984ull);
  CHECK(gpu.memory_reserved == 512ull << 20);
  CHECK(gpu.memory_gbs == doctest::Approx(3352).epsilon(0.001));
  CHECK(gpu.pcie_max_generation == 5);
  CHECK(gpu.nvlink_count == 18);
  CHECK(gpu.nvlink_active == 18);
  CHECK(gpu.nvlink_version == 4);
  CHECK(gpu.nvlink_errors == 3);
  CHECK(gpu.fabric_state == 3);
  CHECK(gpu.fabric_cluster == "00112233-4455-6677-8899-aabbccddeeff.5");
  CHECK(gpu.nodeset.list() == "1");
  for (int a = 0; a < 8; ++a)
    for (int b = a + 1; b < 8; ++b) {
      const Link& pair = link(box, "gpu" + std::to_string(a), "gpu" + std::to_string(b));
      CHECK(pair.word() == "NV18");
      CHECK(pair.gbs == doctest::Approx(450));
      CHECK(pair.source == LinkSource::kDriver);
    }
  CHECK(box.warnings.empty());
}

TEST_CASE("nvml: state is read, and what is refused has its reason") {
  const Gpu gpu = look("nvswitch").gpus.at(0);
  CHECK(gpu.power_watts == doctest::Approx(123.456));
  CHECK(gpu.power_limit_watts == doctest::Approx(500));
  CHECK(gpu.power_default_watts == doctest::Approx(700));
  CHECK(gpu.temperature_c == doctest::Approx(41));
  CHECK(gpu.clock_reasons == 4);
  CHECK(gpu.utilisation == 55);
  CHECK(gpu.persistence == true);
  CHECK(gpu.ecc == true);
  CHECK(gpu.ecc_uncorrected == 2);
  CHECK(gpu.remap_pending == true);
  CHECK(gpu.remap_failed == false);
  CHECK(gpu.pcie_replays == 7);
  CHECK(gpu.serial.empty());
  CHECK(gpu.missing.at("serial") == "not supported");
  CHECK(gpu.missing.at("memory_node") == "not supported");
  CHECK(gpu.cpuset.list() == "0-7");  // no tree here: the driver's affinity counts
}

TEST_CASE("nvml: slices of a GPU in MIG mode are listed with their profiles") {
  const Topology box = look("mig");
  CHECK_FALSE(box.gpus[0].mig_enabled);
  const Gpu& gpu = box.gpus[1];
  CHECK(gpu.mig_enabled);
  REQUIRE(gpu.mig.size() == 3);
  CHECK(gpu.mig[0].profile == "1g.10gb");
  CHECK(gpu.mig[0].uuid == "MIG-0");
  CHECK(gpu.mig[1].profile == "3g.40gb");
  CHECK(gpu.mig[1].memory_bytes == 40448ull << 20);
  CHECK(gpu.mig[1].sm_count == 60);
  CHECK(gpu.mig[2].profile == "1c.2g.20gb");
  CHECK(gpu.missing.at("utilisation") == "not supported");
}

TEST_CASE("nvml: a GPU that tells no memory shares the host's") {
  const Gpu gpu = look("gb10", machine(1)).gpus.at(0);
  CHECK(gpu.unified_memory);
  CHECK(gpu.memory_bytes == uint64_t{128} << 30);
  CHECK(gpu.missing.at("memory_bytes") == "not supported");
  CHECK(gpu.architecture == "Blackwell");
  CHECK(gpu.memory_gbs ==
        doctest::Approx(273));  // of the table: the driver tells neither width nor clock
}

TEST_CASE("nvml: a lost GPU keeps its address, and the others their facts") {
  const Topology box = look("lost", machine(2));
  REQUIRE(box.gpus.size() == 2);
  CHECK(box.gpus[0].lost.empty());
  CHECK(box.gpus[0].memory_bytes);
  CHECK(box.gpus[1].lost == "the GPU is lost");
  CHECK(box.gpus[1].pci->text() == "0000:20:00.0");
  CHECK_FALSE(box.gpus[1].memory_bytes);
  CHECK(warned(box, "gpu_lost"));
}

TEST_CASE("nvml: a GPU without a handle is the one the kernel sees and the driver does not") {
  const Topology box = look("no_handle", machine(2));
  REQUIRE(box.gpus.size() == 2);
  CHECK(box.gpus[1].lost == "the GPU is lost");
  CHECK(box.gpus[1].nodeset.list() == "1");
  CHECK(warned(box, "gpu_lost"));
  CHECK(warned(box, "gpu_unreadable"));
}

TEST_CASE("nvml: a fabric that is not ready and a link that is down are seen") {
  CHECK(look("fabric").gpus[0].fabric_state == 2);
  const Topology down = look("link_down");
  CHECK(down.gpus[1].nvlink_count == 18);
  CHECK(down.gpus[1].nvlink_active == 16);
  CHECK(link(down, "gpu0", "gpu1").word() == "NV16");
}

TEST_CASE("nvml: a bridge joins two GPUs; its speed comes from the version where no field tells") {
  const Topology two = look("bridge");
  const Link& pair = link(two, "gpu0", "gpu1");
  CHECK(pair.word() == "NV4");
  CHECK(pair.gbs == doctest::Approx(56.25));
  CHECK(pair.source == LinkSource::kTable);
  CHECK(pair.note.empty());
}

TEST_CASE("nvml: coherent parts have C2C to their processor and memory of their own") {
  const Topology box = look("gh200");
  CHECK(box.gpus[0].memory_node == 1);
  const Link& c2c = link(box, "gpu0", "numa0");
  CHECK(c2c.medium == topology::Medium::kC2c);
  CHECK(c2c.gbs == doctest::Approx(450));
}

TEST_CASE(
    "nvml: without NVLink the driver's level stands, with the tree's width and the state of P2P") {
  const Topology box = look("pcie", machine(3));
  const Link& pair = link(box, "gpu0", "gpu1");
  CHECK(pair.level == Level::kPhb);  // the tree alone says NODE
  CHECK(pair.gbs == doctest::Approx(4));
  CHECK(pair.note == "no peer-to-peer: the chipset does not support it");
  CHECK(box.gpus[0].missing.at("nvlink_count") == "not supported");
}

TEST_CASE("nvml: an old driver tells what it can; the rest says so") {
  const Topology old = look("pcie", machine(3), FAKE_NVML_OLD);
  REQUIRE(old.gpus.size() == 3);
  CHECK(old.gpus[0].model == "NVIDIA H100 80GB HBM3");
  CHECK(old.gpus[0].memory_bytes == 85520809984ull);  // of the first layout
  CHECK_FALSE(old.gpus[0].memory_reserved);
  CHECK(old.gpus[0].missing.at("architecture") == "this driver is too old to tell");
  CHECK(old.gpus[0].missing.at("fabric_state") == "this driver is too old to tell");
  CHECK(link(old, "gpu0", "gpu1").level == Level::kNode);  // of the tree
}

TEST_CASE("nvml: when the driver does not start the PCI facts stay, with its words") {
  const Topology box = look("noinit", machine(2));
  REQUIRE(box.gpus.size() == 2);
  CHECK(box.gpus[0].vendor == "NVIDIA");
  REQUIRE(box.warnings.size() == 1);
  CHECK(box.warnings[0].code == "nvml_failed");
  CHECK(box.warnings[0].text == "nvmlInit: Driver Not Loaded (9)");
}

TEST_CASE("nvml: no library is worth a word only where a GPU is") {
  CHECK(look("nvswitch", machine(1), "/nonexistent/libnvidia-ml.so.1").warnings[0].code ==
        "nvml_missing");
  Topology bare;
  REQUIRE(NvmlSource().look({}, bare).ok());
  CHECK(bare.warnings.empty() !=
        warned(bare, "nvml_failed"));  // silent, or a real driver without a GPU
}

TEST_CASE("nvml: the stub of the toolkit is no driver") {
  const fs::path folder =
      fs::temp_directory_path() / ("aictl-nvml-" + std::to_string(getpid())) / "stubs";
  fs::create_directories(folder);
  fs::copy_file(FAKE_NVML_NEW, folder / "libnvidia-ml.so.1", fs::copy_options::overwrite_existing);
  const Topology box = look("nvswitch", machine(1), folder / "libnvidia-ml.so.1");
  fs::remove_all(folder.parent_path());
  CHECK(warned(box, "nvml_missing"));
  CHECK(box.gpus.at(0).model.empty());
}

TEST_CASE("nvml: a captured root has no driver") {
  setenv("AICTL_FAKE_NVML", "nvswitch", 1);
  Topology captured;
  Sight sight;
  sight.nvml = FAKE_NVML_NEW;
  sight.sysroot = "/somewhere";
  REQUIRE(NvmlSource().look(sight, captured).ok());
  CHECK(captured.gpus.empty());
}

}  // namespace
