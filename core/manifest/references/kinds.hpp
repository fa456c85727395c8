// References that more than a name tells: selectors and the ports behind them, pipelines, flavors.
#pragma once

#include "core/manifest/references/world.hpp"

namespace aictl::manifest {

/// Applies what there is for the document's kind.
void check_kind(const World& world, const Document& document, Report& report);

}  // namespace aictl::manifest
