// Route: the way data takes between two devices, hop by hop.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/topology/topology.hpp"
#include "core/value/json.hpp"

namespace aictl::topology::view {

struct Hop {
  std::string from, to;
  std::string over;                           // "PCIe", "6x NVLink", "between NUMA nodes"
  std::optional<double> gbs;                  // in one direction
  LinkSource source = LinkSource::kInferred;  // of `gbs`
};

struct Route {
  std::string a, b;            // "gpu0", "nic1"
  std::string what_a, what_b;  // "Tesla V100-SXM3-32GB at 0000:34:00.0"
  std::string word;            // "PIX", "NV6"; empty where no level is known
  std::optional<double> gbs;   // of the whole way: the least of its hops
  LinkSource source = LinkSource::kInferred;
  bool partly_known = false;  // of some hop nobody says what it carries: `gbs` is the most
  std::string note;
  std::optional<uint64_t> numa_distance;  // as the firmware tells it; 10 is local
  std::vector<Hop> hops;
};

/// From device `a` to `b`: "gpu0", "nic1", "disk0", "numa0", a device's own name, a PCI address or
/// a GPU's UUID. Errors: kNotFound naming the device, with what there is.
Result<Route> route(const Topology& topology, std::string_view a, std::string_view b);

/// The route for people, and as data.
std::string route_text(const Route& route);
Json route_json(const Route& route);

}  // namespace aictl::topology::view
