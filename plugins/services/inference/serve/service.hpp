// The service "inference": models behind an HTTP server, from the first plan to the last stream.
#pragma once

#include "core/plugin/plugins.hpp"

namespace aictl {

/// Adds the service under the name "inference".
void add_inference_service(Plugins& plugins);

}  // namespace aictl
