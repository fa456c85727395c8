// Which cores work: performance cores, physical ones first, inside the limits.
#include "core/placement/cpu/cores.hpp"

#include <doctest/doctest.h>

#include "tests/unit/core/placement/machines.hpp"

using namespace aictl;
using namespace aictl::placement;

namespace {

topology::CpuKind kind(int efficiency, const char* cpus, topology::Infos infos = {}) {
  return {efficiency, *topology::Bitset::parse_list(cpus), std::move(infos)};
}

}  // namespace

TEST_CASE("cores: a thread a physical core, siblings left alone") {
  const Topology machine = cpu_machine(2, 4, 1 << 30);
  const ThreadChoice choice = choose_threads(machine, 0);
  CHECK_EQ(choice.cpus, std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7});
  CHECK_EQ(choice.nodes.list(), "0-1");
  CHECK_FALSE(choice.crowded);
  CHECK_EQ(choice.why, "8 threads on 8 of 8 physical cores; CPUs 0-7, memory nodes 0-1");
}

TEST_CASE("cores: performance cores only, and it is said") {
  Topology machine = cpu_machine(1, 6, 1 << 30);
  machine.cpu_kinds = {kind(0, "4-5,10-11", {{"CoreType", "IntelAtom"}}), kind(1, "0-3,6-9")};
  const ThreadChoice choice = choose_threads(machine, 0);
  CHECK_EQ(choice.cpus, std::vector<int>{0, 1, 2, 3});
  CHECK(choice.why.find("performance cores only (2 slower left out)") != std::string::npos);
}

TEST_CASE("cores: kinds whose clocks differ by little are one kind") {
  Topology machine = cpu_machine(1, 6, 1 << 30);
  machine.cpu_kinds = {kind(0, "0-1,6-7", {{"FrequencyMaxMHz", "2808"}}),
                       kind(1, "2-3,8-9", {{"FrequencyMaxMHz", "3900"}}),
                       kind(2, "4-5,10-11", {{"FrequencyMaxMHz", "4004"}})};
  CHECK_EQ(choose_threads(machine, 0).cpus, std::vector<int>{2, 3, 4, 5});
}

TEST_CASE("cores: slow cores are used where a limit leaves nothing else") {
  Topology machine = cpu_machine(1, 4, 1 << 30);
  machine.cpu_kinds = {kind(0, "2-3,6-7"), kind(1, "0-1,4-5")};
  machine.limits.cpuset = topology::Bitset::parse_list("2-3").value();
  CHECK_EQ(choose_threads(machine, 0).cpus, std::vector<int>{2, 3});
}

TEST_CASE("cores: cpuset, affinity, isolation and quota bound the choice") {
  Topology machine = cpu_machine(2, 4, 1 << 30);
  machine.limits.cpuset = topology::Bitset::parse_list("1-6,9-14").value();
  machine.limits.affinity = topology::Bitset::parse_list("0-5,11-13").value();
  CHECK_EQ(choose_threads(machine, 0).cpus, std::vector<int>{1, 2, 3, 4, 5});
  machine.system.settings["isolated"] = "1,9";
  CHECK_EQ(choose_threads(machine, 0).cpus, std::vector<int>{2, 3, 4, 5});
  machine.limits.cpu_quota = 2.5;
  const ThreadChoice paid = choose_threads(machine, 0);
  CHECK_EQ(paid.cpus, std::vector<int>{2, 3});
  CHECK(paid.why.find("2.5 CPUs of quota") != std::string::npos);
  machine.limits.cpu_quota = 0.5;
  CHECK_EQ(choose_threads(machine, 0).cpus.size(), 1);
}

TEST_CASE("cores: more threads than cores share them and are crowded") {
  const Topology machine = cpu_machine(1, 2, 1 << 30);
  const ThreadChoice choice = choose_threads(machine, 3);
  CHECK_EQ(choice.cpus, std::vector<int>{0, 1, 0});
  CHECK(choice.crowded);
  CHECK_FALSE(choose_threads(machine, 2).crowded);
}

TEST_CASE("cores: a machine without core objects counts its PUs, one without PUs has none") {
  Topology machine;
  machine.objects.resize(1);
  CHECK(choose_threads(machine, 0).cpus.empty());
  for (int i = 0; i < 3; ++i) {
    topology::Object pu;
    pu.type = topology::ObjectType::kPu;
    pu.parent = 0;
    pu.os_index = i;
    pu.cpuset.set(i);
    machine.objects.push_back(pu);
  }
  CHECK_EQ(choose_threads(machine, 0).cpus, std::vector<int>{0, 1, 2});
}
