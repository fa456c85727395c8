// Rules about PCI Express, NVLink and GPUs: each with a fault that it finds and a near miss.
#include <doctest/doctest.h>

#include "tests/unit/core/doctor/machine.hpp"

namespace aictl::doctor {
namespace {

using namespace test;  // NOLINT: a test's own words
using topology::Level;
using topology::LinkSource;

/// Whether `rule` finds something in `machine`, and nothing in a healthy one.
const Finding& only_finding(const Report& report) {
  REQUIRE(report.findings.size() == 1);
  CHECK_FALSE(report.findings[0].evidence.empty());
  CHECK_FALSE(report.findings[0].cost.empty());
  CHECK_FALSE(report.findings[0].fix.empty());
  return report.findings[0];
}

bool passes(const Report& report) { return report.passed.size() == 1; }

TEST_CASE("T01: fewer lanes than board and slot have; a narrow slot filled is well") {
  Topology machine = healthy();
  machine.gpus[2].pcie_width = 8;
  const Finding finding = only_finding(ask("T01", {machine}));
  CHECK(finding.title == "gpu2: PCIe x8 where x16 is possible");
  CHECK(finding.evidence.find("of 31.5 GB/s") != std::string::npos);
  machine.gpus[2].pcie_max_width = 8;
  CHECK(passes(ask("T01", {machine})));
}

TEST_CASE("T01: a NIC with fewer lanes than the bridge above it") {
  Topology machine = healthy();
  const int bridge = add_object(machine, topology::ObjectType::kBridge, 0, -1);
  machine.objects[size_t(bridge)].pci.max_link_width = 8;
  const int card = add_object(machine, topology::ObjectType::kPci, bridge, -1);
  topology::PciFacts& facts = machine.objects[size_t(card)].pci;
  facts.class_id = 0x0200;
  facts.link_width = 4;
  facts.max_link_width = 16;
  facts.link_gts = 16;
  CHECK(only_finding(ask("T01", {machine})).title ==
        "PCI 0000:00:00.0: PCIe x4 where x8 is possible");
  machine.objects[size_t(card)].pci.link_width = 8;
  CHECK(passes(ask("T01", {machine})));
}

TEST_CASE("T02: a low generation counts under load alone, and in every sample") {
  Topology machine = healthy();
  machine.gpus[0].pcie_generation = 1;
  CHECK(only_finding(ask("T02", {machine})).title ==
        "gpu0: PCIe generation 1 under load, 4 is possible");
  Topology idle = machine;
  idle.gpus[0].utilisation = 0;
  CHECK(passes(ask("T02", {idle})));
  CHECK(passes(ask("T02", {machine, healthy()})));  // it rose
  const std::vector<Topology> one{machine};
  CHECK(examine({one, {}, settled()}, std::vector<std::string>{"T02"})->skipped.size() == 1);
}

TEST_CASE("T03: replays and AER errors that grow; old ones are history") {
  Topology before = healthy(), now = healthy();
  before.gpus[1].pcie_replays = 3;
  now.gpus[1].pcie_replays = 9;
  CHECK(only_finding(ask("T03", {before, now})).evidence == "6 more in 2.0 s");
  CHECK(passes(ask("T03", {now, now})));
  now = before;
  now.system.settings["aer.0000:11:00.0.correctable"] = "4";
  CHECK(only_finding(ask("T03", {before, now})).title ==
        "PCI 0000:11:00.0.correctable: PCIe errors grow");
}

TEST_CASE("T04: links down beside equal peers; the odd one out of a bridge is not broken") {
  Topology machine = healthy();
  machine.gpus[3].nvlink_active = 3;
  const Finding finding = only_finding(ask("T04", {machine}));
  CHECK(finding.severity == Severity::kError);
  CHECK(finding.title == "gpu3: 3 of 4 NVLinks are up");
  machine = healthy();
  machine.gpus[2].nvlink_active = machine.gpus[3].nvlink_active = 0;
  CHECK(passes(ask("T04", {machine})));
  machine.nvswitches = 6;  // then all of them are meant to be joined
  CHECK(ask("T04", {machine}).findings.size() == 2);
}

TEST_CASE("T05: a fabric that is not completed; a GPU without one is well") {
  Topology machine = healthy();
  for (topology::Gpu& gpu : machine.gpus) gpu.fabric_state = 2;
  CHECK(only_finding(ask("T05", {machine})).severity == Severity::kError);
  for (topology::Gpu& gpu : machine.gpus) gpu.fabric_state = 3;
  CHECK(passes(ask("T05", {machine})));
  CHECK(passes(ask("T05", {healthy()})));
}

TEST_CASE("T06: heat under load is an error, the power cap a warning when it lasts") {
  Topology machine = healthy();
  machine.gpus[0].clock_reasons = 0x40;
  CHECK(only_finding(ask("T06", {machine})).severity == Severity::kError);
  machine.gpus[0].clock_reasons = 0x04;
  CHECK(only_finding(ask("T06", {machine})).severity == Severity::kWarn);
  const Topology well = healthy();
  CHECK(passes(ask("T06", {well, well, well, well, machine})));  // in 1 of 5 samples
  machine.gpus[0].clock_reasons = 0x01;                          // idle
  CHECK(passes(ask("T06", {machine})));
}

TEST_CASE("T07: a power limit below the default; at the default it is well") {
  Topology machine = healthy();
  machine.gpus[1].power_limit_watts = 250;
  CHECK(only_finding(ask("T07", {machine})).evidence == "250 W of 400 W");
  CHECK(passes(ask("T07", {healthy()})));
}

TEST_CASE("T08: uncorrectable errors, remapping, a lost GPU; no errors are well") {
  Topology machine = healthy();
  machine.gpus[0].ecc_uncorrected = 2;
  machine.gpus[1].remap_pending = true;
  machine.gpus[2].remap_failed = true;
  machine.gpus[3].lost = "GPU is lost";
  CHECK(ask("T08", {machine}).count(Severity::kError) == 4);
  CHECK(passes(ask("T08", {healthy()})));
}

TEST_CASE("T09: a measured copy under half of the link, or with wrong data") {
  Topology machine = healthy();
  machine.links[0].source = LinkSource::kMeasured;
  machine.links[0].gbs = 30;  // of 4 links of 25
  CHECK(only_finding(ask("T09", {machine})).severity == Severity::kError);
  machine.links[0].gbs = 80;
  CHECK(passes(ask("T09", {machine})));
  machine.links[0].note = "wrong data";
  CHECK(only_finding(ask("T09", {machine})).loss == 1);
  machine.links[0].note = "no answer";
  CHECK(only_finding(ask("T09", {machine})).title == "gpu0 to gpu1: peer-to-peer copies are stuck");
  CHECK(ask("T09", {healthy()}).skipped.size() == 1);  // nobody measured
}

TEST_CASE("T10: a GPU without a node matters where there are several") {
  Topology machine = healthy();
  machine.gpus[0].nodeset = {};
  CHECK(only_finding(ask("T10", {machine})).title == "1 of 4 GPUs have no NUMA node");
  machine.objects.pop_back();  // one node is left
  CHECK(passes(ask("T10", {machine})));
}

TEST_CASE("T14: a group across sockets while a local one exists; four of four have no choice") {
  Workload workload = settled();
  workload.tp_group = {1, 2};
  const Finding finding = only_finding(ask("T14", {healthy()}, workload));
  CHECK(finding.fix == "CUDA_DEVICE_ORDER=PCI_BUS_ID CUDA_VISIBLE_DEVICES=0,1");
  CHECK(finding.evidence.find("10.0 against 100.0 GB/s") != std::string::npos);
  Topology named = healthy();
  for (topology::Gpu& gpu : named.gpus) gpu.uuid = fmt::format("GPU-{}", gpu.index);
  CHECK(only_finding(ask("T14", {named}, workload)).fix == "CUDA_VISIBLE_DEVICES=GPU-0,GPU-1");
  for (topology::Gpu& gpu : named.gpus) {
    gpu.uuid = "";
    gpu.vendor = "AMD";
    gpu.names = {fmt::format("rsmi{}", 3 - gpu.index)};
  }
  CHECK(only_finding(ask("T14", {named}, workload)).fix == "ROCR_VISIBLE_DEVICES=3,2");
  workload.tp_group = {0, 1, 2, 3};
  CHECK(passes(ask("T14", {healthy()}, workload)));
  CHECK(passes(ask("T14", {healthy()})));
}

TEST_CASE("T20: every pair across sockets on one node is fiction; on two it is true") {
  Topology machine = healthy();
  for (topology::Link& link : machine.links) link.level = Level::kSys;
  CHECK(passes(ask("T20", {machine})));
  for (topology::Gpu& gpu : machine.gpus) gpu.nodeset = set_of(0, 0);
  CHECK(only_finding(ask("T20", {machine})).severity == Severity::kWarn);
  machine = healthy();
  machine.system.hypervisor = "QEMU";
  CHECK(passes(ask("T20", {machine})));  // NVLink is passed through
}

TEST_CASE("T21: two VBIOS versions of one model; of two models they may differ") {
  Topology machine = healthy();
  machine.gpus[3].vbios = "92.00.36";
  CHECK(only_finding(ask("T21", {machine})).evidence.find("gpu3") != std::string::npos);
  machine.gpus[3].model = "NVIDIA A100-SXM4-40GB";
  CHECK(passes(ask("T21", {machine})));
}

TEST_CASE("T22: indexes mean other GPUs where speeds differ, unless the order is set") {
  Topology machine = healthy();
  machine.gpus[0].model = "Tesla T4";
  CHECK(only_finding(ask("T22", {machine})).evidence.find("1,2,3,0") != std::string::npos);
  CHECK(passes(ask("T22", {healthy()})));
  Workload workload = settled();
  workload.process->environment["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID";
  CHECK(passes(ask("T22", {machine}, workload)));
  workload = settled();
  workload.process->environment["CUDA_VISIBLE_DEVICES"] = "GPU-1234";
  CHECK(passes(ask("T22", {machine}, workload)));
}

TEST_CASE("T24: MIG inside the group; beside it, it does no harm") {
  Topology machine = healthy();
  machine.gpus[1].mig_enabled = true;
  CHECK(only_finding(ask("T24", {machine})).severity == Severity::kError);
  Workload workload = settled();
  workload.tp_group = {2, 3};
  CHECK(passes(ask("T24", {machine}, workload)));
}

TEST_CASE("T26: persistence mode off on one; unknown is not off") {
  Topology machine = healthy();
  machine.gpus[2].persistence = false;
  CHECK(only_finding(ask("T26", {machine})).evidence == "gpu2");
  machine.gpus[2].persistence.reset();
  CHECK(passes(ask("T26", {machine})));
}

}  // namespace
}  // namespace aictl::doctor
