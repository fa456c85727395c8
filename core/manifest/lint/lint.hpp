// What production asks of manifests beyond being accepted: the 18 points of our checklist. All of
// them are warnings.
#pragma once

#include <span>

#include "core/manifest/rule.hpp"

namespace aictl::manifest {

/// Every row: "lint/...".
std::span<const Rule> lint_rules();

/// Applies them. Documents are looked at together: a budget or a policy for a pod may stand in
/// another file.
void check_lint(Documents documents, const Context& context, Report& report);

}  // namespace aictl::manifest
