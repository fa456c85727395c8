// calc: sets of CPUs from words such as "cores near gpu0", "numa:1 no smt" or "package:0 - 0-3".
#pragma once

#include <string_view>

#include "core/base/result.hpp"
#include "core/topology/topology.hpp"

namespace aictl::topology {

/// What an expression says, from left to right:
///   SET [+ SET | and SET | - SET]...     union ("+", "or", or nothing), intersection, difference
///   SET: all | package:LIST | die:LIST | numa:LIST | core:LIST | pu:LIST | l2:LIST | l3:LIST
///        | [cores|cpus] near DEVICE      DEVICE: gpu0, nic1, disk0, numa0 or a device's own name
///        | performance | efficiency      cores of that sort
///        | 0-3,8 | 0x0000010f            CPUs by number, as a list or in hexadecimal
///        | ( ... )
///   SET no smt                           one CPU of each core; SET no efficiency
/// Packages, dies, memory nodes and PUs count as the operating system does; cores and caches from
/// 0. Errors: kInvalidArgument naming the word that does not read, kNotFound what is not there.
Result<Bitset> calculate(const Topology& topology, std::string_view expression);

/// The CPUs near a device ("gpu0", "mlx5_0", "numa1"). Errors: kNotFound, also when nothing is
/// known of where it is.
Result<Bitset> cpus_near(const Topology& topology, std::string_view device);

/// The memory nodes that hold the CPUs `cpus`, without nodes that are a GPU's own memory.
Bitset nodes_of(const Topology& topology, const Bitset& cpus);

}  // namespace aictl::topology
