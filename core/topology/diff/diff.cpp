#include "core/topology/diff/diff.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/topology/json.hpp"

namespace aictl::topology {
namespace {

// Names and numbers that differ between two machines of one make.
constexpr std::array<std::string_view, 12> kIdentity = {
    "origin", "hostname", "name",           "names",       "serial",  "uuid",
    "infos",  "warnings", "fabric_cluster", "cgroup_path", "missing", "osdevs"};
// What differs on one machine from one minute to the next.
constexpr std::array<std::string_view, 17> kState = {
    "memory_used",   "memory_current",  "memory_available", "pcie_replays",
    "nvlink_errors", "power_watts",     "temperature_c",    "clock_reasons",
    "utilisation",   "ecc_uncorrected", "throttled_usec",   "throttled_periods",
    "oom_kills",     "pcie_generation", "link_gts",         "link_gbs",
    "pages"};

template <size_t N>
bool has(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

class Comparison {
 public:
  explicit Comparison(size_t most) : most_(most) {}

  void compare(const std::string& place, const Json& a, const Json& b) {
    if (found_.size() >= most_ || a == b) return;
    if (a.is_object() && b.is_object())
      members(place, a, b);
    else if (a.is_array() && b.is_array())
      items(place, a, b);
    else
      found_.push_back({place, a, b});
  }

  std::vector<Difference> take() { return std::move(found_); }

 private:
  void members(const std::string& place, const Json& a, const Json& b) {
    for (const auto& [key, value] : a.items())
      if (!is_ignored(key)) compare(place + "/" + key, value, b.contains(key) ? b[key] : Json());
    for (const auto& [key, value] : b.items())
      if (!is_ignored(key) && !a.contains(key)) compare(place + "/" + key, Json(), value);
  }

  void items(const std::string& place, const Json& a, const Json& b) {
    if (a.size() != b.size()) {
      const auto entries = [](const Json& list) { return fmt::format("{} entries", list.size()); };
      found_.push_back({place, entries(a), entries(b)});
      return;
    }
    for (size_t i = 0; i < a.size(); ++i) compare(fmt::format("{}/{}", place, i), a[i], b[i]);
  }

  static bool is_ignored(const std::string& key) { return has(kIdentity, key) || has(kState, key); }

  size_t most_;
  std::vector<Difference> found_;
};

}  // namespace

std::vector<Difference> differences(const Topology& a, const Topology& b, size_t most) {
  Comparison comparison(most);
  comparison.compare("", to_json(a), to_json(b));
  return comparison.take();
}

}  // namespace aictl::topology
