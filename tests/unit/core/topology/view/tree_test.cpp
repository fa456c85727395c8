#include <doctest/doctest.h>

#include "core/cli/terminal/table.hpp"
#include "core/topology/view/text.hpp"
#include "core/topology/view/words.hpp"
#include "tests/unit/core/topology/view/made_server.hpp"

using namespace aictl::topology;
using namespace aictl::topology::view;

namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

Nic port(std::string name, double gbs) {
  Nic nic;
  nic.name = std::move(name);
  nic.gbs = gbs;
  return nic;
}

std::vector<std::string> lines_of(const std::string& text) { return aictl::cli::wrap(text, 1000); }

}  // namespace

TEST_CASE("tree: parts that are alike are folded, with their numbers") {
  const std::string text = tree(MadeServer(2, 16, 0).topology);
  CHECK(has(text, "made  2 packages, 32 cores, 64 CPUs, 128 GiB\n"));
  CHECK(has(text, "└─ 2x package 0-1  cpus 0-63  Test Processor 9000, L3 32 MiB\n"));
  CHECK(has(text, "numa 0-1  64 GiB DRAM, one each\n"));
  CHECK(has(text, "16x core, 2 PU each\n"));
}

TEST_CASE("tree: packages with different devices stay apart, GPUs of one model fold") {
  MadeServer server(2, 4, 8);
  server.link_all(Level::kNv, 18, 450);
  const std::string text = tree(server.topology);
  CHECK(has(text, "├─ package 0  Test Processor 9000"));
  CHECK(has(text, "gpu0-3  4x NVIDIA H100 80GB HBM3, 80 GiB\n"));
  CHECK(has(text, "gpu4-7  4x NVIDIA H100 80GB HBM3, 80 GiB\n"));
  CHECK(has(text, "links    NV18 450 GB/s (table)  all 28 pairs\n"));
}

TEST_CASE("tree: limits and warnings stand below") {
  MadeServer server(1, 16, 0);
  server.topology.allowed_cpuset = *Bitset::parse_list("0,3-7");
  server.topology.limits.cpu_quota = 2.5;
  server.topology.limits.effective_cpus = 2;
  server.topology.warnings = {{"hypervisor", "reported by the hypervisor"}};
  const std::string text = tree(server.topology);
  CHECK(has(text, "limits   6 of 32 CPUs allowed: 0,3-7\n"));
  CHECK(has(text, "         2.50 CPUs' worth of time by cgroup quota, so 2 threads at once\n"));
  CHECK(has(text, "warnings reported by the hypervisor\n"));
}

TEST_CASE("tree: never more than 60 lines of 80 columns, whatever the machine") {
  MadeServer server(40, 3, 40);
  Topology& machine = server.topology;
  for (size_t i = 0; i < machine.objects.size(); ++i)  // no two memory nodes alike
    if (machine.objects[i].type == ObjectType::kNuma) machine.objects[i].bytes += i << 30;
  for (int i = 0; i < 300; ++i)
    machine.nics.push_back(port(std::string(90, 'n') + std::to_string(i), i + 1.0));
  for (int i = 0; i < 100; ++i) machine.warnings.push_back({"w", std::string(200, 'w')});
  const auto lines = lines_of(tree(machine));
  CHECK(lines.size() <= kTreeLines + 1);  // the last one is empty
  CHECK(lines.size() > 40);
  for (const std::string& line : lines) CHECK(aictl::cli::display_width(line) <= kTreeWidth);
}

TEST_CASE("tree: an empty machine and a name that is no text are shown, not refused") {
  CHECK(tree({}) == "machine  nothing known\n");
  Topology machine = MadeServer(1, 1, 0).topology;
  machine.hostname = "a\x1b[31m\xff";
  CHECK(has(tree(machine), "a?[31m?  1 package"));
}

TEST_CASE("tree: CPUs that are offline count neither as allowed nor as kept from us") {
  Topology machine = MadeServer(1, 4, 0).topology;  // 8 CPUs
  const auto set = [](const char* list) { return *Bitset::parse_list(list); };
  machine.allowed_cpuset = set("0-3");
  CHECK(has(tree(machine), "limits   4 of 8 CPUs allowed: 0-3\n"));
  machine.system.settings["offline_cpus"] = "6-7,100";
  CHECK(has(tree(machine), "limits   4 of 6 CPUs allowed: 0-3\n         2 CPUs offline: 6-7\n"));
  machine.allowed_cpuset = set("0-5");
  CHECK(has(tree(machine), "limits   2 CPUs offline: 6-7\n"));
  machine.system.settings = {{"absent_cpus", "6-7"}};
  CHECK(has(tree(machine), "limits   2 CPUs offline or not allowed: 6-7\n"));
}

TEST_CASE("tree: a machine without a name is called by the last folder or file of its input") {
  Topology machine;
  for (const char* input : {"roots/node7", "roots/node7/", "/node7//"}) {
    machine.origin.input = input;
    CHECK(has(tree(machine), "node7  "));
  }
  machine.origin.input = "//";
  CHECK(has(tree(machine), "machine  "));
}

TEST_CASE("words: sizes and speeds are read at a glance") {
  CHECK(size_text(uint64_t{32} << 10) == "32 KiB");
  CHECK(size_text(uint64_t{1536} << 20) == "1.5 GiB");
  CHECK(size_text(0) == "size unknown");
  CHECK(speed_text(15.7538) == "15.8 GB/s");
  CHECK(speed_text(1.25) == "1.25 GB/s");
  CHECK(speed_text(std::nullopt) == "unknown");
  CHECK(shown("abcdef", 5) == "ab...");
  CHECK(shown("日本語", 6) == "日本語");
  CHECK(shown("日本語", 5) == "日...");
}

TEST_CASE("table: packages, memory and GPUs each have their rows") {
  MadeServer server(2, 4, 2);
  const std::string text = table(server.topology);
  CHECK(has(text, "PACKAGE  CORES  CPUS  MODEL"));
  CHECK(has(text, "0      4     8  Test Processor 9000"));
  CHECK(has(text, "gpu1  NVIDIA H100 80GB HBM3  80 GiB  63 GB/s"));
}

TEST_CASE("matrix: words, bandwidths, and a legend of the words that occur") {
  MadeServer server(2, 4, 2);
  server.link_all(Level::kSys, 0, 22);
  server.topology.nics.push_back(port("mlx5_0", 25));
  const std::vector<int> gpus = {0, 1};
  const std::string text = matrix(server.topology, gpus);
  CHECK(has(text, "      GPU0  GPU1  NIC0  CPUS  NUMA\nGPU0  X     SYS   ?     0-7   0\n"));
  CHECK(has(text, "GPU1    22     X\n"));
  CHECK(has(text, "SYS   through the interconnect between NUMA nodes\n"));
  CHECK(has(text, "NIC0  mlx5_0\n"));
  CHECK(!has(text, "PIX"));
  CHECK(matrix(server.topology, {}) == "no GPUs\n");
}
