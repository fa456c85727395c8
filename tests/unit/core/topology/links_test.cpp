#include <doctest/doctest.h>

#include "core/topology/devices.hpp"
#include "core/topology/links/pcie.hpp"
#include "tests/unit/core/topology/made_machine.hpp"

namespace {

using namespace aictl::topology;

const Link& link(const Topology& topology, std::string_view a, std::string_view b) {
  const Link* found = find_link(topology, a, b);
  REQUIRE(found != nullptr);
  return *found;
}

Distances matrix(std::string name, std::vector<std::string> labels, std::vector<uint64_t> values) {
  Distances made;
  made.name = std::move(name);
  made.labels = std::move(labels);
  made.values = std::move(values);
  return made;
}

/// A switch with two ports, a GPU below each, one more switch below a third.
MadeMachine switches() {
  MadeMachine made(2);
  const int root = made.bridge(made.host_bridge(0), "0000:01:00.0", 31.5);
  const int upstream = made.bridge(root, "0000:02:00.0", 31.5);
  made.nvidia(made.bridge(upstream, "0000:03:00.0", 31.5), "0000:04:00.0", 31.5);
  made.nvidia(made.bridge(upstream, "0000:03:01.0", 31.5), "0000:05:00.0", 8);
  const int inner = made.bridge(made.bridge(upstream, "0000:03:02.0", 31.5), "0000:06:00.0", 31.5);
  made.nvidia(made.bridge(inner, "0000:07:00.0", 31.5), "0000:08:00.0", 31.5);
  made.nvidia(made.bridge(made.host_bridge(0), "0000:40:00.0", 31.5), "0000:41:00.0", 31.5);
  made.nvidia(made.bridge(made.host_bridge(1), "0000:80:00.0", 31.5), "0000:81:00.0", 31.5);
  return made;
}

TEST_CASE("links: levels come from the nearest common bridge, else from the memory nodes") {
  MadeMachine made = switches();
  const int shared = made.host_bridge(1);
  made.nvidia(made.bridge(shared, "0000:a0:00.0"), "0000:a1:00.0");
  made.nvidia(made.bridge(shared, "0000:a0:01.0"), "0000:a2:00.0");
  finish(made.topology);
  CHECK(link(made.topology, "gpu0", "gpu1").level == Level::kPix);
  CHECK(link(made.topology, "gpu0", "gpu2").level == Level::kPxb);
  CHECK(link(made.topology, "gpu0", "gpu3").level == Level::kNode);
  CHECK(link(made.topology, "gpu0", "gpu4").level == Level::kSys);
  CHECK(link(made.topology, "gpu5", "gpu6").level == Level::kPhb);
  const PciAddress first = *made.topology.gpus[0].pci;
  CHECK(pcie_level(made.topology, first, first) == Level::kSelf);
  CHECK(pcie_level(made.topology, first, {9, 9, 9, 0}) == Level::kUnknown);
}

TEST_CASE("links: a whole switch between counts as two ports") {
  MadeMachine made(1);
  const int outer = made.bridge(made.host_bridge(0), "0000:01:00.0");
  const int inner = made.bridge(outer, "0000:02:00.0");
  for (int index : {outer, inner}) made.topology.objects[size_t(index)].subtype = kWholeSwitch;
  made.nvidia(outer, "0000:03:00.0");
  made.nvidia(inner, "0000:04:00.0");
  made.nvidia(inner, "0000:05:00.0");
  finish(made.topology);
  CHECK(link(made.topology, "gpu0", "gpu1").level == Level::kPxb);
  CHECK(link(made.topology, "gpu1", "gpu2").level == Level::kPix);
}

TEST_CASE("links: the narrowest hop decides, by lanes and speed where both are known") {
  MadeMachine made = switches();
  finish(made.topology);
  CHECK(link(made.topology, "gpu0", "gpu2").gbs == doctest::Approx(31.5));
  CHECK(link(made.topology, "gpu0", "gpu2").source == LinkSource::kDriver);
  CHECK(link(made.topology, "gpu0", "gpu1").gbs == doctest::Approx(8));
  PciFacts facts;
  facts.link_gbs = 4;  // asleep, at its lowest speed
  facts.link_gts = 2.5;
  facts.max_link_gts = 16;
  facts.link_width = 8;  // of sixteen: lanes do not come back
  facts.max_link_width = 16;
  CHECK(width_of(facts)->gbs == doctest::Approx(15.754).epsilon(0.001));
  CHECK(width_of(facts)->source == LinkSource::kTable);
  CHECK_FALSE(width_of(PciFacts()));
}

TEST_CASE("links: a port asleep has the lanes it shows and the speed of what is below it") {
  MadeMachine made(1);
  const int root = made.host_bridge(0);
  made.nvidia(made.bridge(root, "0000:01:00.0", 2.0), "0000:02:00.0",
              15.7538);  // 2.5 GT/s, 8 lanes
  made.nvidia(made.bridge(root, "0000:03:00.0", 15.7538), "0000:04:00.0", 15.7538);
  made.nvidia(made.bridge(root, "0000:05:00.0", 1.9692), "0000:06:00.0",
              15.7538);  // 8 GT/s, 2 lanes
  finish(made.topology);
  CHECK(link(made.topology, "gpu0", "gpu1").gbs == doctest::Approx(7.8769));
  CHECK(link(made.topology, "gpu0", "gpu1").source == LinkSource::kInferred);
  CHECK(link(made.topology, "gpu1", "gpu2").gbs == doctest::Approx(1.9692));
}

TEST_CASE("links: between sockets the interconnect is narrower than PCI Express") {
  MadeMachine made = switches();
  made.topology.objects[1].infos = {{"CPUModel", "AMD EPYC 7742 64-Core Processor"}};
  finish(made.topology);
  const Link& across = link(made.topology, "gpu0", "gpu4");
  CHECK(across.gbs == doctest::Approx(16));
  CHECK(across.source == LinkSource::kTable);
  CHECK(across.medium == Medium::kSocket);
}

TEST_CASE(
    "links: a GPU reaches its own memory node through the host bridge, others across sockets") {
  MadeMachine made = switches();
  finish(made.topology);
  CHECK(link(made.topology, "gpu0", "numa0").level == Level::kPhb);
  CHECK(link(made.topology, "gpu0", "numa0").gbs == doctest::Approx(31.5));
  CHECK(link(made.topology, "gpu0", "numa1").level == Level::kSys);
}

TEST_CASE("links: a NIC is no faster than its port") {
  MadeMachine made = switches();
  const int hca = made.pci(made.host_bridge(0), "0000:09:00.0", 0x15b3, 0x0207, 31.5);
  made.os_device(hca, "mlx5_0", "openfabrics");
  join_devices(made.topology);
  made.topology.nics[0].gbs = 12.5;
  derive_links(made.topology);
  CHECK(link(made.topology, "gpu4", "nic0").gbs == doctest::Approx(12.5));
}

TEST_CASE("links: under a hypervisor levels are hearsay") {
  MadeMachine made = switches();
  made.topology.system.hypervisor = "kvm";
  finish(made.topology);
  CHECK(link(made.topology, "gpu0", "gpu1").note == "reported by the hypervisor");
}

TEST_CASE("links: NVLinks of a matrix override levels; the diagonal is no link, zero is none") {
  MadeMachine made = switches();
  int number = 0;
  for (size_t i = 0; i < made.topology.objects.size(); ++i) {
    if (made.topology.objects[i].type != ObjectType::kPci) continue;
    const std::string name = "nvml" + std::to_string(number++);
    made.os_device(int(i), name.c_str(), "gpu").infos = {{"GPUModel", "Tesla P100-SXM2-16GB"}};
  }
  made.topology.distances = {matrix(
      "NVLinkBandwidth", {"nvml0", "nvml1", "nvml2", "Package:0"},
      {1000000, 40000, 0, 40000, 40000, 1000000, 0, 0, 0, 0, 1000000, 0, 40000, 0, 0, 1000000})};
  finish(made.topology);
  const Link& pair = link(made.topology, "gpu0", "gpu1");
  CHECK(pair.word() == "NV2");
  CHECK(pair.gbs == doctest::Approx(40));
  CHECK(pair.source == LinkSource::kDriver);
  CHECK(link(made.topology, "gpu0", "gpu2").level == Level::kPxb);
  const Link& memory = link(made.topology, "gpu0", "numa0");  // NVLink to the processor
  CHECK(memory.medium == Medium::kNvlink);
  CHECK(memory.gbs == doctest::Approx(40));
}

TEST_CASE("links: GPUs on switches of two boards are one fabric; its trunk is inferred") {
  MadeMachine made(2);
  for (int i = 0; i < 4; ++i) {
    const std::string address = "0000:0" + std::to_string(i + 1) + ":00.0",
                      name = "nvml" + std::to_string(i);
    made.os_device(made.nvidia(made.host_bridge(i / 2), address.c_str()), name.c_str(), "gpu")
        .infos = {{"GPUModel", "Tesla V100-SXM3-32GB"}};
  }
  const uint64_t up = 75000;  // three links to each of two switches a board
  made.topology.distances = {
      matrix("NVLinkBandwidth",
             {"nvml0", "nvml1", "nvml2", "nvml3", "pci:0000:61:00.0", "pci:0000:62:00.0",
              "pci:0000:c1:00.0", "pci:0000:c2:00.0"},
             {0,  0,  0, 0, up, up, 0, 0, 0,  0,     0, 0, up, up, 0, 0, 0, 0, 0, 0, 0, 0,
              up, up, 0, 0, 0,  0,  0, 0, up, 25000, 0, 0, 0,  0,  0, 0, 0, 0, 0, 0, 0, 0,
              0,  0,  0, 0, 0,  0,  0, 0, 0,  0,     0, 0, 0,  0,  0, 0, 0, 0, 0, 0})};
  finish(made.topology);
  CHECK(link(made.topology, "gpu0", "gpu1").word() == "NV6");
  CHECK(link(made.topology, "gpu0", "gpu1").gbs == doctest::Approx(150));
  CHECK(link(made.topology, "gpu0", "gpu1").note.empty());
  const Link& across = link(made.topology, "gpu0", "gpu2");
  CHECK(across.word() == "NV6");
  CHECK(across.gbs == doctest::Approx(150));
  CHECK(across.note == "trunk inferred");
  CHECK(across.source == LinkSource::kInferred);
  CHECK(link(made.topology, "gpu1", "gpu3").gbs == doctest::Approx(100));  // the weaker decides
  CHECK(link(made.topology, "gpu1", "gpu3").word() == "NV4");
}

TEST_CASE("links: what a driver or a measurement said stays") {
  MadeMachine made = switches();
  join_devices(made.topology);
  made.topology.links.push_back(
      {"gpu0", "gpu1", Level::kNv, 3, Medium::kNvlink, 70.0, LinkSource::kMeasured, ""});
  derive_links(made.topology);
  CHECK(link(made.topology, "gpu0", "gpu1").source == LinkSource::kMeasured);
  CHECK(link(made.topology, "gpu0", "gpu1").gbs == doctest::Approx(70));
}

TEST_CASE("links: a damaged matrix is left aside") {
  MadeMachine made = switches();
  made.topology.distances = {matrix("NVLinkBandwidth", {"nvml0", "nvml1"}, {1}),
                             matrix("NVLinkBandwidth", {"nowhere", "Package:x"}, {1, 1, 1, 1})};
  finish(made.topology);
  CHECK(link(made.topology, "gpu0", "gpu1").level == Level::kPix);
}

TEST_CASE("links: thousands of GPUs make a warning, not billions of links") {
  Topology crowd;
  crowd.gpus.resize(5000);
  derive_links(crowd);
  CHECK(crowd.links.empty());
  REQUIRE(crowd.warnings.size() == 1);
  CHECK(crowd.warnings[0].code == "too_many_links");
}

}  // namespace
