// What an API server checks in single objects beyond their schemas, CEL rules included.
#pragma once

#include <span>

#include "core/manifest/check/check.hpp"
#include "core/manifest/rule.hpp"

namespace aictl::manifest {

/// Every row: "server/...", "cel/...".
std::span<const Rule> server_rules();

/// Applies them to the documents the catalog knows.
void check_server_rules(Documents documents, const Context& context, Report& report);

}  // namespace aictl::manifest
