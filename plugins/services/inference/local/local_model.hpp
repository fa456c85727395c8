// The runtime "aictl": this program's own engine, used in this process.
#pragma once

#include "core/plugin/plugins.hpp"

namespace aictl {

/// Adds the runtime under the name "aictl".
void add_aictl_runtime(Plugins& plugins);

}  // namespace aictl

namespace aictl::inference {

/// The built-in tiny random model, made in the user's cache folder ($XDG_CACHE_HOME/aictl) if it is
/// not there.
Result<std::filesystem::path> builtin_model();

}  // namespace aictl::inference
