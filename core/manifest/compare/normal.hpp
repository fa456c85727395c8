// Normal form: two manifests that mean the same have the same one.
#pragma once

#include "core/manifest/catalog/catalog.hpp"
#include "core/manifest/document.hpp"

namespace aictl::manifest {

/// `object` without what a server would have added: defaults, null and empty fields, server-set
/// metadata and status; quantities and durations written the one way, keys sorted, list maps and
/// sets in the order of their keys (init containers and environments apart: their order means
/// something). An object of an unknown kind keeps its lists as they are.
Json normal_form(const Json& object, const Catalog& catalog);

}  // namespace aictl::manifest
