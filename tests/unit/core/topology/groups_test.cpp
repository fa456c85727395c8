#include "core/topology/groups.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <numeric>

namespace {

using namespace aictl::topology;
using aictl::Json;
using Groups = std::vector<std::vector<int>>;

Link link_of(std::string a, std::string b, Level level, int count = 0) {
  Link link;
  link.a = std::move(a);
  link.b = std::move(b);
  link.level = level;
  link.count = count;
  return link;
}

/// GPUs with all pairs at one level, on one memory node each `per_node`.
Topology uniform(int gpus, Level level, int per_node, int count = 0) {
  Topology made;
  for (int i = 0; i < gpus; ++i) {
    Gpu gpu;
    gpu.index = i;
    gpu.nodeset.set(i / per_node);
    made.gpus.push_back(gpu);
    for (int j = 0; j < i; ++j)
      made.links.push_back(
          link_of("gpu" + std::to_string(j), "gpu" + std::to_string(i), level, count));
  }
  return made;
}

void set_level(Topology& topology, int a, int b, Level level, int count = 0) {
  for (Link& link : topology.links)
    if (link.a == "gpu" + std::to_string(a) && link.b == "gpu" + std::to_string(b)) {
      link.level = level;
      link.count = count;
    }
}

std::vector<int> all(const Topology& topology) {
  std::vector<int> indexes(topology.gpus.size());
  std::iota(indexes.begin(), indexes.end(), 0);
  return indexes;
}

TEST_CASE("groups: the worst pair counts first") {
  Topology four = uniform(4, Level::kSys, 4);
  set_level(four, 1, 2, Level::kPhb);
  const BestGroups best = best_groups(four, 2, all(four));
  CHECK(best.groups == Groups{{1, 2}});
  CHECK(best.worst_link == "PHB");
}

TEST_CASE("groups: then the sum of pairs, then the fewest memory nodes") {
  Topology five = uniform(5, Level::kNode, 5);
  set_level(five, 0, 1, Level::kPix);
  set_level(five, 0, 2, Level::kPix);
  CHECK(best_groups(five, 3, all(five)).groups == Groups{{0, 1, 2}});
  const Topology fabric = uniform(4, Level::kNv, 2, 18);
  CHECK(best_groups(fabric, 2, all(fabric)).groups == Groups{{0, 1}, {2, 3}});
  CHECK(best_groups(fabric, 2, all(fabric)).worst_link == "NV18");
}

TEST_CASE("groups: without memory nodes the CPUs near tell who stands together") {
  Topology four = uniform(4, Level::kNv, 4, 2);
  for (int i = 0; i < 4; ++i) {
    four.gpus[i].nodeset = {};
    four.gpus[i].cpuset.set(i % 2);
  }
  CHECK(best_groups(four, 2, all(four)).groups == Groups{{0, 2}, {1, 3}});
}

TEST_CASE("groups: only those asked for take part, in any order") {
  const Topology six = uniform(6, Level::kNode, 3);
  const std::vector<int> some = {5, 0, 4};
  CHECK(best_groups(six, 2, some).groups == Groups{{4, 5}});
  CHECK(best_groups(six, 4, some).groups.empty());
  CHECK(best_groups(six, 0, some).groups.empty());
}

TEST_CASE("groups: pairs nobody knows of are the worst") {
  Topology three = uniform(3, Level::kSys, 3);
  three.links.pop_back();  // 1 and 2
  CHECK(best_groups(three, 2, all(three)).groups == Groups{{0, 1}, {0, 2}});
  CHECK(best_groups(three, 3, all(three)).worst_link == "unknown");
}

TEST_CASE("groups: past 20,000 candidates a greedy search finds the island") {
  // 40 choose 8 is 76,904,685.
  Topology many = uniform(40, Level::kSys, 40);
  const std::vector<int> island = {3, 8, 13, 18, 23, 28, 33, 38};
  for (size_t i = 0; i < island.size(); ++i)
    for (size_t j = i + 1; j < island.size(); ++j)
      set_level(many, island[i], island[j], Level::kNv, 4);
  const auto start = std::chrono::steady_clock::now();
  const BestGroups best = best_groups(many, 8, all(many));
  CHECK(best.groups == Groups{island});
  CHECK(best.worst_link == "NV4");
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
}

TEST_CASE("groups: sixteen GPUs and groups of eight are searched exactly") {
  Topology sixteen = uniform(16, Level::kNv, 8, 6);
  const BestGroups best = best_groups(sixteen, 8, all(sixteen));
  CHECK(best.groups == Groups{{0, 1, 2, 3, 4, 5, 6, 7}, {8, 9, 10, 11, 12, 13, 14, 15}});
}

TEST_CASE("matrix: a subset keeps its numbers, and bandwidths stand beside") {
  Topology four = uniform(4, Level::kPhb, 2);
  four.links[0].gbs = 31.5;
  four.links[0].source = LinkSource::kTable;
  four.nics.resize(2);
  four.nics[0].name = "mlx5_0";
  four.nics[1].name = "mlx5_1";
  four.links.push_back(link_of("gpu3", "nic1", Level::kPxb));
  const std::vector<int> some = {1, 3};
  const Json matrix = matrix_json(four, some);
  CHECK(matrix["gpus"] == 2);
  CHECK(matrix["gpu"][1]["index"] == 3);
  CHECK(matrix["gpu"][1]["nearest_nics"] == Json::array({"mlx5_1"}));
  CHECK(matrix["gpu"][1]["nearest_nic_level"] == "PXB");
  CHECK(matrix["gpu"][0]["nearest_nics"] == Json::array());
  CHECK(matrix["gpu"][0]["nearest_nic_level"] == nullptr);
  CHECK(matrix["gpu_links"] == Json::array({Json::array({"X", "PHB"}), Json::array({"PHB", "X"})}));
  CHECK(matrix["best_tp_groups"]["2"]["groups"] == Json::array({Json::array({1, 3})}));
  CHECK_FALSE(matrix["best_tp_groups"].contains("4"));
  const Json whole = matrix_json(four, all(four));
  CHECK(whole["gpu_link_gbs"][0][1] == 31.5);
  CHECK(whole["gpu_link_source"][0][1] == "table");
  CHECK(whole["gpu_link_gbs"][0][0] == nullptr);
  CHECK(whole["nvlink_uniform"] == true);
  CHECK(whole["nvlink_full_mesh"] == false);
}

}  // namespace
