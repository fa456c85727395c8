// Outline: a machine as nested parts with alike ones folded into one: what the tree, the picture
// and the table show.
#pragma once

#include <string>
#include <vector>

#include "core/topology/topology.hpp"

namespace aictl::topology::view {

/// A part of the machine, or `times` parts that are alike.
struct Part {
  enum class Kind { kMachine, kPackage, kDie, kGroup, kCache, kCore, kPu, kMemory, kDevice };

  Kind kind = Kind::kMachine;
  std::string noun;                // "package", "core", "L3 cache", "numa", "gpu", "nic", "disk"
  std::string text;                // what it is: "DRAM 755.3 GiB"; may be empty
  std::string cache;               // "L3 33 MiB": one that all of it shares; may be empty
  std::vector<int> numbers;        // the operating system's; of all that are folded into it
  std::vector<std::string> names;  // of devices
  Bitset cpus;                     // of all that are folded into it
  Bitset nodes;                    // memory nodes below it
  int times = 1;                   // in one parent
  int pus = 0;                     // of a core
  std::vector<Part> parts;
};

struct OutlineOptions {
  bool caches = true;         // of cores; those above cores are always shown
  bool devices = true;        // inside the part they are near to
  bool folded = true;         // alike parts in one
  bool fold_devices = false;  // devices of other names do not keep parts apart
};

/// The machine's parts, packages down to cores, folded.
Part outline(const Topology& topology, const OutlineOptions& options);

/// GPUs, network ports and disks of the whole machine, alike ones folded: the list beside an
/// outline without devices.
std::vector<Part> device_list(const Topology& topology);

/// Folds parts that are alike but for their numbers, in place.
void fold(std::vector<Part>& parts, bool fold_devices);

}  // namespace aictl::topology::view
