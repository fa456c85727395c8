// What tells two machines apart: their structure, not their names.
#pragma once

#include <string>
#include <vector>

#include "core/topology/topology.hpp"
#include "core/value/json.hpp"

namespace aictl::topology {

/// A place in the JSON form, and what each machine has there; null where it has nothing.
struct Difference {
  std::string place;  // "/gpus/3/memory_bytes"
  Json a, b;
};

/// In the order of the JSON form, at most `most`. Ignored: names, serial numbers, UUIDs, addresses
/// of the input, remarks, and what changes from minute to minute (power, temperature, memory in
/// use). Where lists differ in length that is one difference.
std::vector<Difference> differences(const Topology& a, const Topology& b, size_t most = 1000);

}  // namespace aictl::topology
