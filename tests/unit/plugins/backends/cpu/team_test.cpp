// Workers, how they share loops, and where they are placed.
#include "plugins/backends/cpu/team/team.hpp"

#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "plugins/backends/cpu/team/arena.hpp"

using namespace aictl;
using namespace aictl::cpu;
namespace fs = std::filesystem;

namespace {

struct ScratchFolder {
  fs::path path;
  ScratchFolder() {
    std::string name = (fs::temp_directory_path() / "aictl-cpu-XXXXXX").string();
    path = mkdtemp(name.data());
  }
  ~ScratchFolder() { fs::remove_all(path); }
  void write(const std::string& file, const std::string& text) const {
    fs::create_directories((path / file).parent_path());
    std::ofstream(path / file) << text;
  }
};

}  // namespace

TEST_CASE("team: a loop's things are each done once, and seen by the next loop") {
  for (int threads : {1, 2, 3, 5}) {
    auto placement = place_workers(threads);
    REQUIRE(placement.ok());
    Team team(*placement);
    REQUIRE_EQ(team.size(), threads);
    for (int64_t count : {0, 1, 2, 7, 100}) {
      std::vector<int> done(static_cast<size_t>(count));
      std::atomic<int> wrong{0};
      for (int round = 0; round < 200; ++round) {
        team.share(count, round % 3, [&](int worker, int64_t begin, int64_t end) {
          if (worker < 0 || worker >= threads || begin >= end) wrong.fetch_add(1);
          for (int64_t i = begin; i < end; ++i)
            if (done[static_cast<size_t>(i)]++ != round) wrong.fetch_add(1);
        });
      }
      CHECK_EQ(wrong.load(), 0);
      for (int value : done) CHECK_EQ(value, 200);
    }
  }
}

TEST_CASE("team: the caller does the part of a worker that does not come") {
  auto placement = place_workers(2);
  REQUIRE(placement.ok());
  Team team(*placement);
  std::atomic<bool> over{false}, held{false};
  // Worker 1 is kept in its first claim until worker 0 has done everything else.
  std::atomic<int64_t> by_caller{0};
  team.share(64, 1, [&](int worker, int64_t begin, int64_t end) {
    if (worker == 1) {
      held = true;
      while (!over) std::this_thread::yield();
      return;
    }
    by_caller += end - begin;
    if (!held) {  // for the owner of the second half to come
      while (!held) std::this_thread::yield();
    }
    if (by_caller >= 32 + 8) over = true;
  });
  CHECK_GE(by_caller.load(), 32 + 8);
}

TEST_CASE("team: little work stays with the caller") {
  auto placement = place_workers(3);
  REQUIRE(placement.ok());
  Team team(*placement);
  int calls = 0;
  team.share(10, 10, [&](int worker, int64_t begin, int64_t end) {
    ++calls;
    CHECK_EQ(worker, 0);
    CHECK_EQ(begin, 0);
    CHECK_EQ(end, 10);
  });
  CHECK_EQ(calls, 1);
}

TEST_CASE("placement: cores are taken once, more threads than cores are crowded") {
  const auto suggested = place_workers(0);
  REQUIRE(suggested.ok());
  CHECK_GE(suggested->cpus.size(), 1);
  const std::set<int> distinct(suggested->cpus.begin(), suggested->cpus.end());
  CHECK_EQ(distinct.size(), suggested->cpus.size());
  CHECK_FALSE(suggested->crowded);
  CHECK_FALSE(suggested->device.empty());
  CHECK(suggested->why.find("physical core") != std::string::npos);
  const auto many = place_workers(static_cast<int>(suggested->cpus.size()) + 1);
  REQUIRE(many.ok());
  CHECK(many->crowded);
  CHECK_FALSE(place_workers(-1).ok());
  CHECK_FALSE(place_workers(100000).ok());
}

TEST_CASE("placement: the tightest quota of a group and its parents counts, both versions") {
  const ScratchFolder v2;
  v2.write("cpu.max", "max 100000");
  v2.write("a/cpu.max", "250000 100000");
  v2.write("a/b/cpu.max", "400000 100000");
  CHECK_EQ(cpu_quota(v2.path, "0::/a/b\n"), 2.5);
  CHECK_EQ(cpu_quota(v2.path, "0::/\n"), 0);
  CHECK_EQ(cpu_quota(v2.path, "0::/absent\n"), 0);
  CHECK_EQ(cpu_quota(v2.path, "nonsense"), 0);
  const ScratchFolder v1;
  v1.write("cpu/job/cpu.cfs_quota_us", "150000");
  v1.write("cpu/job/cpu.cfs_period_us", "100000");
  v1.write("cpu/cpu.cfs_quota_us", "-1");
  v1.write("cpu/cpu.cfs_period_us", "100000");
  CHECK_EQ(cpu_quota(v1.path, "3:memory:/job\n1:cpu,cpuacct:/job\n"), 1.5);
}

TEST_CASE("arena: takes are aligned, zero and apart; more than the machine has is an error") {
  auto arena = Arena::make(1000);
  REQUIRE(arena.ok());
  std::byte* first = arena->take(1);
  std::byte* second = arena->take(100);
  CHECK_EQ(reinterpret_cast<uintptr_t>(first) % 64, 0);
  CHECK_EQ(second - first, 64);
  for (int i = 0; i < 100; ++i) CHECK_EQ(second[i], std::byte{0});
  const auto huge = Arena::make(size_t{1} << 60);
  REQUIRE_FALSE(huge.ok());
  CHECK_EQ(huge.error().code, ErrorCode::kResourceExhausted);
}
