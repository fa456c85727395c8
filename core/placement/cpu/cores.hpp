// Which cores work: physical cores first, performance cores only, inside the limits. One rule for
// the CPU backend's threads and for the planner's replicas.
#pragma once

#include <string>
#include <vector>

#include "core/topology/topology.hpp"

namespace aictl::placement {

/// A core with a PU we may use.
struct PhysicalCore {
  topology::Bitset pus;  // those we may use: siblings stay together
  bool slow = false;     // of an economical kind
  int node = -1;         // memory node it is near; -1 unknown

  int first_pu() const { return pus.first(); }
};

/// CPUs we may use: allowed by cpuset and affinity.
topology::Bitset allowed_cpus(const Topology& topology);

/// The cores inside `within` (empty: anywhere), in hardware order: performance cores only, where
/// the machine has any that we may use. Kinds whose clocks differ by little are one kind. Machines
/// without core objects count each PU as one; isolated CPUs are left out unless nothing else is
/// there.
std::vector<PhysicalCore> usable_cores(const Topology& topology, const topology::Bitset& within);

/// Threads and where each is bound.
struct ThreadChoice {
  std::vector<int> cpus;   // a PU a thread, the first thread's first
  topology::Bitset nodes;  // memory nodes of those
  bool crowded = false;    // more threads than cores or quota: waiting must not spin
  int cores = 0;           // that could be used
  std::string why;         // a sentence: what was chosen, and why
};

/// `wanted` threads; 0: one a usable core, at most what the quota pays for. Past the cores' number
/// threads share cores. Empty `cpus`: there is no CPU to run on.
ThreadChoice choose_threads(const Topology& topology, int wanted);

}  // namespace aictl::placement
