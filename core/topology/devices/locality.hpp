// Where a device hangs in the tree.
#pragma once

#include <optional>
#include <string>

#include "core/topology/topology.hpp"

namespace aictl::topology {

/// The nearest ancestor that is no I/O object, of objects[index]; -1: none.
int anchor_of(const Topology& topology, int index);

/// The PCI function that objects[index] is or belongs to; nullptr: none.
const Object* function_of(const Topology& topology, int index);

/// The CPUs and memory nodes near objects[index]. Both empty where nothing is known of its place:
/// it hangs from the whole machine, and that has several memory nodes.
struct Place {
  Bitset cpuset, nodeset;
};
Place place_of(const Topology& topology, int index);

/// The value of an info; empty when there is none.
std::string info(const Object& object, std::string_view name);

/// The number at the end of a name such as "nvml3"; nullopt when it has none.
std::optional<int> trailing_number(std::string_view name);

/// Renames the ends of links from `kind` + old number to `kind` + new number.
void renumber_links(Topology& topology, std::string_view kind, const std::vector<int>& new_number);

/// The three halves of join_devices; each keeps what is there already.
void join_gpus(Topology& topology);
void join_nics(Topology& topology);
void join_disks(Topology& topology);

}  // namespace aictl::topology
