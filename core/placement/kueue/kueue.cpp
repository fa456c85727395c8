#include "core/placement/kueue/kueue.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/placement/kueue/balanced.hpp"

namespace aictl::placement {
namespace {

constexpr int kMostPods = 1'000'000, kMostDomains = 100'000;

// A domain's room in slices and, to break ties, in pods.
struct Domain {
  int index, slices, pods;
};

Result<void> check(const std::vector<int>& capacities, int pods, int slice) {
  const auto bad = [](std::string_view what, int64_t value, int64_t low, int64_t high) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{} {} is not in {}..{}", what, value, low, high), ""};
  };
  if (pods < 1 || pods > kMostPods) return bad("--pods", pods, 1, kMostPods);
  if (slice < 1 || slice > pods) return bad("--slice-size", slice, 1, pods);
  if (pods % slice != 0)
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{} pods are not a multiple of the slice of {}", pods, slice), ""};
  if (capacities.empty() || capacities.size() > kMostDomains)
    return bad("the number of --capacities", int64_t(capacities.size()), 1, kMostDomains);
  for (int capacity : capacities)
    if (capacity < 0 || capacity > kMostPods) return bad("capacity", capacity, 0, kMostPods);
  return {};
}

std::vector<Domain> sorted(const std::vector<int>& capacities, int slice, bool descending) {
  std::vector<Domain> domains;
  for (size_t i = 0; i < capacities.size(); ++i)
    domains.push_back({int(i), capacities[i] / slice, capacities[i]});
  std::ranges::stable_sort(domains, [&](const Domain& a, const Domain& b) {
    if (a.slices != b.slices) return descending ? a.slices > b.slices : a.slices < b.slices;
    return a.pods < b.pods;
  });
  return domains;
}

// The tightest of the domains from `from` on that holds `slices`; the first such on ties.
const Domain* tightest(const std::vector<Domain>& domains, size_t from, int slices) {
  const Domain* best = nullptr;
  for (size_t i = from; i < domains.size(); ++i)
    if (domains[i].slices >= slices && (!best || domains[i].slices < best->slices))
      best = &domains[i];
  return best;
}

std::vector<int> best_fit(const std::vector<int>& capacities, int slices, int slice) {
  const std::vector<Domain> domains = sorted(capacities, slice, true);
  std::vector<int> given(capacities.size(), 0);
  for (size_t i = 0; i < domains.size() && slices > 0; ++i) {
    const Domain* last = tightest(domains, i, slices);
    const Domain& domain = last ? *last : domains[i];
    const int taken = std::min(domain.slices, slices);
    given[size_t(domain.index)] = taken * slice;
    slices -= taken;
  }
  return given;
}

std::vector<int> least_free(const std::vector<int>& capacities, int slices, int slice) {
  std::vector<int> given(capacities.size(), 0);
  const std::vector<Domain> domains = sorted(capacities, slice, false);
  // One that holds all, the fullest such; else from the fullest on.
  if (const Domain* whole = tightest(domains, 0, slices)) {
    given[size_t(whole->index)] = slices * slice;
    return given;
  }
  for (const Domain& domain : domains) {
    const int taken = std::min(domain.slices, slices);
    given[size_t(domain.index)] = taken * slice;
    slices -= taken;
  }
  return given;
}

}  // namespace

Result<std::vector<int>> kueue_assign(KueueAlgorithm algorithm, const std::vector<int>& capacities,
                                      int pods, int slice) {
  if (auto checked = check(capacities, pods, slice); !checked) return std::move(checked).error();
  const int slices = pods / slice;
  int64_t room = 0;
  for (int capacity : capacities) room += capacity / slice;
  if (room < slices)
    return Error{ErrorCode::kResourceExhausted,
                 fmt::format("{} pods in slices of {} do not fit: there is room for {}", pods,
                             slice, room * slice),
                 "fewer pods, smaller slices, or the level above"};
  if (algorithm == KueueAlgorithm::kLeastFree) return least_free(capacities, slices, slice);
  if (algorithm == KueueAlgorithm::kBalanced) {
    std::vector<int> rooms;
    for (int capacity : capacities) rooms.push_back(capacity / slice);
    auto even = balanced(rooms, slices);
    if (!even) return std::move(even).error();
    if (*even) {
      for (int& count : **even) count *= slice;
      return std::move(**even);
    }
  }
  return best_fit(capacities, slices, slice);
}

}  // namespace aictl::placement
