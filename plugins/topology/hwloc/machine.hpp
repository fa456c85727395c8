// A loaded hwloc topology, and what loading takes.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include <hwloc.h>

#include "core/base/result.hpp"
#include "core/plugin/topology_source.hpp"

namespace aictl::hwloc {

struct FreeMachine {
  void operator()(hwloc_topology* machine) const { hwloc_topology_destroy(machine); }
};
/// Owns a topology of libhwloc's.
using Machine = std::unique_ptr<hwloc_topology, FreeMachine>;

/// This machine, or the captured root of `sight`. Errors: kIo when libhwloc finds no processor.
Result<Machine> load_machine(const Sight& sight);
/// `xml` is normalised (see xml/normalise.hpp). Errors: kDataRefused, kIo.
Result<Machine> load_xml(const std::string& xml, bool disallowed);
/// Whether a description is of bounded size. Errors: kInvalidArgument saying what is wrong.
Result<void> check_synthetic(std::string_view description);
/// Checks `description` first. Errors: kInvalidArgument, kDataRefused, kIo.
Result<Machine> load_synthetic(const std::string& description);

/// What libhwloc holds, as our value.
Topology translate(hwloc_topology* machine);

/// translate()'s parts. `places` gives an object's index in Topology::objects, by its gp_index.
using Places = std::unordered_map<uint64_t, int>;
void add_distances(hwloc_topology* machine, const Places& places, Topology& topology);
void add_cpu_kinds(hwloc_topology* machine, Topology& topology);
void add_memory_attributes(hwloc_topology* machine, const Places& places, Topology& topology);
topology::Bitset to_bitset(hwloc_const_bitmap_t bitmap);
topology::Infos to_infos(const hwloc_info_s* infos, unsigned count);

}  // namespace aictl::hwloc
