#include "plugins/topology/nvidia_smi/nvidia_smi.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <sstream>

#include "core/topology/devices.hpp"
#include "core/topology/groups.hpp"

namespace {

using namespace aictl;
namespace fs = std::filesystem;
using topology::Level;

std::string bytes_of(const fs::path& path) {
  std::ostringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  return bytes.str();
}

Result<Topology> read(std::string_view text) {
  auto topology = NvidiaSmiSource().import(text, {});
  if (topology) topology::finish(*topology);
  return topology;
}

Topology must_read(std::string_view text) {
  auto topology = read(text);
  REQUIRE_MESSAGE(topology.ok(), topology.error().message);
  return *std::move(topology);
}

std::string refusal(std::string_view text) {
  const auto topology = read(text);
  REQUIRE_FALSE(topology.ok());
  CHECK(topology.error().code == ErrorCode::kDataRefused);
  return topology.error().message;
}

Json matrix_of(const Topology& topology) {
  std::vector<int> all(topology.gpus.size());
  std::iota(all.begin(), all.end(), 0);
  return topology::matrix_json(topology, all);
}

/// Compares every table of a folder with what is expected of it, field by field; how many there
/// were.
int compare_folder(const fs::path& folder) {
  int tables = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".txt") continue;
    CAPTURE(entry.path().string());
    auto expected =
        parse_json(bytes_of(fs::path(entry.path()).replace_extension(".expected.json")));
    REQUIRE(expected.ok());
    const std::string text = bytes_of(entry.path());
    CHECK(NvidiaSmiSource().recognises(text));
    const Json matrix = matrix_of(must_read(text));
    for (const auto& field : expected->items()) {
      const std::string& key = field.key();
      if (key == "machine" || key == "source" || key == "note") continue;
      CAPTURE(key);
      REQUIRE(matrix.contains(key));
      CHECK(dump_json(matrix.at(key)) == dump_json(field.value()));
    }
    ++tables;
  }
  return tables;
}

constexpr std::string_view kTwo =
    "\tGPU0\tGPU1\tmlx5_0\tCPU Affinity\tNUMA Affinity\tGPU NUMA ID\n"
    "GPU0\t X \tNV4\tPIX\t0-3\t0\t\tN/A\n"
    "GPU1\tNV4\t X \tSYS\t4-7\t1\t\t5\n"
    "mlx5_0\tPIX\tSYS\t X \t\t\t\t\n";

std::string with(std::string_view text, std::string_view old, std::string_view fresh) {
  std::string changed(text);
  const size_t at = changed.find(old);
  REQUIRE(at != std::string::npos);
  return changed.replace(at, old.size(), fresh);
}

TEST_CASE("nvidia_smi: tables read to their expected matrices and groups") {
  CHECK(compare_folder(fs::path(AICTL_TEST_DATA) / "topologies/nvidia-smi") >= 8);
}

TEST_CASE("nvidia_smi: all published tables read to their expected matrices and groups") {
  const fs::path folder = fs::path(AICTL_SHARED) / "topologies/nvidia-smi";
  if (!fs::exists(folder)) {
    MESSAGE("skipped: no ", folder.string());
    return;
  }
  CHECK(compare_folder(folder) >= 16);
}

TEST_CASE("nvidia_smi: affinities make CPUs, memory nodes and the GPU's own node") {
  const Topology two = must_read(kTwo);
  REQUIRE(two.gpus.size() == 2);
  CHECK(two.gpus[0].cpuset.list() == "0-3");
  CHECK_FALSE(two.gpus[0].memory_node);
  CHECK(two.gpus[1].memory_node == 5);
  CHECK(two.allowed_cpuset.list() == "0-7");
  CHECK(objects_of(two, topology::ObjectType::kNuma).size() == 2);
  CHECK(objects_of(two, topology::ObjectType::kPu).size() == 8);
  CHECK(find_link(two, "gpu0", "gpu1")->word() == "NV4");
  CHECK(find_link(two, "nic0", "gpu0")->level == Level::kPix);
  CHECK(find_link(two, "gpu1", "numa1")->level == Level::kPhb);
  CHECK(find_link(two, "gpu1", "numa0")->level == Level::kSys);
}

TEST_CASE("nvidia_smi: colours, carriage returns, a prompt before and prose after change nothing") {
  const Json plain = matrix_of(must_read(kTwo));
  const std::string colours =
      with(with(kTwo, "\tGPU0", "\t\033[4mGPU0"), "GPU NUMA ID", "GPU NUMA ID\033[0m");
  CHECK(matrix_of(must_read(colours)) == plain);
  const std::string lost_escape =
      with(with(kTwo, "\tGPU0", "\t[4mGPU0"), "GPU NUMA ID", "GPU NUMA ID[0m");
  CHECK(matrix_of(must_read(lost_escape)) == plain);
  std::string windows;
  for (char c : kTwo) windows += c == '\n' ? std::string("\r\n") : std::string(1, c);
  CHECK(matrix_of(must_read(windows)) == plain);
  CHECK(matrix_of(must_read("user@host:~$ nvidia-smi topo -m\n" + std::string(kTwo) +
                            "\nthe X server runs on a PIX port\nLegend:\n  X = itself\n")) ==
        plain);
}

TEST_CASE("nvidia_smi: a header broken over two lines is one header") {
  const Json plain = matrix_of(must_read(kTwo));
  CHECK(matrix_of(must_read(with(kTwo, "\tmlx5_0\tCPU", "\n\tmlx5_0\tCPU"))) == plain);
  CHECK(matrix_of(must_read(with(kTwo, "NUMA Affinity", "NUMA\nAffinity"))) == plain);
}

TEST_CASE("nvidia_smi: a header broken within its devices is one header") {
  const Json plain = matrix_of(must_read(kTwo));
  CHECK(matrix_of(must_read(with(kTwo, "\tGPU1", "\n\tGPU1"))) == plain);
  CHECK(matrix_of(must_read(with(kTwo, "\tGPU1", "\nGPU1"))) == plain);
  const std::string after_nic = "\tGPU0\tmlx5_0\n\tGPU1\nGPU0\tX\tPIX\tSYS\nGPU1\tSYS\tSYS\tX\n";
  CHECK(find_link(must_read(after_nic + "mlx5_0\tPIX\tX\tSYS\n"), "gpu0", "nic0")->level ==
        Level::kPix);
  const std::string_view three =
      "\tGPU0\n\tGPU1\n\tGPU2\tCPU Affinity\n"
      "GPU0\tX\tNV1\tSYS\t0-3\nGPU1\tNV1\tX\tSYS\t0-3\nGPU2\tSYS\tSYS\tX\t4-7\n";
  CHECK(must_read(three).gpus.size() == 3);
  CHECK(find_link(must_read(three), "gpu0", "gpu1")->word() == "NV1");
}

TEST_CASE("nvidia_smi: what stands above a header is no piece of it") {
  const Json plain = matrix_of(must_read(kTwo));
  const std::string header(kTwo.substr(0, kTwo.find('\n') + 1));
  CHECK(matrix_of(must_read(header + std::string(kTwo))) == plain);
  for (const char* above :
       {"node7\n", "GPU0 and GPU1\n", "GPU2\n\n", "\tGPU0\tGPU1\n", "CPU Affinity\n", "mlx5_0\n"})
    CHECK_MESSAGE(matrix_of(must_read(above + std::string(kTwo))) == plain, above);
}

TEST_CASE("nvidia_smi: a row broken by a narrow terminal goes on in the next line") {
  const std::string_view rows =
      "  GPU0 GPU1 GPU2 CPU Affinity\nGPU0 X NV4\nNV8 0-3\nGPU1 NV4 X SYS 0-3\nGPU2 NV8 SYS X "
      "0-3\n";
  CHECK(find_link(must_read(rows), "gpu0", "gpu2")->word() == "NV8");
}

TEST_CASE("nvidia_smi: without tabs an empty list of CPUs is seen by the lone node number") {
  const Topology two = must_read(
      "     GPU0   GPU1   CPU Affinity   NUMA Affinity   GPU NUMA ID\n"
      "GPU0  X     SYS                     1               N/A\n"
      "GPU1  SYS   X      4-7             0               N/A\n");
  CHECK(two.gpus[0].cpuset.empty());
  CHECK(two.gpus[0].nodeset.list() == "1");
  CHECK(two.gpus[1].cpuset.list() == "4-7");
}

TEST_CASE("nvidia_smi: an empty cell of the matrix is an unknown link") {
  const Topology two = must_read("\tGPU0\tGPU1\tNIC0\nGPU0\tX\tSYS\t\nGPU1\tSYS\tX\tPIX\n");
  CHECK(find_link(two, "gpu0", "nic0") == nullptr);
  CHECK(find_link(two, "gpu1", "nic0")->level == Level::kPix);
}

TEST_CASE("nvidia_smi: levels that contradict the one memory node are told") {
  const Topology vm = must_read(
      "\tGPU0\tGPU1\tCPU Affinity\tNUMA Affinity\nGPU0\tX\tSYS\t0-3\t0\nGPU1\tSYS\tX\t0-3\t0\n");
  REQUIRE(vm.warnings.size() == 1);
  CHECK(vm.warnings[0].code == "levels_untrusted");
  CHECK(must_read(kTwo).warnings.empty());
}

std::string cut_warning(std::string_view text) {
  const Topology topology = must_read(text);
  if (topology.warnings.empty()) return "";
  REQUIRE(topology.warnings.size() == 1);
  CHECK(topology.warnings[0].code == "table_cut");
  return topology.warnings[0].text;
}

TEST_CASE("nvidia_smi: a table that ends within the row of a NIC is told") {
  const std::string upper =
      "\tGPU0\tGPU1\tNIC0\tNIC1\n"
      "GPU0\tX\tNV4\tPIX\tSYS\nGPU1\tNV4\tX\tSYS\tPIX\n";
  const std::string first = upper + "NIC0\tPIX\tSYS\tX\tSYS\n";
  const auto told = [](int line, const char* nic, int cells) {
    return "line " + std::to_string(line) + ": " + nic + " has " + std::to_string(cells) +
           " of 4 cells: the table is cut off";
  };
  for (const char* torn : {"NIC0", "NIC0\t", "NIC0\tP", "NIC0\tP\n\n"})
    CHECK(cut_warning(upper + torn) == told(4, "NIC0", 0));
  CHECK(cut_warning(first + "NIC1\tSYS") == told(5, "NIC1", 1));
  CHECK(cut_warning(first + "NIC1\tSYS\tPI") == told(5, "NIC1", 1));
  CHECK(cut_warning(first + "NIC1\tSYS\tPIX\tNV") == told(5, "NIC1", 2));
  CHECK(cut_warning(first + "NIC1 SYS PIX\n") == told(5, "NIC1", 2));
  CHECK(matrix_of(must_read(upper + "NIC0\tP")) == matrix_of(must_read(upper)));
}

TEST_CASE("nvidia_smi: short rows of NICs that are no cut stay silent") {
  const std::string upper =
      "\tGPU0\tGPU1\tNIC0\tNIC1\n"
      "GPU0\tX\tNV4\tPIX\tSYS\nGPU1\tNV4\tX\tSYS\tPIX\n";
  CHECK(cut_warning(upper).empty());
  CHECK(cut_warning(upper + "NIC0\tPIX\tSYS\nNIC1\tSYS\tPIX\n").empty());
  CHECK(cut_warning(upper + "NIC0\tPIX\tSYS\nNIC1\tSYS\tPIX\tSYS\tX\n").empty());
  CHECK(cut_warning(upper + "NIC0\tPIX\tSYS\tX\tSYS\nNIC1\tSYS\t\t\tX\t\t\n").empty());
  CHECK(cut_warning(upper + "NIC0\tPIX\tSYS\tX\tSYS\nNIC1\tSYS\tPIX\tSYS\tX\nNIC1").empty());
  CHECK(cut_warning(upper + "NIC0 is the port of the storage").empty());
}

TEST_CASE("nvidia_smi: a published table cut off within its first NIC is told") {
  const fs::path path = fs::path(AICTL_SHARED) / "topologies/nvidia-smi/01-dgx-a100.txt";
  if (!fs::exists(path)) {
    MESSAGE("skipped: no ", path.string());
    return;
  }
  const std::string whole = bytes_of(path);
  CHECK(cut_warning(whole).empty());
  CHECK(cut_warning(whole.substr(0, whole.find("\nmlx5_0\tP") + 9)) ==
        "line 10: mlx5_0 has 0 of 20 cells: the table is cut off");
}

TEST_CASE("nvidia_smi: damaged tables are refused with the line") {
  CHECK(refusal("") == "line 0: no row of a GPU up to here");
  CHECK(refusal("\tGPU0\tGPU1\n") == "line 1: no row of a GPU up to here");
  CHECK(refusal("GPU0\t X \tNV4\n") == "line 1: a row without a header above it");
  CHECK(refusal(with(kTwo, "NV4\tPIX", "ZZ\tPIX")) == "line 2: 'ZZ' under GPU1 is no link");
  CHECK(refusal(with(kTwo, "NV4\tPIX", "SYS\tPIX")) ==
        "line 3: GPU1 to GPU0 is 'NV4', but line 2 says 'SYS'");
  CHECK(refusal(with(kTwo, "\tmlx5_0", "")) ==
        "line 2: CPU Affinity of GPU0: 'PIX' in 'PIX' is not a set");
  CHECK(refusal(with(kTwo, "GPU1\tNV4", "GPU7\tNV4")) ==
        "line 3: a row of 'GPU7', which is not in the header");
  CHECK(refusal(with(kTwo, "GPU1\tNV4", "GPU0\tNV4")) == "line 3: a second row of 'GPU0'");
  CHECK(refusal(with(kTwo, "GPU0\tGPU1", "GPU0\tGPU0")) ==
        "line 1: column 'GPU0' stands there twice");
  CHECK(refusal("\tGPU0\tGPU1\nGPU0\tX\tSYS\n") == "line 2: the table ends without a row of GPU1");
  CHECK(refusal("\tGPU0\tGPU1\nGPU0\tX\nGPU1\tSYS\tX\n") ==
        "line 2: GPU0 has 1 cells for 2 devices");
  CHECK(refusal(with(kTwo, "0-3", "3-0")) ==
        "line 2: CPU Affinity of GPU0: '3-0' in '3-0' is not a set");
  CHECK(
      refusal(with(kTwo, "\t1\t\t5", "\t99999\t\t5")).starts_with("line 3: NUMA Affinity of GPU1"));
  CHECK(refusal(with(kTwo, "\t\t5", "\t\t-5")) == "line 3: GPU NUMA ID '-5' is not in 0..4095");
  CHECK(refusal(with(kTwo, "GPU0\t X \tNV4", "GPU0\tSYS\tNV4")) ==
        "line 2: GPU0 to itself is 'SYS', not X");
}

TEST_CASE("nvidia_smi: a table of thousands of devices is refused") {
  std::string header;
  for (int i = 0; i < 5000; ++i) header += "\tGPU" + std::to_string(i);
  CHECK(refusal(header + "\nGPU0\tX\tSYS\n") == "line 1: more than 256 devices");
}

TEST_CASE("nvidia_smi: a table at its limit is read, and its groups found, in bounded time") {
  std::string table;
  for (int i = 0; i < 256; ++i) table += "\tGPU" + std::to_string(i);
  for (int i = 0; i < 256; ++i) {
    table += "\nGPU" + std::to_string(i);
    for (int j = 0; j < 256; ++j) table += i == j ? "\tX" : i / 8 == j / 8 ? "\tPIX" : "\tSYS";
  }
  const auto start = std::chrono::steady_clock::now();
  const Json groups = matrix_of(must_read(table + "\n"))["best_tp_groups"];
  CHECK(groups["8"]["worst_link"] == "PIX");
  CHECK(groups["8"]["n_optimal"] == 32);
  CHECK(std::chrono::steady_clock::now() - start <
        std::chrono::seconds(20));  // also under sanitizers
}

TEST_CASE("nvidia_smi: other text is not recognised") {
  CHECK_FALSE(NvidiaSmiSource().recognises("<topology version=\"2.0\">\n"));
  CHECK_FALSE(NvidiaSmiSource().recognises("{\"gpus\": 3}"));
  CHECK_FALSE(NvidiaSmiSource().recognises(""));
}

}  // namespace
