// The renderers of systems in a cluster: one for each row of the table in targets.cpp.
#pragma once

#include "core/plugin/plugins.hpp"

namespace aictl {

void add_cluster_renderers(Plugins& plugins);

}  // namespace aictl
