// References between documents: what one object names, another has to be or to provide.
#pragma once

#include <span>

#include "core/manifest/rule.hpp"

namespace aictl::manifest {

/// Every row: "reference/...".
std::span<const Rule> reference_rules();

/// Checks the documents against each other. What `context.external` lists, what a cluster always
/// has and what an operator makes of an object counts as there.
void check_references(Documents documents, const Context& context, Report& report);

}  // namespace aictl::manifest
