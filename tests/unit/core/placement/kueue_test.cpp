// Kueue's answers, as section 8 of the reference gives them, and what holds for every answer.
#include "core/placement/kueue/kueue.hpp"

#include <numeric>

#include <doctest/doctest.h>

#include "core/placement/kueue/balanced.hpp"

using namespace aictl;
using namespace aictl::placement;

namespace {

using Pods = std::vector<int>;

Pods assign(KueueAlgorithm algorithm, const Pods& capacities, int pods, int slice = 1) {
  auto given = kueue_assign(algorithm, capacities, pods, slice);
  REQUIRE_MESSAGE(given.ok(), (given.ok() ? "" : given.error().message));
  return *given;
}

}  // namespace

TEST_CASE("kueue: best fit gives the known answers") {
  CHECK_EQ(assign(KueueAlgorithm::kBestFit, {3, 3, 2, 1}, 7), Pods{3, 3, 0, 1});
  CHECK_EQ(assign(KueueAlgorithm::kBestFit, {6, 5, 4, 3, 2}, 12, 2), Pods{6, 0, 4, 0, 2});
}

TEST_CASE("kueue: one domain that holds all is the smallest such") {
  CHECK_EQ(assign(KueueAlgorithm::kBestFit, {9, 4, 5, 4}, 4), Pods{0, 4, 0, 0});
  CHECK_EQ(assign(KueueAlgorithm::kLeastFree, {9, 4, 5, 4}, 5), Pods{0, 0, 5, 0});
}

TEST_CASE("kueue: least free fills the fullest first") {
  CHECK_EQ(assign(KueueAlgorithm::kLeastFree, {3, 3, 2, 1}, 7), Pods{3, 1, 2, 1});
}

TEST_CASE("kueue: balanced gives each of the fewest domains as much as the emptiest can have") {
  CHECK_EQ(assign(KueueAlgorithm::kBalanced, {4, 4, 4, 4}, 8), Pods{4, 4, 0, 0});
  CHECK_EQ(assign(KueueAlgorithm::kBalanced, {6, 5, 4}, 9), Pods{0, 5, 4});
  CHECK_EQ(assign(KueueAlgorithm::kBalanced, {5, 5, 5, 1}, 12), Pods{4, 4, 4, 0});
  CHECK_EQ(assign(KueueAlgorithm::kBalanced, {4, 4, 4}, 8, 2), Pods{4, 4, 0});
}

TEST_CASE("kueue: every answer places all pods, in slices, within capacities") {
  for (const auto algorithm :
       {KueueAlgorithm::kBestFit, KueueAlgorithm::kLeastFree, KueueAlgorithm::kBalanced})
    for (int seed = 1; seed < 200; ++seed) {
      Pods capacities;
      for (int i = 0; i < 1 + seed % 7; ++i) capacities.push_back((seed * 31 + i * i * 17) % 9);
      for (const int slice : {1, 2, 3}) {
        int room = 0;
        for (int capacity : capacities) room += capacity / slice;
        for (int slices = 1; slices <= room; ++slices) {
          const Pods given = assign(algorithm, capacities, slices * slice, slice);
          CHECK_EQ(std::accumulate(given.begin(), given.end(), 0), slices * slice);
          for (size_t i = 0; i < given.size(); ++i) {
            CHECK_LE(given[i], capacities[i]);
            CHECK_EQ(given[i] % slice, 0);
          }
        }
      }
    }
}

TEST_CASE("kueue: too many pods, broken slices and numbers out of range are errors") {
  const auto code = [](const Pods& capacities, int pods, int slice) {
    auto given = kueue_assign(KueueAlgorithm::kBestFit, capacities, pods, slice);
    REQUIRE_FALSE(given.ok());
    return given.error().code;
  };
  CHECK_EQ(code({1, 1}, 3, 1), ErrorCode::kResourceExhausted);
  CHECK_EQ(code({3, 3}, 4, 4), ErrorCode::kResourceExhausted);
  CHECK_EQ(code({9}, 5, 2), ErrorCode::kInvalidArgument);
  CHECK_EQ(code({}, 1, 1), ErrorCode::kInvalidArgument);
  CHECK_EQ(code({-1}, 1, 1), ErrorCode::kInvalidArgument);
  CHECK_EQ(code({1}, 0, 1), ErrorCode::kInvalidArgument);
}
