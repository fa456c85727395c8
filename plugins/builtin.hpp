// The plugins that are compiled in.
#pragma once

#include "core/plugin/plugins.hpp"

namespace aictl {

/// Adds a row for each of them.
void add_builtin(Plugins& plugins);

}  // namespace aictl
