// Rules about memory, CPUs, network, disks and the kubelet: a fault each, and a near miss.
#include <doctest/doctest.h>

#include "tests/unit/core/doctor/machine.hpp"

namespace aictl::doctor {
namespace {

using namespace test;  // NOLINT: a test's own words

const Finding& only_finding(const Report& report) {
  REQUIRE(report.findings.size() == 1);
  CHECK_FALSE(report.findings[0].evidence.empty());
  CHECK_FALSE(report.findings[0].cost.empty());
  CHECK_FALSE(report.findings[0].fix.empty());
  return report.findings[0];
}

bool passes(const Report& report) { return report.passed.size() == 1; }

TEST_CASE("T11: more than a fifth of the pages elsewhere; a few are no matter") {
  Workload workload = settled();
  workload.process->bytes_on_node = {{0, 600}, {1, 400}};
  CHECK(only_finding(ask("T11", {healthy()}, workload)).evidence.find("40 %") != std::string::npos);
  CHECK(passes(ask("T11", {healthy()})));
}

TEST_CASE("T11: a process bound to the socket its GPUs are not on") {
  Workload workload = settled();
  workload.tp_group = {2, 3};
  CHECK(only_finding(ask("T11", {healthy()}, workload)).fix ==
        "numactl --cpunodebind=1 --membind=1");
}

TEST_CASE("T12: throttled for more than a hundredth of the time") {
  Topology before = healthy(), now = healthy();
  now.limits.cpu_quota = 4;
  now.limits.throttled_usec = 100000;  // of 2 s
  CHECK(only_finding(ask("T12", {before, now})).evidence ==
        "throttled 100.0 ms in 2.0 s (5 %), limit 4.0 CPUs");
  now.limits.throttled_usec = 10000;
  CHECK(passes(ask("T12", {before, now})));
}

TEST_CASE("T13: the limit holds weights and staging, or it does not") {
  Topology machine = healthy();
  machine.limits.memory_max = uint64_t{40} << 30;  // the weights, and nothing beside them
  CHECK(only_finding(ask("T13", {machine})).severity == Severity::kError);
  machine.limits.memory_max = uint64_t{41} << 30;
  CHECK(passes(ask("T13", {machine})));
}

TEST_CASE("T15: a NIC below its port, or on the socket without GPUs") {
  Topology machine = healthy();
  machine.nics[0].gbs = 12.5;
  CHECK(only_finding(ask("T15", {machine})).evidence == "100 of 200 Gbit/s");
  machine.nics[0].gbs = 25;
  for (topology::Gpu& gpu : machine.gpus) gpu.nodeset = set_of(1, 1);
  CHECK(only_finding(ask("T15", {machine})).title == "mlx5_0: far from all GPUs");
  machine.nics[0].state = "down";  // nobody uses it
  CHECK(ask("T15", {machine}).findings.empty());
}

TEST_CASE("T16: pages matter to an engine on the CPU; reserved ones do as well") {
  Topology machine = healthy();
  machine.system.settings["transparent_hugepage"] = "never";
  only_finding(ask("T16", {machine}));  // settled() has threads on the CPU
  machine.system.settings["hugepages_2048kB"] = "20480";
  CHECK(passes(ask("T16", {machine})));
  machine.system.settings.erase("hugepages_2048kB");
  Workload workload = settled();
  workload.threads.reset();
  CHECK(passes(ask("T16", {machine}, workload)));
}

TEST_CASE("T17: balancing works against a pinned engine, and for one that roams") {
  Topology machine = healthy();
  machine.system.settings["numa_balancing"] = "1";
  only_finding(ask("T17", {machine}));
  Workload workload = settled();
  workload.process->cpus = set_of(0, 15);
  CHECK(passes(ask("T17", {machine}, workload)));
}

TEST_CASE("T18: powersave on a server; a laptop may") {
  Topology machine = healthy();
  machine.system.settings["governor"] = "powersave";
  only_finding(ask("T18", {machine}));
  machine.system.settings["chassis_type"] = "10";
  CHECK(passes(ask("T18", {machine})));
}

TEST_CASE("T19: an empty channel; two equal ones are well") {
  Topology machine = healthy();
  CHECK(passes(ask("T19", {machine})));
  machine.system.settings["dimm.2"] = "C1; NODE 0 CHANNEL C; 0 B; 0 MT/s";
  CHECK(only_finding(ask("T19", {machine})).cost.starts_with("33 %"));
  machine.system.settings["dimm.2"] = "C1; NODE 0 CHANNEL C; 17179869184 B; 4800 MT/s";
  CHECK(only_finding(ask("T19", {machine})).title == "memory channels are filled unevenly");
  machine.system.settings["dimm.0"] = "DIMM 0; BANK 0; 34359738368 B; 4800 MT/s";
  machine.system.settings["dimm.1"] = "DIMM 1; BANK 1; 34359738368 B; 4800 MT/s";
  machine.system.settings["dimm.2"] = "DIMM 2; BANK 2; 0 B; 0 MT/s";
  CHECK(only_finding(ask("T19", {machine})).title == "memory channels are empty");
  machine.system.settings["dimm.2"] = "no slot at all";
  CHECK(passes(ask("T19", {machine})));
}

TEST_CASE("T19: reads that reach less than half of what the modules give") {
  Workload workload = settled();
  workload.reads = MemoryReads{30, 16};  // of 2 channels of 4800 MT/s: 76.8
  const Finding finding = only_finding(ask("T19", {healthy()}, workload));
  CHECK(finding.title == "memory is slower than its modules");
  CHECK(finding.evidence.starts_with("16 threads read 30.0 GB/s; the modules give 77"));
  CHECK(finding.loss == doctest::Approx(1 - 30 / 76.8));
  workload.reads = MemoryReads{39, 16};
  CHECK(passes(ask("T19", {healthy()}, workload)));
  workload.reads = MemoryReads{30, 4};  // four threads draw no more
  CHECK(passes(ask("T19", {healthy()}, workload)));
}

TEST_CASE("T23: a node that is a GPU's memory; CPU-less host memory is none") {
  Topology machine = healthy();
  const int node = add_object(machine, topology::ObjectType::kNuma, 0, 4);
  machine.objects[size_t(node)].bytes = uint64_t{96} << 30;
  CHECK(passes(ask("T23", {machine})));
  machine.objects[size_t(node)].tier = topology::MemoryTier::kGpu;
  const Finding finding = only_finding(ask("T23", {machine}));
  CHECK(finding.evidence == "node 4, 96.0 GiB in all");
  CHECK(finding.fix == "numactl --membind=0-1, cpuset.mems without node 4");
  const int other = add_object(machine, topology::ObjectType::kNuma, 0, 5);
  machine.objects[size_t(other)].tier = topology::MemoryTier::kGpu;
  CHECK(only_finding(ask("T23", {machine})).evidence == "nodes 4-5, 96.0 GiB in all");
  CHECK(only_finding(ask("T23", {machine})).fix.ends_with("without nodes 4-5"));
}

TEST_CASE("T25: nodes beyond what the kubelet aligns; an option raises it") {
  Topology machine = healthy();
  for (int node = 2; node < 10; ++node) add_object(machine, topology::ObjectType::kNuma, 0, node);
  CHECK(only_finding(ask("T25", {machine})).severity == Severity::kError);
  Workload workload = settled();
  workload.kubelet->max_numa_nodes = 10;
  CHECK(passes(ask("T25", {machine}, workload)));
  Topology table;  // of GPUs, without a tree: the nodes they name count
  for (int i = 0; i < 4; ++i) {
    topology::Gpu gpu;
    gpu.nodeset = *topology::Bitset::parse_list("0,3-9,11-17");
    gpu.memory_node = 2 + 8 * i;
    table.gpus.push_back(gpu);
  }
  CHECK(only_finding(ask("T25", {table})).evidence.starts_with("19 NUMA nodes"));
  workload.kubelet.reset();
  CHECK(ask("T25", {machine}, workload).skipped.size() == 1);
}

TEST_CASE("T27: threads against the CPUs we may use, not those one sees") {
  Topology machine = healthy();
  machine.limits.effective_cpus = 6;
  machine.limits.cpu_quota = 6.5;
  CHECK(only_finding(ask("T27", {machine})).evidence ==
        "8 threads on 6 effective CPUs (quota 6.5)");
  CHECK(passes(ask("T27", {healthy()})));
}

TEST_CASE("T28: weights on a network file system or on the other socket") {
  Workload workload = settled();
  workload.weights->filesystem = "nfs4";
  CHECK(only_finding(ask("T28", {healthy()}, workload)).title ==
        "the weights are on a network file system");
  workload = settled();
  workload.weights->node = 1;
  CHECK(only_finding(ask("T28", {healthy()}, workload)).title ==
        "the weights' disk is far from the GPUs");
  CHECK(passes(ask("T28", {healthy()})));
}

}  // namespace
}  // namespace aictl::doctor
