// Groups of GPUs: the expected groups of nvidia-smi tables, brute force, rings, fragmentation.
#include "core/placement/search/groups.hpp"

#include <bit>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include <doctest/doctest.h>

#include "core/placement/search/runners.hpp"
#include "core/topology/groups.hpp"
#include "core/value/json.hpp"
#include "tests/unit/core/placement/machines.hpp"

using namespace aictl;
using namespace aictl::placement;

namespace {

GpuMask all_of(const LinkTable& links) { return (GpuMask{1} << links.size()) - 1; }

LinkTable table(const Topology& machine) {
  std::vector<Device> gpus;
  for (const topology::Gpu& gpu : machine.gpus) {
    Device device;
    device.gpu = gpu.index;
    gpus.push_back(device);
  }
  return LinkTable(machine, gpus);
}

// Every way to choose `count` disjoint groups of `size`; calls `visit` with each once.
void every_choice(GpuMask free, int size, int count, std::vector<GpuMask>& groups,
                  const std::function<void(const std::vector<GpuMask>&)>& visit) {
  if (count == 0) return visit(groups);
  const std::vector<int> gpus = gpus_of(free);
  for (GpuMask bits = 0; bits < (GpuMask{1} << gpus.size()); ++bits) {
    if (std::popcount(bits) != size) continue;
    GpuMask group = 0;
    for (size_t i = 0; i < gpus.size(); ++i)
      if (bits >> i & 1) group |= GpuMask{1} << gpus[i];
    if (!groups.empty() && std::countr_zero(group) < std::countr_zero(groups.back())) continue;
    groups.push_back(group);
    every_choice(free & ~group, size, count - 1, groups, visit);
    groups.pop_back();
  }
}

// A machine with links drawn from a few levels by a little generator.
Topology random_machine(int gpus, uint32_t seed) {
  const char* words[] = {"NV1", "NV2", "PIX", "NODE", "SYS"};
  return gpu_machine(gpus, "V100", 2, [&, state = seed](int a, int b) mutable {
    state = state * 1664525 + 1013904223;
    return link_of(a, b, words[(state >> 20) % 5]);
  });
}

}  // namespace

TEST_CASE("groups: one group is among the best of every nvidia-smi table") {
  const std::filesystem::path folder =
      std::filesystem::path(AICTL_SHARED) / "topologies/nvidia-smi";
  if (!std::filesystem::exists(folder)) {
    MESSAGE("no tables of nvidia-smi here: skipped");
    return;
  }
  int tables = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".json") continue;
    std::stringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    const Topology machine = from_matrix(text.str());
    const auto tree = parse_json(text.str());
    const LinkTable links = table(machine);
    GroupSearch search(links, all_of(links));
    for (const auto& best : (*tree)["best_tp_groups"].items()) {
      const GroupChoice& choice = search.choose(all_of(links), std::stoi(best.key()), 1);
      REQUIRE_EQ(choice.groups.size(), 1);
      const Json group = gpus_of(choice.groups[0]);
      const Json& groups = best.value()["groups"];
      const bool among = std::ranges::find(groups, group) != groups.end();
      CHECK_MESSAGE(among, entry.path().filename()
                               << " size " << best.key() << ": " << group.dump());
    }
    ++tables;
  }
  CHECK_EQ(tables, 16);
}

TEST_CASE("groups: the choice is brute force's on machines of 4 to 7 random GPUs") {
  for (int gpus = 4; gpus <= 7; ++gpus)
    for (uint32_t seed = 1; seed <= 12; ++seed) {
      const Topology machine = random_machine(gpus, seed);
      const LinkTable links = table(machine);
      for (int size = 1; size <= 3; ++size)
        for (int count = 1; count * size <= gpus; ++count) {
          GroupSearch search(links, all_of(links));
          const GroupChoice& choice = search.choose(all_of(links), size, count);
          std::vector<GpuMask> groups;
          GroupScore best;
          bool found = false;
          every_choice(all_of(links), size, count, groups, [&](const auto& candidate) {
            GroupScore score = search.score(candidate, all_of(links));
            if (!found || score.compare(best) < 0) best = score, found = true;
          });
          REQUIRE_EQ(int(choice.groups.size()), count);
          CHECK(choice.exact);
          CHECK_EQ(choice.score.compare(best), 0);
        }
    }
}

TEST_CASE("groups: for each term the best that lost on it is brute force's") {
  for (uint32_t seed = 1; seed <= 12; ++seed) {
    const Topology machine = random_machine(6, seed);
    const LinkTable links = table(machine);
    GroupSearch search(links, all_of(links));
    const GroupScore winner = search.choose(all_of(links), 2, 2).score;
    std::map<GroupTerm, GroupScore> best;
    std::vector<GpuMask> groups;
    every_choice(all_of(links), 2, 2, groups, [&](const auto& candidate) {
      const GroupScore score = search.score(candidate, all_of(links));
      const auto [order, term] = score.against(winner);
      if (order == 0) return;
      CHECK_EQ(order, 1);
      const auto [at, fresh] = best.try_emplace(term, score);
      if (!fresh && score.compare(at->second) < 0) at->second = score;
    });
    const auto runners = search.runners_up(all_of(links), 2, 2);
    REQUIRE_EQ(runners.size(), best.size());
    REQUIRE_GE(runners.size(), 1);
    for (const GroupRunner& runner : runners) {
      const GroupScore& expected = best.at(runner.term);
      CHECK_EQ(runner.score.worst_rank, expected.worst_rank);
      CHECK_EQ(runner.score.rank_sum, expected.rank_sum);
      if (runner.term > GroupTerm::kLinks) CHECK_EQ(runner.score.compare(expected), 0);
      CHECK(search.score(runner.groups, all_of(links)).against(winner).second == runner.term);
    }
  }
}

TEST_CASE("groups: what lost is told with its numbers") {
  const Topology square = gpu_machine(
      4, "V100", 1, [](int a, int b) { return link_of(a, b, (b - a) % 2 == 1 ? "NV2" : "NV1"); });
  const LinkTable links = table(square);
  GroupSearch search(links, all_of(links));
  const auto lost = rejected_groups(search.runners_up(0xf, 2, 1), search.choose(0xf, 2, 1), links);
  REQUIRE_EQ(lost.size(), 2);
  CHECK_EQ(lost[0].option, "gpu 0,2");
  CHECK_EQ(lost[0].term, "links");
  CHECK_EQ(lost[0].why, "worst link NV1 against NV2");
  CHECK_EQ(lost[1].option, "gpu 1,2");  // 0,3 is 0,1 to everybody
  CHECK_EQ(lost[1].term, "index");
  CHECK_EQ(lost[1].why, "indexes 1,2 > 0,1");
  const Topology islands = two_islands("RTX 4090");
  const LinkTable far = table(islands);
  GroupSearch torn(far, 0xff);
  const auto whole = rejected_groups(torn.runners_up(0xfc, 2, 1), torn.choose(0xfc, 2, 1), far);
  REQUIRE_EQ(whole.size(), 2);
  CHECK_EQ(whole[1].term, "fragmentation");
  CHECK(whole[1].why.find(" > ") != std::string::npos);
}

TEST_CASE("groups: two replicas take two islands, and the second is not torn for the first") {
  const Topology machine = two_islands("RTX 4090");
  const LinkTable links = table(machine);
  GroupSearch search(links, all_of(links));
  CHECK_EQ(search.choose(0xff, 4, 2).groups, std::vector<GpuMask>{0x0f, 0xf0});
  CHECK_EQ(search.choose(0xfe, 4, 1).groups, std::vector<GpuMask>{0xf0});
  // Beside an island that is broken already, a pair leaves the whole one alone.
  CHECK_EQ(search.choose(0xfc, 2, 1).groups, std::vector<GpuMask>{0x0c});
}

TEST_CASE("groups: sixteen GPUs that are alike are chosen exactly and at once") {
  const Topology machine = switched("V100");
  const LinkTable links = table(machine);
  GroupSearch search(links, all_of(links));
  const GroupChoice& pair = search.choose(0xffff, 8, 2);
  CHECK(pair.exact);
  CHECK_EQ(pair.groups, std::vector<GpuMask>{0x00ff, 0xff00});
}

TEST_CASE("groups: greedy with swaps is as good as exact search where both can be had") {
  // 16 GPUs without symmetry have more than 20,000 choices of three groups of four.
  const Topology machine = random_machine(16, 7);
  const LinkTable links = table(machine);
  GroupSearch search(links, all_of(links));
  const GroupChoice& choice = search.choose(0xffff, 4, 3);
  CHECK_FALSE(choice.exact);
  REQUIRE_EQ(choice.groups.size(), 3);
  GpuMask taken = 0;
  for (GpuMask group : choice.groups) {
    CHECK_EQ(std::popcount(group), 4);
    CHECK_EQ(taken & group, 0);
    taken |= group;
  }
  const auto runners = search.runners_up(0xffff, 4, 3);
  REQUIRE_FALSE(runners.empty());  // one swap away, and no better
  for (const GroupRunner& runner : runners)
    CHECK_GT(search.score(runner.groups, 0xffff).compare(choice.score), 0);
  // Better than taking GPUs in order.
  CHECK_LT(choice.score.compare(search.score({0xf, 0xf0, 0xf00}, 0xffff)), 0);
}

TEST_CASE("links: the best ring avoids the slowest edge where it can") {
  // 0-1-2-3 in a ring of NV2, diagonals of NV1.
  const Topology square = gpu_machine(
      4, "V100", 1, [](int a, int b) { return link_of(a, b, (b - a) % 2 == 1 ? "NV2" : "NV1"); });
  const LinkTable links = table(square);
  CHECK_EQ(links.ring_gbs(0xf), doctest::Approx(2 * 25 * 0.8));
  CHECK_EQ(links.fabric(0xf).pair_gbs, doctest::Approx(25 * 0.8));
  CHECK(links.fabric(0xf).nvlink);
  CHECK_EQ(links.fabric(0xf).worst_word(), "NV1");
  CHECK_EQ(links.ring_gbs(0x1), 0);
}

TEST_CASE("links: a ring over two sockets crosses between them once each way") {
  Topology machine = gpu_machine(4, "A10", 2, [](int a, int b) {
    topology::Link link = link_of(a, b, a / 2 == b / 2 ? "NODE" : "SYS");
    link.gbs = a / 2 == b / 2 ? 30.0 : 10.0;
    return link;
  });
  const LinkTable links = table(machine);
  CHECK_EQ(links.ring_gbs(0xf), doctest::Approx(10 * 0.85));
}

TEST_CASE("fragmentation: counts the groups that are left, weighed") {
  const Topology machine = two_islands("V100");
  const LinkTable links = table(machine);
  Fragmentation fragmentation(links, 0xff);
  CHECK_EQ(fragmentation.groups(2, 0xff), 4);
  CHECK_EQ(fragmentation.groups(4, 0xff), 2);
  CHECK_EQ(fragmentation.groups(8, 0xff), 1);
  CHECK_EQ(fragmentation.groups(4, 0xfe), 1);
  CHECK_EQ(fragmentation.groups(2, 0b00010001), 0);  // one of each island: SYS is not the best
  CHECK_EQ(fragmentation.loss(0xff, 0xf0), 2 * 1 + 1 * 3 + 1 * 8);
}
