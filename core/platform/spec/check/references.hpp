// What a spec's fields have to do with each other: names that are used have to exist, names that
// are made have to differ, and needs must not go round.
#pragma once

#include "core/platform/spec/check/reader.hpp"

namespace aictl::platform {

/// Fills defaults that other fields decide: names, listeners, routes.
void fill_defaults(Platform& platform);

/// Checks a platform with its defaults filled.
void check_references(const Platform& platform, Mistakes& mistakes);

/// The names of workloads that `name`'s workload waits for: what its fields say and what they
/// imply, such as a gateway's models. Empty for an unknown one. All are names of workloads.
struct Needs {
  std::string workload;
  Spot spot;  // of the entry
  std::vector<std::string> needs;
};

/// All workloads of a platform, in the order of the spec: models, state, events, gateway, agents,
/// jobs. Names that nothing has are left out.
std::vector<Needs> workload_needs(const Platform& platform);

/// `nodes` in an order in which each comes after those it needs, else in theirs; those of a cycle
/// are left out.
std::vector<size_t> needs_order(const std::vector<Needs>& nodes);

}  // namespace aictl::platform
