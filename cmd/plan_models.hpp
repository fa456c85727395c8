// The models `aictl plan` is asked to place, as shapes.
#pragma once

#include <string>
#include <vector>

#include "cmd/app.hpp"
#include "core/placement/plan/plan.hpp"

namespace aictl {

/// The models of a platform's spec with what it wants of each. Errors: as load_platform and
/// inspect_entry.
Result<void> platform_models(App& app, const std::string& file, placement::PlanRequest& request);

/// Fills where the shape's files lie on this machine, and what the page cache has of them.
void find_files(placement::ModelShape& shape);

}  // namespace aictl
