#include "core/placement/kueue/balanced.hpp"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

namespace aictl::placement {
namespace {

constexpr int64_t kMaxWork = 200'000'000;
constexpr int kNobody = -1;

// Filling the largest first: how many domains it takes, and the room of the last.
struct Greedy {
  int domains = 0, last = 0;
};

Greedy fill_largest(std::vector<int> capacities, int slices) {
  std::ranges::sort(capacities, std::greater());
  Greedy greedy;
  for (int capacity : capacities) {
    if (slices <= 0 || capacity == 0) break;
    slices -= capacity;
    ++greedy.domains;
    greedy.last = capacity;
  }
  return slices > 0 ? Greedy{} : greedy;
}

// `count` of the domains that hold `slices` together with least room to spare, the first such. Work
// grows with domains * count * slices.
std::vector<int> least_room(const std::vector<int>& capacities, int slices, int count) {
  int widest = 0;
  for (int capacity : capacities) widest = std::max(widest, capacity);
  const int sums = slices + widest;
  // reached[i][s]: the last of the first i domains found whose room sums to s.
  std::vector<std::vector<int>> reached(size_t(count) + 1, std::vector<int>(size_t(sums), kNobody));
  const auto can = [&](int i, int sum) {
    return i == 0 ? sum == 0 : reached[size_t(i)][size_t(sum)] != kNobody;
  };
  for (size_t d = 0; d < capacities.size(); ++d) {
    const int room = capacities[d];
    if (room == 0) continue;
    for (int i = count; i > 0; --i)
      for (int before = 0; before < slices; ++before)
        if (can(i - 1, before) && !can(i, before + room))
          reached[size_t(i)][size_t(before + room)] = int(d);
  }
  for (int sum = slices; sum < sums; ++sum) {
    if (!can(count, sum)) continue;
    std::vector<int> chosen;
    for (int i = count, left = sum; i > 0; --i) {
      chosen.push_back(reached[size_t(i)][size_t(left)]);
      left -= capacities[size_t(chosen.back())];
    }
    std::ranges::sort(chosen);
    return chosen;
  }
  return {};
}

}  // namespace

Result<std::optional<std::vector<int>>> balanced(const std::vector<int>& capacities, int slices) {
  using Slices = std::optional<std::vector<int>>;
  const Greedy greedy = fill_largest(capacities, slices);
  if (greedy.domains == 0) return Slices();
  const int threshold = std::min(slices / greedy.domains, greedy.last);
  if (threshold == 0) return Slices();
  std::vector<int> wide = capacities;
  for (int& capacity : wide)
    if (capacity < threshold) capacity = 0;
  const int count = fill_largest(wide, slices).domains;
  if (count == 0 || int64_t(count) * threshold > slices) return Slices();
  if (int64_t(wide.size()) * count * slices > kMaxWork)
    return Error{
        ErrorCode::kTooLarge,
        fmt::format("{} domains and {} slices are too many to balance", wide.size(), slices),
        "kueue-bestfit has no such bound"};
  std::vector<int> chosen = least_room(wide, slices, count);
  std::ranges::stable_sort(chosen, std::greater(), [&](int d) { return wide[size_t(d)]; });
  std::vector<int> given(capacities.size(), 0);
  int extra = slices - int(chosen.size()) * threshold;
  for (int d : chosen) {
    const int more = std::min(wide[size_t(d)] - threshold, extra);
    given[size_t(d)] = threshold + more;
    extra -= more;
  }
  return Slices(std::move(given));
}

}  // namespace aictl::placement
