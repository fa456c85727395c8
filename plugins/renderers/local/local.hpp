// The renderers of one machine: Docker Compose, Podman's quadlets, systemd's own units.
#pragma once

#include "core/plugin/plugins.hpp"

namespace aictl {

void add_local_renderers(Plugins& plugins);

}  // namespace aictl
