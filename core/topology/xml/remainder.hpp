// What hwloc's XML has no place for: it travels in infos named "aictl.<key>", and is put back when
// the XML is read.
#pragma once

#include "core/base/result.hpp"
#include "core/topology/topology.hpp"

namespace aictl::topology {

/// All that `meant` has and `seen`, the same machine after a way through hwloc's XML, has not or
/// has otherwise: infos for the machine, values in JSON. Names repeat where a value is long.
Infos remainder(const Topology& meant, const Topology& seen);

/// The info of the machine that says the file is ours: its sets are those that were seen, and no
/// cpuset is to be applied to them again.
inline constexpr const char* kOurs = "aictl.version";

/// What hwloc leaves out of a PCI function; empty: nothing. restore() puts it back.
std::string pci_remainder(const PciFacts& facts);
inline constexpr const char* kPciRemainder = "aictl.pci";

/// Takes the "aictl." infos out of the objects and puts what they say in its place. A topology
/// without any stays as it is; where the tree is not the one that was written, what belongs to its
/// objects is left out and a warning says so. Errors: kDataRefused naming the info.
Result<void> restore(Topology& topology);

}  // namespace aictl::topology
