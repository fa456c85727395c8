// From a node's JSON to a Schema.
#pragma once

#include <functional>

#include "core/manifest/catalog/schema.hpp"

namespace aictl::manifest {

/// The node that `node` describes; `below` gives the schemas its numbers name. `node` is data of
/// ours: what does not fit ends the program.
Schema decode_schema(const Json& node, const std::function<const Schema*(size_t)>& below);

}  // namespace aictl::manifest
